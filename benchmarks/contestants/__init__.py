"""What is measured, a module each; a contestant is run as `python -m contestants.NAME` in the folder above."""

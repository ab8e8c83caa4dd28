"""What a scan can be written as, a file a format; `layout` chooses, and opens the writer."""

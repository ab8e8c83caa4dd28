"""The paper's comparison: every method on the same training files, judged on the same test files."""

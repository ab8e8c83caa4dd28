"""What a scan can be written as, a file a format; `layout` chooses, `writing` opens the files."""

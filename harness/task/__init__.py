"""Tasks: what a task file may say, loading it and its rows, and rendering samples."""

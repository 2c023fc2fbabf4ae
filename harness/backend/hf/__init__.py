"""Models that transformers can load, computed in this process, on a CPU or a GPU."""

"""What is measured rather than tested: speed, memory, coverage of intervals."""

"""What `make bench` runs: every promise of speed and memory, beside its limit in the same run."""

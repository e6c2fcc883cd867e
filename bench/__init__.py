"""What `make bench` runs: every speed and memory promise, beside its limit taken in the same run."""

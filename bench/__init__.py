"""Measurements of speed and memory, run by hand with ``make bench``; never timed unit tests."""

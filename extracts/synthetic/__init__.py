"""Synthetic extracts: made for demonstration and tests, labelled so wherever they are shown."""

"""Tests: unit (mirrors the rooms), hostile input, acceptance on real extracts, end to end."""

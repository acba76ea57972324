"""Killed processes, full disks, catalogues that go down, many workers: what was delivered survives them all."""

"""The lake: archive of original files, ledger, loading of validated rows."""

"""Great Expectations on DuckDB: suites from contracts, running them, their results, validation reports."""

"""Real processes: Airflow, PostgreSQL, a browser."""

"""Airflow DAGs: wiring only, one file per DAG. What a task does is one call of a room's function."""

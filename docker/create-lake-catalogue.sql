-- DuckLake keeps its catalogue in a database of its own, beside Airflow's.
create database lake;

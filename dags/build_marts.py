"""Build the marts when the warehouse has new rows."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Asset, dag, task

WAREHOUSE = Asset("x-rasso://warehouse")
MARTS = Asset("x-rasso://marts")


@dag(schedule=[WAREHOUSE], max_active_runs=1, catchup=False, tags=["marts"])
def build_marts() -> None:
    """Run dbt over the lake; a failed build leaves the last good one in place."""

    @task(outlets=[MARTS], retries=2, retry_delay=timedelta(seconds=20))
    def build() -> int:
        """Returns the lake snapshot that readers use from now on."""
        from rasso.settings import Settings
        from transforms.build import build

        return build(Settings()).checked().lake_snapshot

    build()


build_marts()

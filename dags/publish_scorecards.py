"""Publish scorecards when the marts are built."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Asset, dag, task

MARTS = Asset("x-rasso://marts")
SCORECARDS = Asset("x-rasso://scorecards")


@dag(schedule=[MARTS], max_active_runs=1, catchup=False, tags=["scorecards"])
def publish_scorecards() -> None:
    """Render the marts of the last good build and swap the pointer to the new release."""

    @task(outlets=[SCORECARDS], retries=2, retry_delay=timedelta(seconds=20))
    def publish() -> str:
        """Returns the release that readers see from now on."""
        from rasso.settings import Settings
        from scorecards.publication import publish

        return publish(Settings()).release_id

    publish()


publish_scorecards()

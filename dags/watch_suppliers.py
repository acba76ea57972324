"""Look every morning for what is late, and whether everything that was received is still there and whole.

A failed task turns the DAG red and calls back; put another notifier (mail, chat) beside ``tell`` to hear elsewhere.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from airflow.sdk import CronTriggerTimetable, dag, task
from airflow.sdk.exceptions import AirflowFailException

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

log = logging.getLogger(__name__)


def tell(context: Context) -> None:
    """What has failed, in words that hold nothing of an extract."""
    log.error("%s: %s", context["task_instance"].task_id, context.get("exception"))


@dag(
    schedule=CronTriggerTimetable("0 6 * * *", timezone="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args={"on_failure_callback": tell},
    tags=["intake"],
)
def watch_suppliers() -> None:
    """Write the pages of suppliers and revisions; fail where an extract is late, or what was received is damaged."""

    @task
    def find_late() -> None:
        from rasso.settings import Settings
        from warehouse.supply import in_words, watch

        late = in_words(watch(Settings()))
        if late:
            raise AirflowFailException(f"to be asked for: {'; '.join(late)}")

    @task
    def write_revisions() -> None:
        from rasso.settings import Settings
        from warehouse.revisions import list_revisions

        list_revisions(Settings())

    @task
    def verify_home() -> None:
        from rasso.settings import Settings
        from warehouse.verification import verify

        failed = [check.title for check in verify(Settings()) if not check.has_passed]
        if failed:
            raise AirflowFailException(f"not as it should be (rasso verify tells what): {'; '.join(failed)}")

    find_late()
    write_revisions()
    verify_home()


watch_suppliers()

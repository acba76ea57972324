"""Receive what lies in the landing folder.

The event only rings the bell. Whatever waits is received: a lost event costs one sweep at most, a repeated one nothing.
"""

from __future__ import annotations

from airflow.sdk import Asset, AssetOrTimeSchedule, CronTriggerTimetable, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from warehouse.doorbell import LANDING

WAREHOUSE = Asset("x-rasso://warehouse")


@dag(
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("*/15 * * * *", timezone="UTC"),  # the sweep, which needs no event
        assets=[LANDING],
    ),
    catchup=False,
    max_active_runs=1,
    tags=["intake"],
)
def receive_extracts() -> None:
    """Claim every waiting delivery, validate it and load it, hold it or reject it; link what is new."""

    @task
    def find_waiting() -> list[list[str]]:
        from rasso.settings import Settings
        from warehouse.intake import waiting_batches

        return waiting_batches(Settings())

    # One at a time: each takes all cores for validation; a batch holds many deliveries.
    @task(map_index_template="{{ suppliers }}", max_active_tis_per_dag=1)
    def receive(hand_over_ids: list[str]) -> int:
        """Receive one batch; returns how many of its deliveries were accepted."""
        from rasso.settings import Settings
        from warehouse.intake import receive_deliveries

        outcomes = receive_deliveries(Settings(), hand_over_ids)
        suppliers = ", ".join(sorted({outcome.supplier for outcome in outcomes}))
        get_current_context()["suppliers"] = suppliers  # type: ignore[typeddict-unknown-key]
        return sum(outcome.is_accepted for outcome in outcomes)

    @task(trigger_rule="all_done")
    def link() -> int:
        """Link the crimes and CPS cases that are new; returns how many submissions were looked at."""
        from rasso.settings import Settings
        from warehouse.keys import read_keys
        from warehouse.linkage import link as link_cases
        from warehouse.vault import VaultError

        try:
            return link_cases(Settings(), read_keys(Settings())).referrals
        except VaultError as error:  # its words say what to do; what was accepted is announced all the same
            raise AirflowFailException(str(error)) from None

    @task(outlets=[WAREHOUSE], trigger_rule="all_done")
    def announce() -> None:
        """One event per run where accepted rows are not built yet, whichever run accepted them."""
        from rasso.settings import Settings
        from warehouse.status import current_status

        if not current_status(Settings()).needs_build:
            raise AirflowSkipException("nothing new was accepted")

    @task(trigger_rule="one_failed")
    def show_failure() -> None:
        """Make the run red: announcing what was accepted is right, and does not make the rest well."""
        raise AirflowFailException("a delivery could not be received; read the log of its task")

    received, linked = receive.expand(hand_over_ids=find_waiting()), link()
    received >> linked >> announce()
    [received, linked] >> show_failure()


receive_extracts()

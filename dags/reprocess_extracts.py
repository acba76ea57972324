"""Have deliveries received again from the archive, after a contract or an alias was mended.

Started by an engineer, in Airflow's form. It only says what is meant: what follows is the work of receive_extracts.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

from warehouse.doorbell import LANDING

# Airflow keeps what is typed into its form: nothing that reads like a URN gets that far.
_NO_URN: dict[str, Any] = {"not": {"pattern": r"\d\d\W{0,3}[A-Za-z0-9]{2}\W{0,3}\d{5}\W{0,3}\d\d"}}


def _optional(title: str, words: str, pattern: str) -> Param:
    return Param(None, title=title, description=words, type=["null", "string"], pattern=pattern)


def _words(title: str, words: str) -> Param:
    return Param("", title=title, description=words, type="string", maxLength=500, **_NO_URN)


@dag(
    schedule=None,
    catchup=False,
    max_active_runs=1,
    params={
        "supplier": _optional("Supplier", "Only what this supplier sent, such as kent-police.", "^[a-z-]*$"),
        "kind": _optional("Kind", "Only deliveries with an extract of this kind, such as police_crimes.", "^[a-z_]*$"),
        "period": _optional("Months", "Only deliveries for one of them: 2020-01 or 2020-01..2020-12.", "^[0-9.-]*$"),
        "reason": _words("Reason", "Why, for auditors; nothing about a person."),
        "actor": _words("Who asks", "A name that auditors can ask."),
    },
    tags=["intake"],
)
def reprocess_extracts() -> None:
    """Record which deliveries are received again, and ring the bell."""

    @task(outlets=[LANDING])
    def ask() -> int:
        """Returns how many deliveries are received again."""
        from extracts.delivery import DeliveryError
        from extracts.period import PeriodError
        from rasso.settings import Settings
        from warehouse.decisions import DecisionError
        from warehouse.reprocessing import reprocess
        from warehouse.selection import Selection

        params = get_current_context()["params"]
        try:
            meant = Selection.of(params["supplier"], params["kind"], params["period"])
            return len(reprocess(Settings(), meant, reason=params["reason"], actor=params["actor"]))
        except (
            DecisionError,
            DeliveryError,
            PeriodError,
        ) as error:  # its words say what to do; to try again changes nothing
            raise AirflowFailException(str(error)) from None

    ask()


reprocess_extracts()

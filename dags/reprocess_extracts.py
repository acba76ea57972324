"""Have deliveries received again from the archive, after a contract or an alias was mended.

Started by an engineer, in Airflow's form. It only says what is meant: what follows is the work of receive_extracts.
"""

from __future__ import annotations

from airflow.sdk import Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

from warehouse.doorbell import LANDING


def _optional(title: str, words: str) -> Param:
    return Param(None, title=title, description=words, type=["null", "string"])


@dag(
    schedule=None,
    catchup=False,
    max_active_runs=1,
    params={
        "supplier": _optional("Supplier", "Only what this supplier sent, such as kent-police."),
        "kind": _optional("Kind", "Only deliveries with an extract of this kind, such as police_crimes."),
        "period": _optional("Months", "Only deliveries with an extract for one of them: 2020-01 or 2020-01..2020-12."),
        "reason": Param("", title="Reason", description="Why, for auditors; nothing about a person.", type="string"),
        "actor": Param("", title="Who asks", description="A name that auditors can ask.", type="string"),
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

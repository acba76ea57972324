"""Errors of commands: whose words say what to do, and of which only the kind may be told."""

from __future__ import annotations


def known_errors() -> tuple[type[Exception], ...]:
    """Errors whose message says what to do. Imported late: ``rasso --help`` stays fast."""
    from extracts.calendar import CalendarError
    from extracts.contract import ContractError
    from extracts.delivery import DeliveryError
    from extracts.period import PeriodError
    from extracts.synthetic.request import SynthesisError
    from rasso.settings import SettingsError
    from rasso.up import StartError
    from scorecards.publication import PublicationError
    from transforms.build import BuildError
    from transforms.explain import ExplainError
    from warehouse.archive import ArchiveError
    from warehouse.decisions import DecisionError
    from warehouse.intake import IntakeError
    from warehouse.keys import KeysError
    from warehouse.lake import LakeError
    from warehouse.linkage import LinkError
    from warehouse.replay import ReplayError
    from warehouse.vault import VaultError

    return (
        *(ArchiveError, BuildError, CalendarError, ContractError, DecisionError, DeliveryError, ExplainError),
        *(IntakeError, KeysError, LakeError, LinkError, PeriodError, PublicationError, ReplayError, SettingsError),
        *(StartError, SynthesisError, VaultError),
    )


def unexpected_errors() -> tuple[type[Exception], ...]:
    """Errors whose words may quote what was being read."""
    import duckdb
    from pydantic import ValidationError

    return OSError, duckdb.Error, ValidationError


def without_values(error: Exception) -> str:
    """What may be told of an unexpected error."""
    from pydantic import ValidationError

    from extracts.names import WITHHELD, holds_reference

    if isinstance(error, OSError):
        return f"{error.strerror}: {WITHHELD if holds_reference(str(error.filename)) else error.filename}"
    if isinstance(error, ValidationError):
        faults = [f"RASSO_{'.'.join(map(str, fault['loc'])).upper()}: {fault['msg']}" for fault in error.errors()]
        return "; ".join(faults)
    return f"the lake could not be used ({type(error).__name__}); another process may be writing, try again"

"""A run of the linkage: from what was accepted since the last one to a changed bridge.

Belongs here: the order of the steps, and when everything is linked anew. Does not belong here: how records are compared
(``exact``, ``repaired``, ``probabilistic``).

A run reads originals through the vault's door for linking, and they never leave that connection; what it writes, in one
transaction, holds tokens, methods and probabilities only.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from warehouse import ledger
from warehouse.lake import newest_snapshot, reading, transaction, writer_lock
from warehouse.linkage import bridge, candidates, exact, probabilistic, repaired, scope
from warehouse.linkage.likeness import prepare_likeness
from warehouse.linkage.page import is_page_current, write_page
from warehouse.linkage.probabilistic import MODEL
from warehouse.schema import prepare_home
from warehouse.vault import originals
from warehouse.version import code_version

if TYPE_CHECKING:
    from datetime import datetime

    import duckdb

    from rasso.settings import Settings
    from warehouse.keys import Keys

# Raised when the rules change in a way that changes links.
_RULES_VERSION = "3"
_PURPOSE = "link crimes with cases of the CPS"


class LinkError(Exception):
    """Linking failed through a fault of ours; nothing was changed."""


@dataclass(frozen=True, slots=True)
class LinkOutcome:
    """What a run did: referrals linked (again) by method, and those of them that stay without a link.

    ``run_id`` is None where nothing was accepted since the last run.
    """

    run_id: str | None
    exact: int
    repaired: int
    probabilistic: int
    unlinked: int
    seconds: float

    @property
    def referrals(self) -> int:
        """Referrals that the run looked at."""
        return self.exact + self.repaired + self.probabilistic + self.unlinked


def method_version() -> str:
    """What links hang on: the rules, the weights of the models and Splink; where it changes, all is linked anew."""
    weights = hashlib.sha256(MODEL.read_bytes()).hexdigest()[:12]
    return f"{_RULES_VERSION}, model {weights}, Splink {version('splink')}"


def link(settings: Settings, keys: Keys) -> LinkOutcome:
    """Link what was accepted since the last run, and link again what that may change.

    Everything is linked anew where the method or the threshold changed, or where rows that were linked are gone or
    were replaced.

    Raises:
        LinkError: records could not be compared; nothing was changed.
        VaultError: the vault cannot be opened.
    """
    started = time.perf_counter()
    if not _is_needed(settings):
        with reading(settings) as connection:
            newest = bridge.newest_run(connection)
            # A run that failed between its commit and its page left the page of the run before.
            if newest is not None and not is_page_current(settings, newest[0]):
                write_page(settings, connection)
        return LinkOutcome(None, 0, 0, 0, 0, time.perf_counter() - started)
    with originals(settings, keys, _PURPOSE) as connection:
        run = _run(connection, settings)
        write_page(settings, connection)
    counts = (run.exact_count, run.repaired_count, run.probabilistic_count, run.unlinked_count)
    return LinkOutcome(run.run_id, *counts, time.perf_counter() - started)


def is_full(connection: duckdb.DuckDBPyConnection, threshold: float) -> bool:
    """Whether everything is to be linked: nothing was yet, or what earlier runs found cannot be built upon."""
    last = bridge.newest_run(connection)
    if last is None or last[1:] != (method_version(), threshold):
        return True
    return scope.is_linked_delivery_gone(connection) or scope.is_linked_delivery_changed(connection)


def compare(connection: duckdb.DuckDBPyConnection, threshold: float, *, is_full: bool) -> None:
    """Find both legs of every referral in scope, from ``new_delivery`` to ``changed`` and ``stale``."""
    prepare_likeness(connection)
    scope.load_referrals(connection, is_full=is_full)
    scope.load_partners(connection)
    exact.link_exact(connection)
    exact.link_equal(connection)
    if candidates.find_receipts(connection):
        repaired.repair_urns(connection)
        probabilistic.weigh(connection, "urn", threshold)
        bridge.settle_rivals(connection)
    if candidates.find_crimes(connection):
        repaired.repair_crimes(connection)
        probabilistic.weigh(connection, "crime", threshold)
    bridge.put_together(connection)
    bridge.find_changes(connection, is_full=is_full)


def record_of(
    connection: duckdb.DuckDBPyConnection,
    started_at: datetime,
    snapshot: int,
    deliveries: int,
    threshold: float,
    *,
    is_full: bool,
) -> bridge.LinkRun:
    """What is to be recorded of a run that has compared."""
    counts = bridge.counts_by_method(connection)
    return bridge.LinkRun(
        run_id=secrets.token_hex(8),
        started_at=started_at,
        ended_at=ledger.now(),
        lake_snapshot=snapshot,
        is_full=is_full,
        delivery_count=deliveries,
        referral_count=sum(counts.values()),
        exact_count=counts.get("exact", 0),
        repaired_count=counts.get("repaired", 0),
        probabilistic_count=counts.get("probabilistic", 0),
        unlinked_count=counts.get(None, 0),
        threshold=threshold,
        method_version=method_version(),
        splink_version=version("splink"),
        code_version=code_version(),
    )


def _is_needed(settings: Settings) -> bool:
    """Whether there is anything to do; asked before the vault is opened."""
    with reading(settings) as connection:
        if bridge.has_tables(connection):
            # A change of method or threshold concerns only what was linked.
            is_anew = bridge.newest_run(connection) is not None and is_full(connection, settings.link_threshold)
            return is_anew or bool(scope.find_new_deliveries(connection, is_full=False))
    prepare_home(settings)
    return _is_needed(settings)


def _run(connection: duckdb.DuckDBPyConnection, settings: Settings) -> bridge.LinkRun:
    """Compare and write, nobody else writing meanwhile: a lake that changes between two queries would not add up."""
    threshold, started_at = settings.link_threshold, ledger.now()
    with writer_lock(settings):
        try:
            is_anew = is_full(connection, threshold)
            snapshot = newest_snapshot(connection)
            deliveries = scope.find_new_deliveries(connection, is_full=is_anew)
            compare(connection, threshold, is_full=is_anew)
        except Exception as error:  # noqa: BLE001 - Splink's and DuckDB's words may quote what was being compared
            raise LinkError(f"records could not be compared ({type(error).__name__}); nothing was changed") from None
        run = record_of(connection, started_at, snapshot, len(deliveries), threshold, is_full=is_anew)
        processing = ledger.ProcessingRow.of("combination", "linkage.crime_case_link", run.referral_count, _PURPOSE)
        with transaction(connection):
            bridge.write(connection, run)
            ledger.insert_processing(connection, [processing])
    return run

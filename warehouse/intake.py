"""Intake: from a waiting delivery to loaded rows, or to a reason why not.

Belongs here: the order of the steps, and deciding what becomes of a delivery. Does not belong here: how a file is read
(``extracts``), how rules run (``expectations``), which tables there are (``warehouse.schema``).

Importing this module is cheap; Great Expectations is imported when the first rows are validated.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import socket
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Self

import psutil

from expectations.report import write_index, write_report
from extracts.contract import all_contracts
from extracts.delivery import (
    MANIFEST,
    DeliveryError,
    LandedDelivery,
    Manifest,
    read_manifest,
    remove,
    slug,
    stated_period,
    waiting,
)
from extracts.period import Period
from extracts.reader import Reader
from extracts.staging import StagingError
from warehouse import ledger, loading
from warehouse.archive import ArchiveError, keep, store
from warehouse.lake import attached, reading, transaction, writer_lock
from warehouse.record import DeliveryRecord, FileRecord, file_row, report_of, rule_rows
from warehouse.schema import prepare_home
from warehouse.version import code_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    import duckdb

    from expectations.validation import Validator
    from rasso.settings import Settings

log = logging.getLogger(__name__)

_MIXED = {
    True: "this home holds real figures; synthetic ones go into a home of their own (RASSO_HOME)",
    False: "this home holds synthetic figures; real ones go into a home of their own (RASSO_HOME)",
}
SHOWN_ROWS = 1000  # row numbers per rule in a supplier's feedback file


@dataclass(frozen=True, slots=True)
class ReceiptOutcome:
    """What became of one hand-over."""

    hand_over_id: str
    delivery_id: str | None
    supplier: str
    delivery_name: str
    state: str
    reason: str | None
    rows_loaded: int
    rows_quarantined: int
    report: Path

    @property
    def is_accepted(self) -> bool:
        """Whether rows were loaded."""
        return self.state == "accepted"


class _OvertakenError(Exception):
    """Another process loaded the same bytes, or figures of the other nature, while this one was reading."""


class IntakeError(Exception):
    """Deliveries that could not be received through a fault of ours; they stay in the landing folder."""


def waiting_batches(settings: Settings) -> list[list[str]]:
    """Hand-over ids of what waits in the landing folder, in batches that one process receives."""
    prepare_home(settings)
    arrivals = waiting(settings.landing)
    with reading(settings) as connection:
        done = ledger.finished(connection, [arrival.hand_over_id for arrival in arrivals])
    # What is recorded already was received by a process that ended before it emptied the landing folder.
    for arrival in arrivals:
        if arrival.hand_over_id in done:
            keep(settings, arrival.folder)
            remove([arrival.folder])
    ids = [arrival.hand_over_id for arrival in arrivals if arrival.hand_over_id not in done]
    return [ids[start : start + settings.receive_batch] for start in range(0, len(ids), settings.receive_batch)]


def receive_deliveries(
    settings: Settings,
    hand_over_ids: Iterable[str],
    on_outcome: Callable[[ReceiptOutcome], None] | None = None,
) -> list[ReceiptOutcome]:
    """Receive each of these deliveries that nobody else has claimed.

    Raises:
        IntakeError: some could not be received through a fault of ours; all others were.
    """
    wanted = set(hand_over_ids)
    arrivals = [arrival for arrival in waiting(settings.landing) if arrival.hand_over_id in wanted]
    if not arrivals:
        return []
    outcomes, faults = [], []
    with ExitStack() as stack:
        reader = stack.enter_context(Reader(settings))
        connection = stack.enter_context(attached(settings))
        intake = _Intake(settings, connection, reader)
        for arrival in stack.enter_context(_Claims(settings, connection, intake.worker, arrivals)).held:
            try:
                outcome = intake.receive(arrival)
            except Exception as error:  # noqa: BLE001 - a fault of ours in one delivery must not stop the others
                # The kind of error only: its text may quote what was being read.
                log.error("delivery %s could not be received: %s", arrival.hand_over_id, type(error).__name__)  # noqa: TRY400
                faults.append(f"{arrival.supplier}/{arrival.name} ({type(error).__name__})")
                continue
            outcomes.append(outcome)
            if on_outcome:
                on_outcome(outcome)
        write_index(settings.reports, ledger.report_index(connection))
    if faults:
        raise IntakeError(f"could not receive {', '.join(faults)}; they stay in the landing folder and are tried again")
    return outcomes


class _Claims:
    """Claims on arrivals for as long as a process works on them; what it did not finish is given back."""

    def __init__(
        self, settings: Settings, connection: duckdb.DuckDBPyConnection, worker: str, arrivals: Sequence[LandedDelivery]
    ) -> None:
        self._settings, self._connection, self._worker, self._arrivals = settings, connection, worker, arrivals
        self.held: list[LandedDelivery] = []

    def __enter__(self) -> Self:
        by_id = {arrival.hand_over_id: arrival for arrival in self._arrivals}
        lease = timedelta(seconds=self._settings.lease_seconds)
        with writer_lock(self._settings), transaction(self._connection):
            for worker in ledger.claiming_workers(self._connection):
                if _has_ended(worker):
                    ledger.give_back(self._connection, worker)
            ledger.register(self._connection, [(a.hand_over_id, a.supplier, a.name) for a in self._arrivals])
            mine = ledger.claim(self._connection, list(by_id), self._worker, lease)
        self.held = [by_id[hand_over_id] for hand_over_id in mine]
        return self

    def __exit__(self, *_error: object) -> None:
        with writer_lock(self._settings), transaction(self._connection):
            ledger.give_back(self._connection, self._worker)


class _Intake:
    """Receives deliveries one after the other on one connection."""

    def __init__(self, settings: Settings, connection: duckdb.DuckDBPyConnection, reader: Reader) -> None:
        self._settings, self._connection, self._reader = settings, connection, reader
        self._validator: Validator | None = None
        self.worker = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"

    def receive(self, landed: LandedDelivery) -> ReceiptOutcome:
        """Take one delivery through all stages to its terminal outcome."""
        delivery = DeliveryRecord(landed, received_at=ledger.now())
        try:
            state, code, reason = self._examine(delivery)
        except (DeliveryError, StagingError, ArchiveError) as error:
            state, code, reason = "rejected", getattr(error, "code", "WRONG_CONTENT"), str(error)
        try:
            return self._conclude(delivery, state, code, reason)
        except _OvertakenError:
            return self.receive(landed)  # now with what the other process loaded in sight

    def _examine(self, delivery: DeliveryRecord) -> tuple[str, str | None, str | None]:
        """State, reason code and reason of a delivery that can be read."""
        manifest = delivery.manifest = read_manifest(delivery.landed)
        _refuse_unnamed_files(delivery.landed.folder, manifest)
        self._archive(delivery, manifest)
        if ledger.was_accepted(self._connection, manifest.delivery_id):
            found = ledger.rows_found_before(self._connection, manifest.delivery_id)
            for file in delivery.files:
                file.rows_before = found.get(file.file_id, 0)
            return "duplicate", "SAME_DELIVERY", "the same bytes for the same periods were delivered before"
        self._compare_with_known(delivery, manifest.supplier)
        if ledger.without_zone(manifest.sent_at).date() > self._settings.as_of + timedelta(days=1):
            reason = f"it says that it was sent on {manifest.sent_at:%Y-%m-%d}, after {self._settings.as_of}"
            delivery.hold_reasons.append(("SENT_IN_FUTURE", reason))  # it would stay the latest for good
        if ledger.holds_other_nature(self._connection, is_synthetic=manifest.is_synthetic):
            delivery.hold_reasons.append(("MIXES_SYNTHETIC", _MIXED[manifest.is_synthetic]))
        if all(file.is_duplicate for file in delivery.files) and not delivery.hold_reasons:
            return "duplicate", "SAME_FILES", "every file was delivered before for the same period"
        self._stage(delivery)
        self._validate(delivery)
        if delivery.hold_reasons:
            code, _ = delivery.hold_reasons[0]
            return "held", code, "; ".join(reason for _, reason in delivery.hold_reasons)
        return "accepted", None, None

    def _archive(self, delivery: DeliveryRecord, manifest: Manifest) -> None:
        staging = self._settings.lake / "staged" / delivery.landed.hand_over_id
        # Sorted by what identifies the delivery, so that a repeated hand-over numbers its files alike.
        entries = sorted(manifest.files, key=lambda entry: (entry.kind, entry.period, entry.sha256))
        for file_id, entry in enumerate(entries, start=1):
            started = ledger.now()
            try:
                path = store(self._settings, delivery.landed.folder / entry.name, entry.sha256)
            except ArchiveError as error:
                raise DeliveryError("WRONG_CONTENT", f"file {entry.name}: {error}") from error
            contract = all_contracts()[entry.kind]
            period = Period.parse(entry.period)
            file = FileRecord(file_id, entry, contract, period, path, staging / f"{file_id}.parquet")
            delivery.files.append(file)
            delivery.note(file, "archived", started)

    def _compare_with_known(self, delivery: DeliveryRecord, supplier: str) -> None:
        """Find files that were loaded before, and what contradicts the manifest's periods."""
        known = ledger.known_files(self._connection, supplier, {file.entry.sha256 for file in delivery.files})
        seen: dict[tuple[str, str], Period] = {}
        for file in delivery.files:
            same_bytes = [
                entry for entry in known if (entry.kind, entry.sha256) == (file.contract.kind, file.entry.sha256)
            ]
            same_period = [entry for entry in same_bytes if entry.period == file.period]
            if same_period:
                file.rows_before = same_period[0].rows_found
            other = [entry.period for entry in same_bytes if entry.period != file.period]
            earlier = seen.setdefault((file.contract.kind, file.entry.sha256), file.period)
            if earlier != file.period:
                other.append(earlier)
            if other:
                delivery.hold_reasons.append(
                    (
                        "SAME_BYTES_OTHER_PERIOD",
                        f"file {file.entry.name} for {file.period} has the same bytes as one for {other[0]}",
                    )
                )
            delivery.hold_reasons.extend(self._contradictions(file))

    def _contradictions(self, file: FileRecord) -> Iterable[tuple[str, str]]:
        stated = stated_period(file.contract, file.entry.name)
        if stated is not None and stated != file.period:
            yield "PERIOD_CONTRADICTS_NAME", f"file {file.entry.name} names {stated}, the manifest says {file.period}"
        if file.period.start > self._settings.as_of:
            yield "PERIOD_IN_FUTURE", f"file {file.entry.name} is for {file.period}, after {self._settings.as_of}"

    def _stage(self, delivery: DeliveryRecord) -> None:
        for file in delivery.files:
            if file.is_duplicate:
                continue
            started = ledger.now()
            try:
                file.staged = self._reader.stage(
                    file.archived, file.staged_path, file.contract, file.file_id, file.period
                )
            except StagingError as error:
                delivery.note(file, "staged", started, status="failed", code=error.code)
                raise StagingError(error.code, f"file {file.entry.name}: {error}") from error
            delivery.note(file, "staged", started)

    def _validate(self, delivery: DeliveryRecord) -> None:
        loading.forget_quarantine(self._connection)
        for kind in sorted({file.contract.kind for file in delivery.files if file.staged}):
            files = [file for file in delivery.files if file.contract.kind == kind and file.staged]
            started = ledger.now()
            self._validate_kind(delivery, files)
            for file in files:
                delivery.note(file, "validated", started)

    def _validate_kind(self, delivery: DeliveryRecord, files: list[FileRecord]) -> None:
        from expectations.validation import (
            BATCH,
            FAILED,
            ValidationError,
            Validator,
        )  # takes seconds: not while a DAG file is parsed

        if self._validator is None:
            self._validator = Validator(self._connection)
        contract = files[0].contract
        loading.stage_batch(self._connection, BATCH, [file.staged_path for file in files])
        try:
            validation = self._validator.validate(contract.kind, {file.file_id: file.entry.rows for file in files})
        except ValidationError as error:  # unknown is an error: nothing is loaded that was not tested
            delivery.hold_reasons.append(("RULE_NOT_RUN", str(error)))
            return
        quarantined = loading.quarantine_failed(self._connection, contract, FAILED)
        for file in files:
            file.rows_quarantined = quarantined.get(file.file_id, 0)
        delivery.validations.append(validation)
        delivery.failed_rows |= loading.failed_rows(self._connection, FAILED, SHOWN_ROWS)
        for result in validation.results:
            if result.has_failed and result.rule.severity == "delivery":
                delivery.hold_reasons.append(
                    (result.rule.rule_id, f"rule {result.rule.rule_id} failed: {result.rule.description}")
                )
        self._connection.execute(f"drop table {BATCH}")

    def _conclude(self, delivery: DeliveryRecord, state: str, code: str | None, reason: str | None) -> ReceiptOutcome:
        """Write the report, then commit rows and ledger at once, then empty the landing folder."""
        row = ledger.DeliveryRow(
            hand_over_id=delivery.landed.hand_over_id,
            delivery_id=delivery.delivery_id,
            supplier=delivery.landed.supplier,
            delivery_name=delivery.landed.name,
            sent_at=ledger.without_zone(delivery.manifest.sent_at) if delivery.manifest else None,
            received_at=delivery.received_at,
            finished_at=ledger.now(),
            state=state,
            reason_code=code,
            reason=reason,
            is_synthetic=bool(delivery.manifest and delivery.manifest.is_synthetic),
            code_version=code_version(),
        )
        files = [file_row(delivery, file, state) for file in delivery.files]
        report = write_report(self._report_folder(delivery.landed), report_of(delivery, row, files))
        keep(self._settings, delivery.landed.folder)  # also what could not be received: nothing is lost
        self._commit(delivery, row, files)
        remove([delivery.landed.folder])
        shutil.rmtree(self._settings.lake / "staged" / delivery.landed.hand_over_id, ignore_errors=True)
        return ReceiptOutcome(
            hand_over_id=row.hand_over_id,
            delivery_id=row.delivery_id,
            supplier=row.supplier,
            delivery_name=row.delivery_name,
            state=state,
            reason=reason,
            rows_loaded=sum(file.rows_loaded for file in files),
            rows_quarantined=sum(file.rows_quarantined for file in files),
            report=report,
        )

    def _commit(self, delivery: DeliveryRecord, row: ledger.DeliveryRow, files: list[ledger.FileRow]) -> None:
        started = ledger.now()
        with writer_lock(self._settings), transaction(self._connection):
            ledger.close_claim(self._connection, row.hand_over_id, self.worker)
            row = replace(row, finished_at=ledger.now())
            if row.state == "accepted" and row.delivery_id:
                self._check_not_overtaken(delivery, row)
                for kind in sorted({file.contract.kind for file in delivery.files if file.staged}):
                    staged = [file.staged_path for file in delivery.files if file.contract.kind == kind and file.staged]
                    loading.load(self._connection, all_contracts()[kind], row.delivery_id, staged)
                loading.record_quarantine(self._connection, row.delivery_id)
                for file in delivery.files:
                    delivery.note(file, "loaded", started)
            ledger.insert_deliveries(self._connection, [row])
            ledger.insert_files(self._connection, files)
            ledger.insert_rules(self._connection, rule_rows(delivery))
            ledger.insert_stages(self._connection, delivery.stages)

    def _check_not_overtaken(self, delivery: DeliveryRecord, row: ledger.DeliveryRow) -> None:
        """Ask again, as the only writer, what was asked before reading: another process may have loaded the same."""
        hashes = {file.entry.sha256 for file in delivery.files if file.staged}
        known = ledger.known_files(self._connection, row.supplier, hashes)
        if known or ledger.holds_other_nature(self._connection, is_synthetic=row.is_synthetic):
            raise _OvertakenError

    def _report_folder(self, landed: LandedDelivery) -> Path:
        return self._settings.reports / (slug(landed.supplier) or "unknown") / landed.hand_over_id


def _has_ended(worker: str) -> bool:
    """Whether a worker of this machine is gone; of another machine we cannot know, and its lease must run out."""
    host, _, pid = worker.rpartition(":")[0].rpartition(":")
    return host == socket.gethostname() and not psutil.pid_exists(int(pid))


def _refuse_unnamed_files(folder: Path, manifest: Manifest) -> None:
    named = {entry.name for entry in manifest.files} | {MANIFEST}
    unnamed = [path for path in folder.iterdir() if path.name not in named]
    if unnamed:
        raise DeliveryError("UNNAMED_FILE", f"the folder holds {len(unnamed)} files that {MANIFEST} does not name")

"""Intake: from waiting deliveries to loaded rows, or to reasons why not.

Belongs here: the order of the steps, groups, claims, and the commit. Does not belong here: what a manifest and the
ledger decide before a row is read (``warehouse.admission``), how a file is read (``extracts``), how rules run
(``expectations``), which tables there are (``warehouse.schema``).

Importing this module is cheap; Great Expectations is imported when the first rows are validated.
"""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from expectations.report import write_index, write_report
from extracts.contract import all_contracts
from extracts.delivery import DeliveryError, half_removed, waiting
from extracts.period import Period
from extracts.reader import FileToRead, Readers
from extracts.staging_jobs import OUR_FAULTS, StagingError
from warehouse import decision_ledger, decisions, journal, ledger, loading
from warehouse.admission import Known, admit, same_bytes
from warehouse.archive import ArchiveError
from warehouse.arrival import Landed
from warehouse.claims import Claims, close_claims, new_worker
from warehouse.keys import KeysError, read_keys
from warehouse.lake import attached, reading, transaction, writer_lock
from warehouse.record import Conclusion, DeliveryRecord, FileRecord, ReceiptOutcome, rule_rows
from warehouse.schema import prepare_home
from warehouse.supply import supply_of, write_supply_page
from warehouse.vault import VaultError, check_vault, remember

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    import duckdb

    from expectations.validation import Validator
    from rasso.settings import Settings
    from warehouse.arrival import Arrival
    from warehouse.keys import Keys

log = logging.getLogger(__name__)

SHOWN_ROWS = 1000  # row numbers per rule in a supplier's feedback file
GROUP_BYTES = 64 << 20  # of deliveries that are received together: some 600,000 rows of a case extract


class _NotTogetherError(Exception):
    """Deliveries whose verdicts depend on one another, or on what another process loaded while this one was reading."""


class IntakeError(Exception):
    """Deliveries that could not be received through a fault of ours; they stay where they are."""


def waiting_batches(settings: Settings) -> list[list[str]]:
    """Hand-over ids of what waits, in batches that one process receives.

    It waits in the landing folder, or was released, or is to be received again.
    """
    prepare_home(settings)
    decisions.take_up(settings)
    arrivals = [Landed.of(landed) for landed in waiting(settings.landing)]
    leaving = [Landed.of(landed) for landed in half_removed(settings.landing)]
    with reading(settings) as connection:
        staged = [path.name for path in (settings.lake / "staged").glob("*")]
        done = ledger.finished(connection, [*(arrival.hand_over_id for arrival in arrivals + leaving), *staged])
        wanted_again = list(decision_ledger.open_receipts(connection))
    # What is recorded already was received by a process that ended before it tidied up.
    for hand_over_id in done.intersection(staged):
        shutil.rmtree(settings.lake / "staged" / hand_over_id, ignore_errors=True)
    for arrival in leaving:
        if arrival.hand_over_id in done:
            arrival.remove()
    for arrival in arrivals:
        if arrival.hand_over_id in done:
            with _without_names():
                arrival.keep(settings, read_keys(settings), {})
            arrival.remove()
    ids = [arrival.hand_over_id for arrival in arrivals if arrival.hand_over_id not in done] + wanted_again
    return in_batches(settings, ids)


def in_batches(settings: Settings, ids: Sequence[str]) -> list[list[str]]:
    """Hand-overs that one process receives, before the lease of its claims runs out."""
    size = settings.receive_batch
    return [list(ids[start : start + size]) for start in range(0, len(ids), size)]


def receive_deliveries(
    settings: Settings,
    hand_over_ids: Iterable[str],
    on_outcome: Callable[[ReceiptOutcome], None] | None = None,
) -> list[ReceiptOutcome]:
    """Receive each of these deliveries that nobody else has claimed.

    Raises:
        KeysError: there is no key, or it may not be used.
        VaultError: the vault is missing or cannot be opened. After either, what was not received yet stays where it is.
        IntakeError: some could not be received through a fault of ours; all others were.
    """
    wanted = set(hand_over_ids)
    landed = [Landed.of(landed) for landed in waiting(settings.landing)]
    arrivals: list[Arrival] = [arrival for arrival in landed if arrival.hand_over_id in wanted]
    if wanted - {arrival.hand_over_id for arrival in arrivals}:
        arrivals += decisions.to_receive(settings, wanted)
    return receive_arrivals(settings, arrivals, on_outcome)


def receive_arrivals(
    settings: Settings,
    arrivals: Sequence[Arrival],
    on_outcome: Callable[[ReceiptOutcome], None] | None = None,
    *,
    together: Callable[[Settings, Sequence[Arrival]], list[list[Arrival]]] | None = None,
) -> list[ReceiptOutcome]:
    """Receive each of these that nobody else has claimed; errors as ``receive_deliveries``.

    ``together`` says which are received together, ``in_groups`` unless given.
    """
    if not arrivals:
        return []
    keys = read_keys(settings)
    check_vault(settings, keys)
    outcomes: list[ReceiptOutcome] = []
    with ExitStack() as stack:
        reading_keys = keys.for_staging()
        with _without_names():
            sizes = [size for arrival in arrivals for size in arrival.file_sizes(settings)]
        readers = stack.enter_context(Readers(settings, reading_keys, sizes))
        connection = stack.enter_context(attached(settings))
        intake = _Intake(settings, keys, connection, readers, reading_keys.hand_over)
        held = stack.enter_context(Claims(settings, connection, intake.worker, arrivals)).held
        with _without_names():
            groups = (together or in_groups)(settings, held)
        try:
            for group in groups:
                for outcome in intake.receive(group):
                    outcomes.append(outcome)
                    if on_outcome:
                        on_outcome(outcome)
        finally:
            write_supply_page(settings, supply_of(connection, settings.as_of))
            write_index(settings.reports, ledger.report_index(connection))
    if intake.faults:
        faults = ", ".join(intake.faults)
        raise IntakeError(f"could not receive {faults}; they stay where they are and are tried again")
    return outcomes


def in_groups(settings: Settings, arrivals: Sequence[Arrival]) -> list[list[Arrival]]:
    """Deliveries that are received together, in the order in which each supplier's own were given.

    What a run of rules and a commit cost before they touch a row is more than a month of one supplier's rows costs. A
    group holds one delivery of a supplier at most, because what the earlier one loads decides about the later.
    """
    rounds: dict[int, list[Arrival]] = {}
    seen: Counter[str] = Counter()
    for arrival in arrivals:
        rounds.setdefault(seen[arrival.supplier], []).append(arrival)
        seen[arrival.supplier] += 1
    groups: list[list[Arrival]] = []
    for together in rounds.values():
        size = GROUP_BYTES
        for arrival in together:
            own_size = arrival.byte_count(settings)
            if size + own_size > GROUP_BYTES:
                groups.append([])
                size = 0
            groups[-1].append(arrival)
            size += own_size
    return groups


class _Intake:
    """Receives groups of deliveries, one after the other, on one connection."""

    def __init__(
        self,
        settings: Settings,
        keys: Keys,
        connection: duckdb.DuckDBPyConnection,
        readers: Readers,
        hand_over_key: bytes,
    ) -> None:
        self._settings, self._keys, self._connection, self._readers = settings, keys, connection, readers
        self._hand_over_key = hand_over_key
        self._validator: Validator | None = None
        self.worker = new_worker()
        self.faults: list[str] = []

    def receive(self, group: Sequence[Arrival]) -> list[ReceiptOutcome]:
        """Take deliveries through all stages to their terminal outcomes; a fault of ours in one stops no other."""
        try:
            return self._receive_together(group)
        except _NotTogetherError:
            if len(group) == 1:
                return self.receive(group)  # now with what the other process loaded in sight
        except (KeysError, VaultError):
            raise  # every other delivery would be read in vain, too; what is to be done stands in the error
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not stop the others
            if len(group) == 1:
                # Of most errors the kind only: their text may quote what was being read.
                why = str(error) if isinstance(error, ArchiveError) else type(error).__name__
                log.error("delivery %s could not be received: %s", group[0].hand_over_id, why)  # noqa: TRY400
                self.faults.append(f"{group[0].supplier}/{group[0].name} ({why})")
                return []
        return [outcome for arrival in group for outcome in self.receive([arrival])]

    def _receive_together(self, group: Sequence[Arrival]) -> list[ReceiptOutcome]:
        deliveries = [DeliveryRecord(arrival, received_at=ledger.now()) for arrival in group]
        for delivery in deliveries:
            with delivery.rejecting():
                delivery.manifest = delivery.arrival.manifest(self._settings, self._keys)
        if len({delivery.manifest.is_synthetic for delivery in deliveries if delivery.manifest}) > 1:
            raise _NotTogetherError  # the first of them to be accepted decides about the others
        known = Known.of(self._connection, deliveries, self._settings.as_of)
        for delivery in deliveries:
            with delivery.rejecting():
                self._archive(delivery)
                admit(delivery, known, self._settings.as_of, is_development=self._keys.is_development)
        self._stage(deliveries)
        self._validate(deliveries, known)
        for delivery in deliveries:
            delivery.judge()
        return self._conclude(deliveries, known)

    def _archive(self, delivery: DeliveryRecord) -> None:
        staging = self._settings.lake / "staged" / delivery.arrival.hand_over_id
        if delivery.manifest is None:
            return
        # Sorted by what identifies the delivery, so that a repeated hand-over numbers its files alike.
        entries = sorted(delivery.manifest.files, key=lambda entry: (entry.kind, entry.period, entry.sha256))
        for file_id, entry in enumerate(entries, start=1):
            started = ledger.now()
            try:
                archived = delivery.arrival.store(self._settings, self._keys, entry)
            except ArchiveError as error:
                raise DeliveryError("WRONG_CONTENT", f"file {entry.name}: {error}") from error
            contract = all_contracts()[entry.kind]
            file = FileRecord(
                file_id, entry, contract, Period.parse(entry.period), archived, staging / f"{file_id}.parquet"
            )
            delivery.files.append(file)
            delivery.note(file, "archived", started)

    def _stage(self, deliveries: Sequence[DeliveryRecord]) -> None:
        """Read the files of all deliveries, several at a time; number them across the group."""
        numbered = enumerate(deliveries, start=1)
        to_read = [(number, delivery, file) for number, delivery in numbered for file in delivery.files_to_read]
        files = [(delivery, file) for _, delivery, file in to_read]
        started = ledger.now()
        for batch_id, (number, delivery, file) in enumerate(to_read, start=1):
            file.batch_id = batch_id
            path, supplier = file.archived.path, delivery.arrival.supplier
            reading = FileToRead(
                path, file.staged_path, file.contract, batch_id, file.period, supplier, delivery_number=number
            )
            file.staging = self._readers.stage(reading)
        if files and self._validator is None:
            self._validator = self._new_validator()  # takes seconds, while the readers read
        for delivery, file in files:
            with delivery.rejecting():
                self._await(delivery, file, started)

    def _new_validator(self) -> Validator:
        from expectations.validation import Validator  # not while a DAG file is parsed

        return Validator(self._connection)

    def _await(self, delivery: DeliveryRecord, file: FileRecord, started: datetime) -> None:
        assert file.staging is not None
        try:
            file.staged = file.staging.result()
        except StagingError as error:
            if error.code in OUR_FAULTS:  # no fault of the supplier's, who must not be told to send it again
                raise ArchiveError(f"{error} ({file.entry.sha256})") from None
            delivery.note(file, "staged", started, status="failed", code=error.code)
            raise StagingError(error.code, f"file {file.entry.name}: {error}") from error
        delivery.note(file, "staged", started)

    def _validate(self, deliveries: Sequence[DeliveryRecord], known: Known) -> None:
        files = [(delivery, file) for delivery in deliveries if delivery.is_open for file in delivery.staged_files]
        loading.begin_group(self._connection, files)
        for kind in sorted({file.contract.kind for _, file in files}):
            started = ledger.now()
            of_kind = [(delivery, file) for delivery, file in files if file.contract.kind == kind]
            self._validate_kind(kind, of_kind, files, known)
            for delivery, file in of_kind:
                delivery.note(file, "validated", started)

    def _validate_kind(
        self,
        kind: str,
        files: Sequence[tuple[DeliveryRecord, FileRecord]],
        group: Sequence[tuple[DeliveryRecord, FileRecord]],
        known: Known,
    ) -> None:
        from expectations.suite import known as known_relation
        from expectations.validation import BATCH, FAILED, ValidationError

        assert self._validator is not None
        contract = all_contracts()[kind]
        loading.stage_batch(self._connection, BATCH, [file.staged_path for _, file in files])
        for other in contract.referenced_kinds:
            staged = [file.staged_path for _, file in group if file.contract.kind == other]
            referred_to = all_contracts()[other]
            scope = contract.scope_shared_with(referred_to)
            meant = (scope, BATCH) if scope else None
            loading.make_known(self._connection, known_relation(other), referred_to, staged, meant)
        by_delivery: dict[str, tuple[DeliveryRecord, list[FileRecord]]] = {}
        for delivery, file in files:
            by_delivery.setdefault(delivery.arrival.hand_over_id, (delivery, []))[1].append(file)
        try:
            tested = {file.batch_id: known.tested_file(delivery, file) for delivery, file in files}
            run = self._validator.validate(kind, tested)
        except ValidationError as error:  # unknown is an error: nothing is loaded that was not tested
            for delivery, _ in by_delivery.values():
                delivery.hold_reasons.append(("RULE_NOT_RUN", str(error)))
            return
        quarantined = loading.quarantine_failed(self._connection, contract, FAILED)
        failed_rows = loading.failed_rows(self._connection, FAILED, SHOWN_ROWS)
        for hand_over_id, (delivery, own) in by_delivery.items():
            for file in own:
                file.rows_quarantined = quarantined.get(file.batch_id, 0)
            delivery.failed_rows |= failed_rows.get(hand_over_id, {})
            delivery.take_validation(run.of(file.batch_id for file in own))
        self._connection.execute(f"drop table {BATCH}")

    def _conclude(self, deliveries: Sequence[DeliveryRecord], known: Known) -> list[ReceiptOutcome]:
        """Write the reports, then the vault, then rows and ledger at once, then empty the landing folder."""
        concluded = [Conclusion.of(delivery, self._settings.reports) for delivery in deliveries]
        for conclusion in concluded:
            write_report(conclusion.report_folder, conclusion.report())
        concluded_at = ledger.now()
        for delivery in deliveries:  # also what could not be received: nothing is lost
            self._keep(delivery, concluded_at)
        accepted = [conclusion for conclusion in concluded if conclusion.row.state == "accepted"]
        references = [file.staged.references for c in accepted for file in c.delivery.staged_files if file.staged]
        kept = remember(self._settings, self._keys, [Path(path) for path in references if path], self._hand_over_key)
        self._commit(concluded, accepted, kept, known)
        for delivery in deliveries:
            delivery.arrival.remove()
            shutil.rmtree(self._settings.lake / "staged" / delivery.arrival.hand_over_id, ignore_errors=True)
        return [conclusion.outcome() for conclusion in concluded]

    def _keep(self, delivery: DeliveryRecord, concluded_at: datetime) -> None:
        """Archive the rest of the folder and note the receipt in the journal."""
        arrival = delivery.arrival
        stored = {file.entry.name: file.entry.sha256 for file in delivery.files}
        files = arrival.keep(self._settings, self._keys, stored)
        if not arrival.is_in_journal:
            entry = journal.HandOver(
                hand_over_id=arrival.hand_over_id,
                supplier=arrival.supplier,
                delivery_name=arrival.name,
                folders=arrival.folders,
                files=files,
                as_of=self._settings.as_of,
                concluded_at=concluded_at,
                no_files=arrival.no_files,
                release_of=arrival.decision.hand_over_id if arrival.decision else None,
                reprocess_of=arrival.reprocess_of,
                waivers=tuple(waiver.waiver_id for waiver in delivery.let_in_by),
            )
            journal.record(self._settings, self._keys, entry)

    def _commit(
        self,
        concluded: Sequence[Conclusion],
        accepted: Sequence[Conclusion],
        kept: Sequence[ledger.ProcessingRow],
        known: Known,
    ) -> None:
        started = ledger.now()
        with writer_lock(self._settings), transaction(self._connection):
            close_claims(self._connection, [conclusion.row.hand_over_id for conclusion in concluded], self.worker)
            self._check_not_overtaken(accepted, known)
            self._take_out(accepted, known)
            files = [file for conclusion in accepted for file in conclusion.delivery.staged_files]
            for kind in sorted({file.contract.kind for file in files}):
                staged = [file.staged_path for file in files if file.contract.kind == kind]
                loading.load(self._connection, all_contracts()[kind], staged)
            loading.record_quarantine(self._connection, [conclusion.row.hand_over_id for conclusion in accepted])
            for conclusion in accepted:
                for file in conclusion.delivery.files:
                    conclusion.delivery.note(file, "loaded", started)
            finished_at = ledger.now()
            rows = [replace(conclusion.row, finished_at=finished_at) for conclusion in concluded]
            ledger.insert_deliveries(self._connection, rows)
            ledger.insert_files(self._connection, [file for conclusion in concluded for file in conclusion.files])
            ledger.insert_rules(self._connection, [row for c in concluded for row in rule_rows(c.delivery)])
            ledger.insert_stages(self._connection, [row for c in concluded for row in c.delivery.stages])
            ledger.insert_processing(self._connection, kept)

    def _take_out(self, accepted: Sequence[Conclusion], known: Known) -> None:
        """Take out what deliveries that are received again loaded before; what was held then loaded nothing."""
        before: dict[str, list[str]] = {}
        for conclusion in accepted:
            delivery_id = conclusion.row.delivery_id
            if delivery_id in known.accepted and conclusion.row.reprocess_of is not None:
                assert delivery_id is not None  # its manifest was read
                for kind in {file.contract.kind for file in conclusion.delivery.files}:
                    before.setdefault(kind, []).append(delivery_id)
        loading.take_out(self._connection, before)

    def _check_not_overtaken(self, accepted: Sequence[Conclusion], known: Known) -> None:
        """Ask again, as the only writer, what was asked before reading: another process may have loaded the same.

        What was known then was looked at: a released delivery may have the bytes of another period.
        """
        hashes = {file.entry.sha256 for c in accepted for file in c.delivery.staged_files}
        now_loaded = ledger.loaded_files(self._connection, {conclusion.row.supplier for conclusion in accepted})
        since = set(same_bytes(now_loaded, hashes)) - set(known.files)
        loaded = {(file.supplier, file.kind, file.sha256) for file in since}
        own = {
            (c.row.supplier, file.contract.kind, file.entry.sha256)
            for c in accepted
            for file in c.delivery.staged_files
        }
        natures = ledger.accepted_natures(self._connection) | {conclusion.row.is_synthetic for conclusion in accepted}
        if loaded & own or len(natures) > 1:
            raise _NotTogetherError


@contextmanager
def _without_names() -> Iterator[None]:
    """Let no error of the file system name what lies in the landing folder: tracebacks are kept in logs."""
    try:
        yield
    except OSError as error:
        raise IntakeError(f"the landing folder cannot be read ({error.strerror or type(error).__name__})") from None

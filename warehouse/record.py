"""A delivery on its way: what is known of it so far, and what is written about it at the end.

Belongs here: the record that the stages fill, and its translation into ledger rows and a validation report. Does not
belong here: deciding anything (``warehouse.intake``).
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from expectations.report import FileReport, Report, RuleReport, page_of
from extracts.delivery import DeliveryError
from extracts.period import Period
from extracts.staging_jobs import StagingError
from warehouse import decision_ledger, ledger
from warehouse.version import code_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from concurrent.futures import Future
    from datetime import datetime
    from pathlib import Path

    from expectations.validation import Validation
    from extracts.contract import Contract
    from extracts.delivery import Manifest, ManifestFile
    from extracts.staging_jobs import StagedFile
    from warehouse.archive import Archived
    from warehouse.arrival import Arrival


RELEASED, WAIVED, REPROCESSED = "RELEASED", "WAIVED", "REPROCESSED"
# What no person's decision makes right: rows that were not tested, real beside made-up figures, real cases under a key
# for trials.
NEVER_RELEASED = frozenset({"RULE_NOT_RUN", "MIXES_SYNTHETIC", "DEVELOPMENT_KEY"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a delivery: a terminal state, and a code and words where it is not simply accepted."""

    state: str
    code: str | None
    reason: str | None


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


@dataclass(slots=True)
class DeliveryRecord:
    """A delivery on its way through the stages; open until it has a verdict."""

    arrival: Arrival
    received_at: datetime
    manifest: Manifest | None = None
    files: list[FileRecord] = field(default_factory=list)
    validations: list[Validation] = field(default_factory=list)
    failed_rows: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    hold_reasons: list[tuple[str, str]] = field(default_factory=list)
    stages: list[ledger.StageRow] = field(default_factory=list)
    waivers: Sequence[decision_ledger.WaiverRow] = ()  # that might let it in
    let_in_by: Sequence[decision_ledger.WaiverRow] = ()  # that did
    verdict: Verdict | None = None

    @property
    def delivery_id(self) -> str | None:
        """Identity of the delivery; None where its manifest could not be read."""
        return self.manifest.delivery_id if self.manifest else None

    @property
    def is_open(self) -> bool:
        """Whether nothing is decided yet."""
        return self.verdict is None

    @property
    def files_to_read(self) -> list[FileRecord]:
        """Files that are still to be read: none was loaded before."""
        return [file for file in self.files if not file.is_duplicate] if self.is_open else []

    @property
    def staged_files(self) -> list[FileRecord]:
        """Files that were read."""
        return [file for file in self.files if file.staged]

    def conclude(self, state: str, code: str | None = None, reason: str | None = None) -> None:
        """Decide; the first decision stands."""
        if self.verdict is None:
            self.verdict = Verdict(state, code, reason)

    @contextmanager
    def rejecting(self) -> Iterator[None]:
        """Reject the delivery where the body finds that it cannot be received; does nothing where it is decided."""
        try:
            yield
        except (DeliveryError, StagingError) as error:
            self.conclude("rejected", error.code, str(error))

    def take_validation(self, validation: Validation) -> None:
        """Take over what the rules found in the files of one kind."""
        self.validations.append(validation)
        for result in validation.results:
            if result.has_failed and result.rule.severity == "delivery":
                self.hold_reasons.append(
                    (result.rule.rule_id, f"rule {result.rule.rule_id} failed: {result.rule.description}")
                )

    def judge(self) -> None:
        """Decide what is still open: held where there is a reason to that nobody has decided about, else accepted."""
        if not self.is_open:
            return
        # What forbids a release comes first: by the first code a person is told that there is nothing to decide.
        self.hold_reasons.sort(key=lambda reason: reason[0] not in NEVER_RELEASED)
        reasons = _in_a_row(reason for _, reason in self.hold_reasons)
        decision = self.arrival.decision
        if decision is not None and not {code for code, _ in self.hold_reasons} & NEVER_RELEASED:
            words = [f"released by {decision.actor}: {decision.reason}"]
            words += [f"held before: {reasons}"] if reasons else []
            self.conclude("accepted", RELEASED, _in_a_row(words))
            return
        waivers = {waiver.rule_id: waiver for waiver in self.waivers}
        held_by = [code for code, _ in self.hold_reasons if code not in waivers or code in NEVER_RELEASED]
        if held_by:
            self.conclude("held", held_by[0], reasons)
            return
        self.let_in_by = [waivers[rule_id] for rule_id in sorted({code for code, _ in self.hold_reasons})]
        words = [
            f"rule {waiver.rule_id} is waived until {waiver.expires_on} by {waiver.actor}: {waiver.reason}"
            for waiver in self.let_in_by
        ]
        request = self.arrival.asked_for
        if request is not None:
            words.append(f"received again for {request.actor}: {request.reason}")
        code = WAIVED if self.let_in_by else REPROCESSED if request else None
        self.conclude("accepted", code, _in_a_row(words) or None)

    def note(
        self,
        file: FileRecord,
        stage: str,
        started: datetime,
        *,
        status: str = "done",
        code: str | None = None,
    ) -> None:
        """Note what a stage did to a file."""
        is_loading = stage == "loaded"
        loaded = None if file.staged is None else file.staged.row_count - file.rows_quarantined
        self.stages.append(
            ledger.StageRow(
                hand_over_id=self.arrival.hand_over_id,
                delivery_id=self.delivery_id,
                file_id=file.file_id,
                stage=stage,
                status=status,
                started_at=started,
                ended_at=ledger.now(),
                rows_in=file.rows_found,
                rows_loaded=(loaded or 0) if is_loading else None,
                rows_quarantined=file.rows_quarantined if stage in ("validated", "loaded") else None,
                rows_duplicate=(file.rows_before or 0) if is_loading else None,
                code_version=code_version(),
                contract_version=file.contract.version,
                message_code=code,
            )
        )


@dataclass(slots=True)
class FileRecord:
    """One file on its way."""

    file_id: int
    entry: ManifestFile
    contract: Contract
    period: Period
    archived: Archived
    staged_path: Path
    batch_id: int = 0  # its number in the group that is received together
    staging: Future[StagedFile] | None = None
    staged: StagedFile | None = None
    rows_before: int | None = None  # set where the same bytes for the same period were loaded before
    rows_quarantined: int = 0

    @property
    def is_duplicate(self) -> bool:
        """Whether its rows were loaded before."""
        return self.rows_before is not None

    @property
    def rows_found(self) -> int | None:
        """Rows in the file, where it was read now or before."""
        return self.staged.row_count if self.staged else self.rows_before


def _in_a_row(reasons: Iterable[str]) -> str:
    """Several reasons as one sentence; people end theirs with a full stop."""
    return "; ".join(reason.rstrip(".") for reason in reasons)


def file_row(delivery: DeliveryRecord, file: FileRecord, state: str) -> ledger.FileRow:
    """The ledger's row of one file, given what became of its delivery."""
    found = file.rows_found
    taken_in = (found or 0) if state in ("accepted", "duplicate") else 0
    duplicate = taken_in if file.is_duplicate else 0
    quarantined = file.rows_quarantined if state == "accepted" else 0
    return ledger.FileRow(
        hand_over_id=delivery.arrival.hand_over_id,
        delivery_id=delivery.delivery_id or "",
        file_id=file.file_id,
        file_name=file.entry.name,
        kind=file.contract.kind,
        period_start=file.period.start,
        period_end=file.period.end,
        sha256=file.entry.sha256,
        byte_count=file.archived.byte_count,
        rows_declared=file.entry.rows,
        rows_found=found,
        rows_in=taken_in,
        rows_loaded=taken_in - duplicate - quarantined,
        rows_quarantined=quarantined,
        rows_duplicate=duplicate,
        contract_version=file.contract.version,
    )


@dataclass(frozen=True, slots=True)
class Conclusion:
    """A delivery with its verdict, as the ledger, the report and the caller see it."""

    delivery: DeliveryRecord
    row: ledger.DeliveryRow
    files: list[ledger.FileRow]
    report_folder: Path

    @classmethod
    def of(cls, delivery: DeliveryRecord, reports: Path) -> Self:
        """Write down what was decided."""
        verdict, arrival, manifest = delivery.verdict, delivery.arrival, delivery.manifest
        assert verdict is not None
        row = ledger.DeliveryRow(
            hand_over_id=arrival.hand_over_id,
            delivery_id=delivery.delivery_id,
            supplier=arrival.supplier,
            delivery_name=arrival.name,
            sent_at=ledger.without_zone(manifest.sent_at) if manifest else None,
            received_at=delivery.received_at,
            finished_at=ledger.now(),
            state=verdict.state,
            reason_code=verdict.code,
            reason=verdict.reason,
            is_synthetic=bool(manifest and manifest.is_synthetic),
            code_version=code_version(),
            reprocess_of=arrival.reprocess_of,
        )
        files = [file_row(delivery, file, verdict.state) for file in delivery.files]
        return cls(delivery, row, files, (reports / page_of(arrival.supplier, arrival.hand_over_id)).parent)

    def report(self) -> Report:
        """The validation report."""
        return report_of(self.delivery, self.row, self.files)

    def outcome(self) -> ReceiptOutcome:
        """What the caller is told."""
        return ReceiptOutcome(
            hand_over_id=self.row.hand_over_id,
            delivery_id=self.row.delivery_id,
            supplier=self.row.supplier,
            delivery_name=self.row.delivery_name,
            state=self.row.state,
            reason=self.row.reason,
            rows_loaded=sum(file.rows_loaded for file in self.files),
            rows_quarantined=sum(file.rows_quarantined for file in self.files),
            report=self.report_folder / "index.html",
        )


def rule_rows(delivery: DeliveryRecord) -> list[ledger.RuleRow]:
    """The ledger's rows of the rules that were run."""
    return [
        ledger.RuleRow(
            hand_over_id=delivery.arrival.hand_over_id,
            delivery_id=delivery.delivery_id or "",
            kind=validation.kind,
            rule_id=result.rule.rule_id,
            dimension=result.rule.dimension,
            severity=result.rule.severity,
            tested_count=result.tested_count,
            failed_count=result.failed_count,
        )
        for validation in delivery.validations
        for result in validation.results
    ]


def report_of(delivery: DeliveryRecord, row: ledger.DeliveryRow, files: list[ledger.FileRow]) -> Report:
    """The validation report of a delivery with its outcome."""
    staged = {file.file_id: file.staged for file in delivery.files}
    return Report(
        hand_over_id=row.hand_over_id,
        delivery_id=row.delivery_id,
        supplier=row.supplier,
        delivery_name=row.delivery_name,
        sent_at=row.sent_at,
        received_at=row.received_at,
        finished_at=row.finished_at,
        state=row.state,
        reason_code=row.reason_code,
        reason=row.reason,
        is_synthetic=row.is_synthetic,
        code_version=row.code_version,
        files=tuple(_file_report(file, staged[file.file_id]) for file in files),
        rules=tuple(_rule_reports(delivery)),
        evidence={validation.kind: validation.evidence for validation in delivery.validations},
    )


def _file_report(file: ledger.FileRow, staged: StagedFile | None) -> FileReport:
    return FileReport(
        file_id=file.file_id,
        file_name=file.file_name,
        kind=file.kind,
        period=str(Period(file.period_start, file.period_end)),
        sha256=file.sha256,
        byte_count=file.byte_count,
        contract_version=file.contract_version,
        rows_declared=file.rows_declared,
        rows_found=file.rows_found,
        rows_in=file.rows_in,
        rows_loaded=file.rows_loaded,
        rows_quarantined=file.rows_quarantined,
        rows_duplicate=file.rows_duplicate,
        undeclared_columns=staged.undeclared_columns if staged else (),
        drifted_columns=staged.drifted_columns if staged else (),
        repairs=staged.repairs if staged else (),
    )


def _rule_reports(delivery: DeliveryRecord) -> Iterable[RuleReport]:
    for validation in delivery.validations:
        for result in validation.results:
            rule = result.rule
            yield RuleReport(
                kind=validation.kind,
                rule_id=rule.rule_id,
                description=rule.description,
                rationale=rule.rationale,
                dimension=rule.dimension,
                severity=rule.severity,
                owner=rule.owner,
                since=rule.since,
                tested_count=result.tested_count,
                failed_count=result.failed_count,
                first_rows=tuple(delivery.failed_rows.get(rule.rule_id, ())),
            )

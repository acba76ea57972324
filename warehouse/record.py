"""A delivery on its way: what is known of it so far, and what is written about it at the end.

Belongs here: the record that the stages fill, and its translation into ledger rows and a validation report. Does not
belong here: deciding anything (``warehouse.intake``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from expectations.report import FileReport, Report, RuleReport
from extracts.period import Period
from warehouse import ledger
from warehouse.version import code_version

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from expectations.validation import Validation
    from extracts.contract import Contract
    from extracts.delivery import LandedDelivery, Manifest, ManifestFile
    from extracts.staging import StagedFile


@dataclass(slots=True)
class DeliveryRecord:
    """A delivery on its way through the stages."""

    landed: LandedDelivery
    received_at: datetime
    manifest: Manifest | None = None
    files: list[FileRecord] = field(default_factory=list)
    validations: list[Validation] = field(default_factory=list)
    failed_rows: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    hold_reasons: list[tuple[str, str]] = field(default_factory=list)
    stages: list[ledger.StageRow] = field(default_factory=list)

    @property
    def delivery_id(self) -> str | None:
        """Identity of the delivery; None where its manifest could not be read."""
        return self.manifest.delivery_id if self.manifest else None

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
                hand_over_id=self.landed.hand_over_id,
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
    archived: Path
    staged_path: Path
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


def file_row(delivery: DeliveryRecord, file: FileRecord, state: str) -> ledger.FileRow:
    """The ledger's row of one file, given what became of its delivery."""
    found = file.rows_found
    taken_in = (found or 0) if state in ("accepted", "duplicate") else 0
    duplicate = taken_in if file.is_duplicate else 0
    quarantined = file.rows_quarantined if state == "accepted" else 0
    return ledger.FileRow(
        hand_over_id=delivery.landed.hand_over_id,
        delivery_id=delivery.delivery_id or "",
        file_id=file.file_id,
        file_name=file.entry.name,
        kind=file.contract.kind,
        period_start=file.period.start,
        period_end=file.period.end,
        sha256=file.entry.sha256,
        byte_count=file.archived.stat().st_size,
        rows_declared=file.entry.rows,
        rows_found=found,
        rows_in=taken_in,
        rows_loaded=taken_in - duplicate - quarantined,
        rows_quarantined=quarantined,
        rows_duplicate=duplicate,
        contract_version=file.contract.version,
    )


def rule_rows(delivery: DeliveryRecord) -> list[ledger.RuleRow]:
    """The ledger's rows of the rules that were run."""
    return [
        ledger.RuleRow(
            hand_over_id=delivery.landed.hand_over_id,
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

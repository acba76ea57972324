"""Admission: what a manifest and the ledger decide about a delivery before a row is read.

Belongs here: duplicates, contradictions, dates in the future, figures of another nature, real cases under a key for
trials. Does not belong here: what rules find in the rows (``expectations``).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from extracts.delivery import stated_period
from warehouse import decision_ledger, ledger
from warehouse.lake import transaction

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import date

    import duckdb

    from expectations.validation import TestedFile
    from extracts.period import Period
    from warehouse.record import DeliveryRecord, FileRecord

LEAST_MONTHS = 6  # of accepted history, before a volume is called unusual
_MIXED = {
    True: "this home holds real figures; synthetic ones go into a home of their own (RASSO_HOME)",
    False: "this home holds synthetic figures; real ones go into a home of their own (RASSO_HOME)",
}
_DEVELOPMENT_KEY = (
    "the key of this home is a development key, and the delivery holds references of real cases; receive it in another "
    "home (RASSO_HOME), whose key is made with: rasso make-key"
)


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger knows that matters to a group of deliveries; asked once for all of them, at one snapshot."""

    accepted: Mapping[str, Mapping[int, int]]
    first_as: Mapping[str, frozenset[str]]
    files: Sequence[ledger.LoadedFile]
    natures: frozenset[bool]
    usual_rows: Mapping[tuple[str, str], float]
    waivers: Sequence[decision_ledger.WaiverRow]

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection, deliveries: Sequence[DeliveryRecord], as_of: date) -> Self:
        """Ask the ledger about these deliveries."""
        manifests = [delivery.manifest for delivery in deliveries if delivery.manifest]
        suppliers = {manifest.supplier for manifest in manifests}
        hashes = {file.sha256 for manifest in manifests for file in manifest.files}
        with transaction(connection):
            loaded = ledger.loaded_files(connection, suppliers)
            natures = frozenset(ledger.accepted_natures(connection))
            waivers = decision_ledger.waivers_on(connection, suppliers, as_of)
        accepted, first_as = _accepted(loaded, {manifest.delivery_id for manifest in manifests})
        files = same_bytes(loaded, hashes)
        return cls(accepted, first_as, files, natures, usual_rows_per_month(loaded, LEAST_MONTHS), waivers)

    def tested_file(self, delivery: DeliveryRecord, file: FileRecord) -> TestedFile:
        """What the rules may know of a file besides its rows."""
        from expectations.validation import TestedFile  # takes seconds: not while a DAG file is parsed

        return TestedFile(
            months=file.period.month_count,
            declared_rows=file.entry.rows,
            usual_rows_per_month=self.usual_rows.get((delivery.arrival.supplier, file.contract.kind)),
        )


def usual_rows_per_month(loaded: Iterable[ledger.LoadedFile], least_months: int) -> dict[tuple[str, str], float]:
    """Mean rows per month of what was loaded, by supplier and kind; only where there are enough months of it."""
    rows: Counter[tuple[str, str]] = Counter()
    months: Counter[tuple[str, str]] = Counter()
    for file in loaded:
        if file.has_rows_of_its_own:
            rows[file.supplier, file.kind] += file.rows_found
            months[file.supplier, file.kind] += file.period.month_count
    return {key: rows[key] / count for key, count in months.items() if count >= least_months}


def same_bytes(loaded: Iterable[ledger.LoadedFile], hashes: AbstractSet[str]) -> list[ledger.LoadedFile]:
    """Files with one of these contents, of which rows were loaded."""
    return [file for file in loaded if file.has_rows_of_its_own and file.sha256 in hashes]


def _accepted(
    loaded: Iterable[ledger.LoadedFile], delivery_ids: AbstractSet[str]
) -> tuple[dict[str, dict[int, int]], dict[str, frozenset[str]]]:
    """Of these deliveries that were loaded before: rows by file id, and the hand-overs by which they came first."""
    rows: dict[str, dict[int, int]] = {}
    first_as: dict[str, set[str]] = {}
    for file in loaded:
        if file.delivery_id in delivery_ids:
            files = rows.setdefault(file.delivery_id, {})
            files[file.file_id] = max(file.rows_found, files.get(file.file_id, 0))
            first_as.setdefault(file.delivery_id, set()).add(file.first_id)
    return rows, {delivery_id: frozenset(ids) for delivery_id, ids in first_as.items()}


def admit(delivery: DeliveryRecord, known: Known, as_of: date, *, is_development: bool) -> None:
    """Conclude a delivery that was loaded before; note reasons to hold one that contradicts itself or what is known.

    ``is_development``: the home's key is one for trials, and no case references of real people belong under it.
    """
    manifest = delivery.manifest
    if manifest is None or not delivery.is_open:
        return
    of_then = delivery.arrival.waivers
    known_waivers = [waiver for waiver in known.waivers if waiver.supplier == manifest.supplier]
    delivery.waivers = known_waivers if of_then is None else of_then
    # It replaces its own former rows; what the same bytes loaded by another hand-over stays, and it is a duplicate.
    is_again = delivery.arrival.reprocess_of in known.first_as.get(manifest.delivery_id, ())
    if manifest.delivery_id in known.accepted and not is_again:
        for file in delivery.files:
            file.rows_before = known.accepted[manifest.delivery_id].get(file.file_id, 0)
        delivery.conclude("duplicate", "SAME_DELIVERY", "the same bytes for the same periods were delivered before")
        return
    of_others = [
        file
        for file in known.files
        if file.supplier == manifest.supplier and not (is_again and file.delivery_id == manifest.delivery_id)
    ]
    _compare_with_known(delivery, of_others, as_of)
    if ledger.without_zone(manifest.sent_at).date() > as_of + timedelta(days=1):
        reason = f"it says that it was sent on {manifest.sent_at:%Y-%m-%d}, after {as_of}"
        delivery.hold_reasons.append(("SENT_IN_FUTURE", reason))  # it would stay the latest for good
    if (
        is_development
        and not manifest.is_synthetic
        and any(file.contract.holds_case_references for file in delivery.files)
    ):
        delivery.hold_reasons.append(("DEVELOPMENT_KEY", _DEVELOPMENT_KEY))
    if (not manifest.is_synthetic) in known.natures:
        delivery.hold_reasons.append(("MIXES_SYNTHETIC", _MIXED[manifest.is_synthetic]))
    if all(file.is_duplicate for file in delivery.files) and not delivery.hold_reasons:
        delivery.conclude("duplicate", "SAME_FILES", "every file was delivered before for the same period")


def _compare_with_known(delivery: DeliveryRecord, known: Sequence[ledger.LoadedFile], as_of: date) -> None:
    """Find files that were loaded before, and what contradicts the manifest's periods."""
    seen: dict[tuple[str, str], Period] = {}
    for file in delivery.files:
        identity = (file.contract.kind, file.entry.sha256)
        same_bytes = [entry for entry in known if (entry.kind, entry.sha256) == identity]
        same_period = [entry for entry in same_bytes if entry.period == file.period]
        if same_period:
            file.rows_before = same_period[0].rows_found
        other = [entry.period for entry in same_bytes if entry.period != file.period]
        earlier = seen.setdefault(identity, file.period)
        if earlier != file.period:
            other.append(earlier)
        if other:
            reason = f"file {file.entry.name} for {file.period} has the same bytes as one for {other[0]}"
            delivery.hold_reasons.append(("SAME_BYTES_OTHER_PERIOD", reason))
        delivery.hold_reasons.extend(_contradictions(file, as_of))


def _contradictions(file: FileRecord, as_of: date) -> Iterable[tuple[str, str]]:
    stated = stated_period(file.contract, file.entry.name)
    if stated is not None and stated != file.period:
        yield "PERIOD_CONTRADICTS_NAME", f"file {file.entry.name} names {stated}, the manifest says {file.period}"
    if file.period.start > as_of:
        yield "PERIOD_IN_FUTURE", f"file {file.entry.name} is for {file.period}, after {as_of}"

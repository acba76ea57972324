"""Revisions: what a later delivery says of what an earlier one had said, and how much of it is different.

Belongs here: comparing accepted deliveries with those before them, and the page that lists what was found. Nothing is
stored, and nothing is done while receiving. Does not belong here: which row or delivery is current (``transforms``).

Deliveries are compared with those of the same supplier and kind that were sent before, whenever they arrived. A case
extract holds what changed in its months, so a row is compared with the row of the same key that was sent last before
it. An aggregate extract holds whole periods, so it is compared with the delivery that spoke last before of the same
period, and a row can be gone. Only what the supplier sends is compared: a column that is derived may also differ
because a register of ours was mended.

Numbers of rows only, no values; but numbers of case-level rows are counts of cases. They are for ``reports/``, which
is not published.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from expectations.pages import write_page
from expectations.report import page_of, write_index
from extracts.contract import all_contracts
from extracts.period import Period
from extracts.sql import literal
from extracts.suppliers import all_suppliers
from warehouse import ledger
from warehouse.lake import ALIAS, ask, transaction

if TYPE_CHECKING:
    from datetime import datetime

    import duckdb

    from extracts.contract import Contract
    from rasso.settings import Settings

PAGE = "revisions.html"
_TEMPLATE = Path(__file__).with_name(PAGE)
SHOWN_REVISIONS = 500  # on the page; the command lists every one


@dataclass(frozen=True, slots=True)
class Revision:
    """What one delivery says again of a kind, in rows.

    ``period`` reaches from the first to the last month: of an aggregate extract those that were spoken of before, of a
    case extract those of the delivery. ``is_resupply``: months of it were sent before; else a case extract of later
    months has rows that earlier ones had. ``gone`` is None for a case extract: a row that is left out stays current.
    """

    supplier: str
    kind: str
    delivery_id: str
    delivery_name: str
    hand_over_id: str
    sent_at: datetime
    period: Period
    is_resupply: bool
    new: int
    changed: int
    same: int
    gone: int | None

    def as_json(self) -> dict[str, object]:
        """The same for machines."""
        return asdict(self) | {"sent_at": f"{self.sent_at.isoformat()}Z", "period": str(self.period)}


@dataclass(frozen=True, slots=True)
class Revisions:
    """Every revision in a home, what was sent last first."""

    revisions: tuple[Revision, ...]
    is_synthetic: bool


def list_revisions(settings: Settings) -> Revisions:
    """Write the page of revisions, and return them.

    Raises:
        LakeError: the catalogue cannot be reached at this moment.
    """
    is_first = not (settings.reports / PAGE).exists()
    found, index = ask(settings, lambda lake: (revisions_of(lake), ledger.report_index(lake) if is_first else None))
    write_revisions_page(settings, found)
    if index is not None:  # receiving writes it as well, and links the pages that are there
        write_index(settings.reports, index)
    return found


def revisions_of(connection: duckdb.DuckDBPyConnection) -> Revisions:
    """Compare what was accepted, on a connection to the lake; a kind whose contract has no key is left out."""
    with transaction(connection):  # one snapshot for all kinds
        found = [
            revision
            for contract in all_contracts().values()
            if contract.key
            for revision in _of_kind(connection, contract)
        ]
        is_synthetic = True in ledger.accepted_natures(connection)
    found.sort(key=lambda one: (one.sent_at, one.delivery_id, one.kind), reverse=True)
    return Revisions(tuple(found), is_synthetic)


def write_revisions_page(settings: Settings, found: Revisions) -> Path:
    """Write the page of revisions; returns its path."""
    listed = found.revisions[:SHOWN_REVISIONS]
    pages = {one.hand_over_id: page_of(one.supplier, one.hand_over_id) for one in listed}
    shown = {
        "found": found,
        "listed": listed,
        "names": {supplier: known.name for supplier, known in all_suppliers().items()},
        "pages": {hand_over_id: page for hand_over_id, page in pages.items() if (settings.reports / page).exists()},
    }
    return write_page(settings.reports / PAGE, _TEMPLATE, shown)


def _of_kind(connection: duckdb.DuckDBPyConnection, contract: Contract) -> list[Revision]:
    compared = _WHOLE_PERIODS if contract.holds_whole_periods else _CHANGED_ROWS
    names = {
        "kind": literal(contract.kind),
        "table": f"{ALIAS}.extracts.{contract.kind}",
        "ledger": f"{ALIAS}.ledger",
        "standing": ledger.STANDING,
        "again": ledger.SENT_AGAIN,
        "key": ", ".join((*contract.key, "period_end") if contract.holds_whole_periods else contract.key),
        "gone": "counted.gone" if contract.holds_whole_periods else "null",
        "sent": ", ".join(column.stored_as for column in contract.columns if column.derivation is None),
    }
    rows = connection.execute(f"{_SAID}{compared}{_COUNTED}".format_map(names)).fetchall()
    return [
        Revision(supplier, contract.kind, delivery_id, name, hand_over_id, sent_at, Period(start, end), *found)
        for supplier, delivery_id, name, hand_over_id, sent_at, start, end, *found in rows
    ]


# What each delivery says under each key. A delivery that was received again stands once. Where it has a key in several
# files, the file of the latest period speaks, as it does for what is current. A file whose bytes were loaded before
# brings no rows of its own; but the file that it repeats is said again, and last.
_SAID = """
with
deliveries as (
    select
        supplier, delivery_id, max(sent_at) as sent_at,
        arg_min(delivery_name, received_at) as delivery_name, arg_min(hand_over_id, received_at) as hand_over_id
    from {ledger}.delivery
    where state = 'accepted' and hand_over_id in {standing}
    group by supplier, delivery_id
),
files as (
    select
        deliveries.supplier, deliveries.delivery_id, file.file_id,
        greatest(max(deliveries.sent_at), max(again.said_at)) as sent_at,
        max(file.period_start) as file_start, max(file.period_end) as file_end
    from {ledger}.delivery_file as file
    inner join {ledger}.delivery as delivery on file.hand_over_id = delivery.hand_over_id
    inner join deliveries on delivery.delivery_id = deliveries.delivery_id
    left join (select delivery_id, file_id, max(sent_at) as said_at from {again} group by all) as again
        on file.delivery_id = again.delivery_id and file.file_id = again.file_id
    where delivery.state = 'accepted'
        and delivery.hand_over_id in {standing}
        and file.kind = {kind}
        and file.rows_in > file.rows_duplicate
    group by all
),
said as (
    select
        files.supplier, files.delivery_id, files.sent_at, {key},
        arg_max(loaded.content, (files.file_end, loaded.file_id, loaded.row_number)) as content
    from (select delivery_id, file_id, row_number, {key}, hash({sent}) as content from {table}) as loaded
    inner join files on loaded.delivery_id = files.delivery_id and loaded.file_id = files.file_id
    group by files.supplier, files.delivery_id, files.sent_at, {key}
),
"""

# A case extract: each row beside the one of the same key in the delivery before that has it.
_CHANGED_ROWS = """
compared as (
    select
        delivery_id, content as later,
        lag(content) over (partition by supplier, {key} order by sent_at, delivery_id) as earlier
    from said
),
spoken as (
    select
        files.delivery_id,
        min(files.file_start) as period_start, max(files.file_end) as period_end,
        bool_or(earlier.delivery_id is not null) as is_resupply
    from files
    left join files as earlier
        on files.supplier = earlier.supplier
        and files.file_start <= earlier.file_end and earlier.file_start <= files.file_end
        and earlier.delivery_id <> files.delivery_id
        and (earlier.sent_at, earlier.delivery_id) < (files.sent_at, files.delivery_id)
    group by files.delivery_id
),
"""

# An aggregate extract: all rows of a period beside all of the delivery that spoke last before of that period, also
# where one of the two has none. A period is spoken of by a file that covers all of it.
_WHOLE_PERIODS = """
periods as (select distinct supplier, period_start, period_end from said),
speakers as (
    select distinct files.supplier, files.delivery_id, files.sent_at, periods.period_start, periods.period_end
    from files
    inner join periods
        on files.supplier = periods.supplier
        and files.file_start <= periods.period_start and periods.period_end <= files.file_end
),
pairs as (
    select
        *,
        lag(delivery_id) over before as earlier_id,
        lag(sent_at) over before as earlier_sent_at
    from speakers
    window before as (partition by supplier, period_start order by sent_at, delivery_id)
),
sides as (
    select pairs.delivery_id as speaker_id, said.* exclude (content), content as later, null as earlier
    from said
    inner join pairs
        on said.delivery_id = pairs.delivery_id
        and said.sent_at = pairs.sent_at
        and said.period_start = pairs.period_start
    where pairs.earlier_id is not null
    union all
    select pairs.delivery_id as speaker_id, said.* exclude (content), null as later, content as earlier
    from said
    inner join pairs
        on said.delivery_id = pairs.earlier_id
        and said.sent_at = pairs.earlier_sent_at
        and said.period_start = pairs.period_start
),
compared as (
    select speaker_id as delivery_id, max(later) as later, max(earlier) as earlier
    from sides
    group by speaker_id, {key}
),
spoken as (
    select delivery_id, min(period_start) as period_start, max(period_end) as period_end, true as is_resupply
    from pairs
    where earlier_id is not null
    group by delivery_id
),
"""

_COUNTED = """
counted as (
    select
        delivery_id,
        count(*) filter (later is not null and earlier is null) as new,
        count(*) filter (later <> earlier) as changed,
        count(*) filter (later = earlier) as same,
        count(*) filter (later is null) as gone
    from compared
    group by delivery_id
),
last_said as (select delivery_id, max(sent_at) as sent_at from files group by delivery_id)
select
    deliveries.supplier, deliveries.delivery_id, deliveries.delivery_name, deliveries.hand_over_id, last_said.sent_at,
    spoken.period_start, spoken.period_end, spoken.is_resupply,
    counted.new, counted.changed, counted.same, {gone} as gone
from counted
inner join spoken on counted.delivery_id = spoken.delivery_id
inner join deliveries on counted.delivery_id = deliveries.delivery_id
inner join last_said on counted.delivery_id = last_said.delivery_id
where spoken.is_resupply or counted.changed + counted.same > 0
"""

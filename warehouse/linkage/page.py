"""The auditors' page of the linkage: ``reports/linkage.html``.

Belongs here: counts of the bridge as it stands and of the runs that made it. No token and no reference is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expectations.pages import write_page as write_report_page
from extracts.suppliers import all_suppliers
from warehouse.lake import ALIAS

if TYPE_CHECKING:
    import duckdb

    from rasso.settings import Settings

PAGE = "linkage.html"
_TEMPLATE = Path(__file__).with_name(PAGE)
_SHOWN_RUNS = 60


@dataclass(frozen=True, slots=True)
class Share:
    """How many of something are linked; ``name`` is a supplier, a method or a leg."""

    name: str
    linked: int
    total: int

    @property
    def pct(self) -> float | None:
        """Linked per 100; None where there is nothing."""
        return 100 * self.linked / self.total if self.total else None


def write_page(settings: Settings, connection: duckdb.DuckDBPyConnection) -> Path:
    """Write the page from the lake as it stands; returns its path."""
    runs = f"select * from {ALIAS}.linkage.link_run order by started_at desc limit {_SHOWN_RUNS}"
    shown = {
        "is_synthetic": _is_synthetic(connection),
        "methods": _methods(connection),
        "missing": _missing(connection),
        "forces": _forces(connection),
        "cases": _cases(connection),
        "crimes": _crimes(connection),
        "runs": _rows(connection, runs),
    }
    return write_report_page(settings.reports / PAGE, _TEMPLATE, shown)


def is_page_current(settings: Settings, run_id: str) -> bool:
    """Whether the page is there and shows a run."""
    path = settings.reports / PAGE
    return path.exists() and f"<code>{run_id}</code>" in path.read_text(encoding="utf-8")


def _is_synthetic(connection: duckdb.DuckDBPyConnection) -> bool:
    query = f"select 1 from {ALIAS}.ledger.delivery where state = 'accepted' and is_synthetic limit 1"
    return connection.execute(query).fetchone() is not None


def _methods(connection: duckdb.DuckDBPyConnection) -> list[Share]:
    """Referrals by the method of their link, of all referrals."""
    counts = dict(
        connection.execute(f"select method, count(*) from {ALIAS}.linkage.crime_case_link group by method").fetchall()
    )
    total = sum(counts.values()) + _number(connection, f"select count(*) from {ALIAS}.linkage.unlinked_referral")
    return [Share(method, counts.get(method, 0), total) for method in ("exact", "repaired", "probabilistic")]


def _missing(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Referrals without a link, by what was not found."""
    row = connection.execute(
        f"""
        select
            count(*) filter (urn_method is null and crime_method is not null),
            count(*) filter (urn_method is not null and crime_method is null),
            count(*) filter (urn_method is null and crime_method is null)
        from {ALIAS}.linkage.unlinked_referral
        """
    ).fetchone()
    assert row is not None  # an aggregate without groups has one row
    return dict(zip(("its case", "its crime", "neither case nor crime"), row, strict=True))


def _forces(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Referrals of each force by method."""
    names = {supplier.code: supplier.name for supplier in all_suppliers().values() if supplier.group == "force"}
    rows = _rows(
        connection,
        f"""
        select
            force_code,
            count(*) filter (method = 'exact') as exact,
            count(*) filter (method = 'repaired') as repaired,
            count(*) filter (method = 'probabilistic') as probabilistic,
            count(*) filter (method is null) as unlinked,
            count(*) as total,
        from (
            select force_code, method from {ALIAS}.linkage.crime_case_link
            union all
            select force_code, null from {ALIAS}.linkage.unlinked_referral
        )
        group by force_code
        order by force_code
        """,
    )
    return [
        row | {"name": names.get(row["force_code"], row["force_code"]), "linked": row["total"] - row["unlinked"]}
        for row in rows
    ]


def _cases(connection: duckdb.DuckDBPyConnection) -> list[Share]:
    """Cases that the CPS received, by Area: how many have a crime."""
    names = {supplier.code: supplier.name for supplier in all_suppliers().values() if supplier.group == "cps_area"}
    rows = connection.execute(
        f"""
        with
        cases as (select distinct cps_area_code, urn_token from {ALIAS}.extracts.cps_receipts),
        linked as (select distinct urn_token from {ALIAS}.linkage.crime_case_link)
        select cases.cps_area_code, count(linked.urn_token), count(*)
        from cases
        left join linked on cases.urn_token = linked.urn_token
        group by cases.cps_area_code
        order by length(cases.cps_area_code), cases.cps_area_code
        """
    ).fetchall()
    return [Share(names.get(code, code), linked, total) for code, linked, total in rows]


def _crimes(connection: duckdb.DuckDBPyConnection) -> Share:
    """Crimes that a referral names, as found or else as typed: how many have a case."""
    row = connection.execute(
        f"""
        with
        referred as (
            select crime_reference_token as token, true as is_linked from {ALIAS}.linkage.crime_case_link
            union all
            select coalesce(crime_reference_token, referral_crime_reference_token), false
            from {ALIAS}.linkage.unlinked_referral
        ),
        crimes as (select token, bool_or(is_linked) as is_linked from referred group by token)
        select count(*) filter (is_linked), count(*) from crimes
        """
    ).fetchone()
    assert row is not None  # an aggregate without groups has one row
    return Share("crimes", *row)


def _number(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None  # an aggregate without groups has one row
    return int(row[0])


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    cursor = connection.execute(query)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

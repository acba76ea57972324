"""The bridge between crimes and cases: what a run found, what it changes, and writing it in one transaction.

Belongs here: settling rivals for one receipt, putting both legs together, and the tables of the lake's schema
``linkage``. Nothing here reads an original: tokens, methods and probabilities only.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from warehouse.lake import ALIAS
from warehouse.linkage.exact import SAME_SUBMISSION
from warehouse.linkage.scope import KEY

if TYPE_CHECKING:
    from datetime import datetime

    import duckdb

_KEY = ", ".join(KEY)
# Rows of an earlier version of the tables have no suffix yet, and nothing is equal to null.
_STORED_KEY = _KEY.replace("referral_urn_suffix", "coalesce(referral_urn_suffix, '')")
_LINK = f"{_KEY}, crime_reference_token, urn_token, method, urn_method, crime_method, probability"
_UNLINKED = f"{_KEY}, crime_reference_token, urn_token, urn_method, crime_method"


@dataclass(frozen=True, slots=True)
class LinkRun:
    """One run, as ``linkage.link_run`` keeps it; the counts are of the referrals that it linked (again)."""

    run_id: str
    started_at: datetime
    ended_at: datetime
    lake_snapshot: int
    is_full: bool
    delivery_count: int
    referral_count: int
    exact_count: int
    repaired_count: int
    probabilistic_count: int
    unlinked_count: int
    threshold: float
    method_version: str
    splink_version: str
    code_version: str


def settle_rivals(connection: duckdb.DuckDBPyConnection) -> None:
    """Leave a receipt to one submission: a repair comes before a likely link, the likelier before the less likely.

    Referrals of one submission (several crimes, one day) share a receipt. Where the best two are equal, nobody has it.
    """
    connection.execute(
        f"""
        create or replace temp table outdone as
        with
        -- Materialised, or the optimiser pairs all suspects of one number first.
        legs as materialized (
            select referral.*, urn_leg.token, if(urn_leg.method = 'repaired', 2, urn_leg.probability) as rank
            from urn_leg
            inner join referral on urn_leg.referral_id = referral.referral_id
            where urn_leg.method in ('repaired', 'probabilistic')
        ),
        receipts as materialized (
            select candidate_receipt.*
            from candidate_receipt
            semi join legs on candidate_receipt.urn_token = legs.token
        ),
        wanted as (
            select
                receipt.urn_token,
                receipt.urn_suffix,
                receipt.suspect_number,
                receipt.receipt_type,
                receipt.received_date,
                referral.referral_id,
                referral.submitted_date,
                referral.rank,
            from legs as referral
            inner join receipts as receipt on referral.token = receipt.urn_token and {SAME_SUBMISSION}
        ),
        days as (
            select
                urn_token,
                urn_suffix,
                suspect_number,
                receipt_type,
                received_date,
                submitted_date,
                max(rank) as rank,
            from wanted
            group by all
        ),
        best as (
            select
                urn_token,
                urn_suffix,
                suspect_number,
                receipt_type,
                received_date,
                any_value(submitted_date) as submitted_date,
            from (
                from days
                qualify rank = max(rank) over (
                    partition by urn_token, urn_suffix, suspect_number, receipt_type, received_date
                )
            )
            group by all
            having count(*) = 1
        )
        select distinct wanted.referral_id
        from wanted
        anti join best using (urn_token, urn_suffix, suspect_number, receipt_type, received_date, submitted_date)
        """
    )
    connection.execute("delete from urn_leg where referral_id in (select referral_id from outdone)")


def put_together(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill ``outcome`` with both legs of each referral that is due; ``method`` is that of the weaker leg, or null."""
    connection.execute(
        f"""
        create or replace temp table outcome as
        select
            {", ".join(f"referral.{column}" for column in KEY)},
            crime_leg.token as crime_reference_token,
            urn_leg.token as urn_token,
            case
                when urn_leg.method is null or crime_leg.method is null then null
                when 'probabilistic' in (urn_leg.method, crime_leg.method) then 'probabilistic'
                when 'repaired' in (urn_leg.method, crime_leg.method) then 'repaired'
                else 'exact'
            end as method,
            urn_leg.method as urn_method,
            crime_leg.method as crime_method,
            case
                when urn_leg.probability is not null or crime_leg.probability is not null
                then round(coalesce(urn_leg.probability, 1) * coalesce(crime_leg.probability, 1), 6)
            end as probability,
        from referral
        left join urn_leg on referral.referral_id = urn_leg.referral_id
        left join crime_leg on referral.referral_id = crime_leg.referral_id
        where referral.is_due
        """
    )


def counts_by_method(connection: duckdb.DuckDBPyConnection) -> dict[str | None, int]:
    """How many referrals that are due were linked by each method; None stands for those without a link."""
    return dict(connection.execute("select method, count(*) from outcome group by method").fetchall())


def has_tables(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the lake has the tables of the linkage with their columns: one of earlier code has not."""
    query = """
        select 1 from duckdb_columns()
        where database_name = ? and schema_name = 'linkage' and table_name = 'unlinked_referral'
            and column_name = 'referral_urn_suffix'
    """
    return connection.execute(query, [ALIAS]).fetchone() is not None


def newest_run(connection: duckdb.DuckDBPyConnection) -> tuple[str, str, float] | None:
    """Id, version of the method and threshold of the newest run."""
    return connection.execute(
        f"select run_id, method_version, threshold from {ALIAS}.linkage.link_run order by started_at desc limit 1"
    ).fetchone()


def find_changes(connection: duckdb.DuckDBPyConnection, *, is_full: bool) -> None:
    """Fill ``changed`` with outcomes that are not in the lake yet, and ``stale`` with the keys of what is to go.

    What is withdrawn goes, and where all was linked anew, what is no longer found at all.
    """
    links = f"select {_LINK} from {ALIAS}.linkage.crime_case_link"
    unlinked = f"""
        select {_KEY}, crime_reference_token, urn_token, null, urn_method, crime_method, null
        from {ALIAS}.linkage.unlinked_referral
    """
    keys = f"select {_KEY} from outcome union all select {_KEY} from withdrawn_referral"
    concerned = "" if is_full else f"semi join ({keys}) as concerned using ({_KEY})"
    connection.execute(f"create or replace temp table stored as from ({links} union all {unlinked}) {concerned}")
    connection.execute(f"create or replace temp table changed as select {_LINK} from outcome except from stored")
    connection.execute(
        f"""
        create or replace temp table stale as
        select {_STORED_KEY} from (from stored except select {_LINK} from outcome)
        """
    )


def write(connection: duckdb.DuckDBPyConnection, run: LinkRun) -> None:
    """Write a run with its changes; runs in the caller's transaction."""
    if _has_rows(connection, "stale"):
        for table in ("crime_case_link", "unlinked_referral"):
            connection.execute(f"delete from {ALIAS}.linkage.{table} where ({_STORED_KEY}) in (from stale)")
    if run.is_full:
        connection.execute(f"delete from {ALIAS}.linkage.linked_delivery")
    for table, columns, condition in (
        ("crime_case_link", _LINK, "method is not null"),
        ("unlinked_referral", _UNLINKED, "method is null"),
    ):
        if _has_rows(connection, f"changed where {condition}"):
            connection.execute(
                f"""
                insert into {ALIAS}.linkage.{table} ({columns}, run_id)
                select {columns}, ? from changed where {condition}
                order by {_KEY}
                """,
                [run.run_id],
            )
    connection.execute(
        f"insert into {ALIAS}.linkage.linked_delivery select delivery_id, ? from new_delivery order by all",
        [run.run_id],
    )
    marks = ", ".join("?" * len(LinkRun.__slots__))
    connection.execute(
        f"insert into {ALIAS}.linkage.link_run ({', '.join(LinkRun.__slots__)}) values ({marks})", list(astuple(run))
    )


def _has_rows(connection: duckdb.DuckDBPyConnection, relation: str) -> bool:
    return connection.execute(f"select 1 from {relation} limit 1").fetchone() is not None

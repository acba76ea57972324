"""Candidates: the records that a leg without an exact partner may lead to, and what is known of them.

Belongs here: the tables that ``repaired`` and ``probabilistic`` read. They hold originals, so they live and die with
the connection to the vault.

- ``open_urn``, ``open_crime``: a referral without an exact leg, as typed, with what its other leg tells; ``is_equal``
  where it has an equal one.
- ``candidate_receipt``, ``candidate_crime``: records with their original references.
- ``urn_alike``, ``crime_alike``: which of them are one fault away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse.linkage.exact import RECEIPT_DAYS
from warehouse.linkage.likeness import find_alike
from warehouse.linkage.scope import KEY, current_crimes, current_receipts, forces_of

if TYPE_CHECKING:
    import duckdb

_KEY = ", ".join(KEY)


def find_receipts(connection: duckdb.DuckDBPyConnection) -> bool:
    """Prepare the search for URNs; False where every referral has its exact one."""
    connection.execute(
        """
        create or replace temp table open_urn as
        select
            referral.*,
            reference.original as urn,
            crime.is_rape,
            crime.is_child,
            crime.crime_reference_token,
            urn_leg.referral_id is not null as is_equal,
        from referral
        left join urn_leg on referral.referral_id = urn_leg.referral_id
        inner join vault.reference as reference
            on reference.entity = 'urn' and referral.referral_urn_token = reference.token
        left join crime_leg on referral.referral_id = crime_leg.referral_id and crime_leg.method = 'exact'
        left join crime on crime_leg.token = crime.crime_reference_token
        where urn_leg.method is distinct from 'exact'
        """
    )
    if not _has_rows(connection, "open_urn"):
        return False
    _load_receipts_of_months(connection)
    _load_settled(connection, "select urn_token from receipt union select urn_token from receipt_of_month")
    _load_candidate_receipts(connection)
    connection.execute(
        "create or replace temp view open_urn_text as"
        " select referral_id, force_code as scope, urn as original from open_urn"
    )
    connection.execute(
        "create or replace temp view receipt_text as"
        " select distinct urn_token as token, force_code as scope, urn as original from candidate_receipt"
    )
    find_alike(connection, "open_urn_text", "receipt_text", "urn_alike")
    return True


def find_crimes(connection: duckdb.DuckDBPyConnection) -> bool:
    """Prepare the search for crimes, once URNs are found; False where every referral has its exact crime."""
    connection.execute(
        """
        create or replace temp table without_crime as
        select referral.*, urn_leg.token as urn_token, crime_leg.referral_id is not null as is_equal
        from referral
        left join crime_leg on referral.referral_id = crime_leg.referral_id
        left join urn_leg on referral.referral_id = urn_leg.referral_id
        where crime_leg.method is distinct from 'exact'
        """
    )
    if not _has_rows(connection, "without_crime"):
        return False
    receipts = current_receipts("select distinct urn_token from without_crime", "urn_token")
    connection.execute(
        f"""
        create or replace temp table open_crime as
        with
        cases as (
            select
                urn_token,
                bool_or(is_rape) as is_rape,
                bool_or(is_child) as is_child,
                min(police_unit) as police_unit,
            from ({receipts})
            group by urn_token
        )
        select
            open.*,
            reference.original as crime_reference,
            cases.* exclude (urn_token),
        from without_crime as open
        inner join vault.reference as reference
            on reference.entity = 'crime'
            and reference.scope in ({forces_of(connection, "without_crime")})
            and open.referral_crime_reference_token = reference.token
        left join cases on open.urn_token = cases.urn_token
        """
    )
    connection.execute(
        """
        create or replace temp view open_crime_text as
        select referral_id, force_code as scope, crime_reference as original from open_crime
        """
    )
    connection.execute(
        """
        create or replace temp view crime_text as
        select token, scope, original from vault.reference
        where entity = 'crime' and scope in (select force_code from open_crime)
        """
    )
    find_alike(connection, "open_crime_text", "crime_text", "crime_alike")
    _load_settled(connection, "select urn_token from open_crime")
    _load_candidate_crimes(connection)
    return True


def _load_receipts_of_months(connection: duckdb.DuckDBPyConnection) -> None:
    """Receipts of the month of an open submission and of the next."""
    connection.execute(
        """
        create or replace temp table open_month as
        select distinct force_code, (month + to_months(later::integer))::date as month
        from open_urn, range(2) as months (later)
        """
    )
    months = current_receipts("select distinct month from open_month", "month", forces_of(connection, "open_month"))
    connection.execute(
        f"""
        create or replace temp table receipt_of_month as
        from ({months})
        where (force_code, date_trunc('month', received_date)::date) in (from open_month)
        """
    )


def _load_settled(connection: duckdb.DuckDBPyConnection, urn_tokens: str) -> None:
    """Referrals with an exact URN that leads to one of these cases, of this run and of earlier ones."""
    connection.execute(
        f"""
        create or replace temp table settled as
        with
        referrals as (
        select
            urn_leg.token as urn_token,
            crime_leg.token as crime_reference_token,
            referral.referral_urn_suffix,
            referral.suspect_number,
            referral.submission_type,
            referral.submitted_date,
        from referral
        inner join urn_leg on referral.referral_id = urn_leg.referral_id and urn_leg.method = 'exact'
        left join crime_leg on referral.referral_id = crime_leg.referral_id and crime_leg.method = 'exact'
        union all
        select
            former.urn_token,
            case when former.crime_method = 'exact' then former.crime_reference_token end,
            former.referral_urn_suffix,
            former.suspect_number,
            former.submission_type,
            former.submitted_date
        from former
        anti join referral using ({_KEY})
        where former.urn_method = 'exact'
        )
        from referrals semi join ({urn_tokens}) as cases using (urn_token)
        """
    )


def _load_candidate_receipts(connection: duckdb.DuckDBPyConnection) -> None:
    """Receipts with their URNs, the crimes known to belong to the case, and the days of submissions that have them."""
    connection.execute(
        f"""
        create or replace temp table candidate_receipt as
        with
        receipts as (from receipt union from receipt_of_month),
        crimes as (
            select urn_token, list(distinct crime_reference_token) as known_crimes
            from settled
            where crime_reference_token is not null
            group by urn_token
        ),
        claims as (
            select
                receipts.urn_token,
                receipts.urn_suffix,
                receipts.suspect_number,
                receipts.receipt_type,
                receipts.received_date,
                list(distinct settled.submitted_date) as claimed_dates
            from receipts
            inner join settled
                on receipts.urn_token = settled.urn_token
                and settled.referral_urn_suffix in ('', receipts.urn_suffix)
                and receipts.suspect_number = settled.suspect_number
                and receipts.receipt_type = settled.submission_type
                and receipts.received_date between settled.submitted_date and settled.submitted_date + {RECEIPT_DAYS}
            group by all
        )
        select
            row_number() over (
                order by
                    receipts.urn_token,
                    receipts.urn_suffix,
                    receipts.suspect_number,
                    receipts.receipt_type,
                    receipts.received_date
            ) as receipt_id,
            receipts.*,
            date_trunc('month', receipts.received_date)::date as month,
            reference.original as urn,
            coalesce(crimes.known_crimes, []) as known_crimes,
            coalesce(claims.claimed_dates, []) as claimed_dates,
        from receipts
        inner join vault.reference as reference
            on reference.entity = 'urn' and receipts.urn_token = reference.token
        left join crimes on receipts.urn_token = crimes.urn_token
        left join claims
            on receipts.urn_token = claims.urn_token
            and receipts.urn_suffix = claims.urn_suffix
            and receipts.suspect_number = claims.suspect_number
            and receipts.receipt_type = claims.receipt_type
            and receipts.received_date = claims.received_date
        """
    )


def _load_candidate_crimes(connection: duckdb.DuckDBPyConnection) -> None:
    """Crimes that are alike, equal, or known to belong to the case that the other leg leads to."""
    wanted = """
        select token as crime_reference_token from crime_alike
        union
        select referral_crime_reference_token from open_crime
        union
        select settled.crime_reference_token from settled semi join open_crime using (urn_token)
        where settled.crime_reference_token is not null
    """
    connection.execute(
        f"""
        create or replace temp table candidate_crime as
        with
        crimes as ({current_crimes(connection, wanted)}),
        cases as (
            select crime_reference_token, list(distinct urn_token) as known_urns
            from settled
            where crime_reference_token is not null
            group by crime_reference_token
        )
        select
            row_number() over (order by crimes.crime_reference_token) as crime_id,
            crimes.*,
            reference.original as crime_reference,
            coalesce(cases.known_urns, []) as known_urns,
        from crimes
        inner join vault.reference as reference
            on reference.entity = 'crime'
            and reference.scope in ({forces_of(connection, "referral")})
            and crimes.crime_reference_token = reference.token
        left join cases on crimes.crime_reference_token = cases.crime_reference_token
        """
    )


def _has_rows(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    return connection.execute(f"select 1 from {table} limit 1").fetchone() is not None

"""Repaired references: one fault away from a single record with which everything else agrees.

Belongs here: the deterministic repairs, and what must speak against an equal reference before one replaces it. Does not
belong here: weighing (``probabilistic``).

A URN is repaired where exactly one case of the force is one fault away and its receipt agrees in suspect, purpose,
date and offence, and no other submission has that receipt. A crime reference is repaired where exactly one crime of the
force is one fault away that was reported by then, was not closed as not referred, and agrees in offence and unit with
the case.

Numbers are given in sequence, so a right reference, too, has cases and crimes one fault away that fit by chance. An
*equal* reference gives way only to a receipt that nobody has, and only where one of these speaks against its case:

- each of its receipts is of another offence than the crime;
- the CPS had it last long before the submission, or first long after;
- its receipt of this suspect and purpose has the submission of another day, and exact submissions name other crimes.

An equal crime reference gives way where two of these speak against its crime: reported long after the submission,
closed as not referred, another offence than the case, another unit than the case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse.linkage.exact import CONTRADICTIONS, SAME_SUBMISSION

if TYPE_CHECKING:
    import duckdb

# A case that the CPS had last, or first, so many days before or after a submission is hardly meant by it.
_LONG_BEFORE_DAYS = 180
_LONG_AFTER_DAYS = 60
_STANDARD_URN = r"\d{2}[A-Z0-9]{2}\d{7}"
_ONE_FAULT = "alike.fault in ('lost_zero', 'confusable', 'swapped', 'typo')"


def repair_urns(connection: duckdb.DuckDBPyConnection) -> None:
    """Add repaired legs to ``urn_leg``; reads ``open_urn``, ``urn_alike`` and ``candidate_receipt``."""
    _find_contradicted_urns(connection)
    connection.execute(
        f"""
        create or replace temp table repair as
        with
        -- Materialised, or the optimiser pairs all suspects of one number first.
        pairs as materialized (
            select open_urn.*, alike.token
            from urn_alike as alike
            inner join open_urn on alike.referral_id = open_urn.referral_id
            where {_ONE_FAULT} and (not open_urn.is_equal or alike.referral_id in (from contradicted))
        ),
        receipts as materialized (
            select candidate_receipt.*
            from candidate_receipt
            semi join pairs on candidate_receipt.urn_token = pairs.token
        ),
        confirmed as (
            select distinct referral.referral_id, referral.token
            from pairs as referral
            inner join receipts as receipt on referral.token = receipt.urn_token and {SAME_SUBMISSION}
            where coalesce(referral.is_rape = receipt.is_rape, true)
                and (
                    len(receipt.claimed_dates) = 0
                    -- Crimes of one submission share its receipt. A text that has the form of a URN may rather be that
                    -- of a case whose receipt has not come yet.
                    or not referral.is_equal
                    and receipt.claimed_dates = [referral.submitted_date]
                    and (
                        not regexp_full_match(referral.urn, '{_STANDARD_URN}')
                        or coalesce(list_contains(receipt.known_crimes, referral.crime_reference_token), false)
                    )
                )
        )
        select referral_id, any_value(token) as token from confirmed group by all having count(*) = 1
        """
    )
    _replace(connection, "urn_leg")


def repair_crimes(connection: duckdb.DuckDBPyConnection) -> None:
    """Add repaired legs to ``crime_leg``; reads ``open_crime``, ``crime_alike`` and ``candidate_crime``."""
    connection.execute(
        f"""
        create or replace temp table repair as
        with
        contradicted as (
            select referral.referral_id
            from open_crime as referral
            inner join candidate_crime as crime
                on referral.referral_crime_reference_token = crime.crime_reference_token
            where {CONTRADICTIONS} >= 2
        ),
        confirmed as (
            select distinct alike.referral_id, alike.token
            from crime_alike as alike
            inner join open_crime as referral on alike.referral_id = referral.referral_id
            inner join candidate_crime as crime on alike.token = crime.crime_reference_token
            where {_ONE_FAULT}
                and (not referral.is_equal or referral.referral_id in (from contradicted))
                and crime.reported_date <= referral.submitted_date
                and not crime.is_not_referred
                and coalesce(crime.is_rape = referral.is_rape, true)
                and coalesce(crime.police_unit = referral.police_unit, true)
        )
        select referral_id, any_value(token) as token from confirmed group by all having count(*) = 1
        """
    )
    _replace(connection, "crime_leg")


def _find_contradicted_urns(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill ``contradicted`` with referrals whose URN is that of a case that something speaks against."""
    connection.execute(
        f"""
        create or replace temp table contradicted as
        select referral.referral_id
        from open_urn as referral
        inner join candidate_receipt as receipt
            on referral.referral_urn_token = receipt.urn_token
            and receipt.force_code in (referral.force_code, '00')
        where referral.is_equal
        group by referral.referral_id
        having bool_and(receipt.is_rape <> referral.is_rape)
            or max(receipt.received_date) < any_value(referral.submitted_date) - {_LONG_BEFORE_DAYS}
            or min(receipt.received_date) > any_value(referral.submitted_date) + {_LONG_AFTER_DAYS}
            or (
                bool_or(
                    receipt.suspect_number = referral.suspect_number
                    and receipt.receipt_type = referral.submission_type
                    and len(list_filter(receipt.claimed_dates, lambda day: day <> referral.submitted_date)) > 0
                )
                and bool_and(
                    referral.crime_reference_token is not null
                    and len(receipt.known_crimes) > 0
                    and not list_contains(receipt.known_crimes, referral.crime_reference_token)
                )
            )
        """
    )


def _replace(connection: duckdb.DuckDBPyConnection, leg: str) -> None:
    """Put what ``repair`` holds in the place of equal legs."""
    connection.execute(f"delete from {leg} where referral_id in (select referral_id from repair)")
    connection.execute(f"insert into {leg} select referral_id, token, 'repaired', null::double from repair")

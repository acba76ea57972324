"""Repaired references: one fault away from a single record with which everything else agrees.

Belongs here: the deterministic repairs. Does not belong here: weighing (``probabilistic``).

A URN is repaired where exactly one case of the force is one fault away and its receipt agrees in suspect, purpose,
date and offence, and no other submission has that receipt. A crime reference is repaired where exactly one crime of the
force is one fault away that was reported by then, was not closed as not referred, and agrees in offence and unit with
the case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse.linkage.exact import SAME_SUBMISSION

if TYPE_CHECKING:
    import duckdb

_ONE_FAULT = "alike.fault in ('lost_zero', 'confusable', 'swapped', 'typo')"


def repair_urns(connection: duckdb.DuckDBPyConnection) -> None:
    """Add repaired legs to ``urn_leg``; reads ``open_urn``, ``urn_alike`` and ``candidate_receipt``."""
    connection.execute(
        f"""
        insert into urn_leg
        with
        -- Materialised, or the optimiser pairs all suspects of one number first.
        pairs as materialized (
            select open_urn.*, alike.token
            from urn_alike as alike
            inner join open_urn on alike.referral_id = open_urn.referral_id
            where {_ONE_FAULT}
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
                and len(list_filter(receipt.claimed_dates, lambda day: day <> referral.submitted_date)) = 0
        ),
        single as (select referral_id, any_value(token) as token from confirmed group by all having count(*) = 1)
        select referral_id, token, 'repaired', null::double from single
        """
    )


def repair_crimes(connection: duckdb.DuckDBPyConnection) -> None:
    """Add repaired legs to ``crime_leg``; reads ``open_crime``, ``crime_alike`` and ``candidate_crime``."""
    connection.execute(
        f"""
        insert into crime_leg
        with
        confirmed as (
            select distinct alike.referral_id, alike.token
            from crime_alike as alike
            inner join open_crime as referral on alike.referral_id = referral.referral_id
            inner join candidate_crime as crime on alike.token = crime.crime_reference_token
            where {_ONE_FAULT}
                and crime.reported_date <= referral.submitted_date
                and not crime.is_not_referred
                and coalesce(crime.is_rape = referral.is_rape, true)
                and coalesce(crime.police_unit = referral.police_unit, true)
        ),
        single as (select referral_id, any_value(token) as token from confirmed group by all having count(*) = 1)
        select referral_id, token, 'repaired', null::double from single
        """
    )

"""Exact partners: the same token on both sides.

Belongs here: the tables ``urn_leg`` and ``crime_leg`` (referral_id, token, method, probability) and what stands in them
without a look at an original.

A referral has two legs: its URN leads to a case of the CPS, its crime reference to a crime of the force. A leg is
*exact* where tokens are equal and the rest agrees: the CPS received that suspect of the case for the same purpose
within a fortnight, or the crime was reported by then and at most one thing contradicts it. It is *equal* where tokens
are equal and the rest does not agree, mostly because the receipt of this very submission has not been delivered yet, or
was registered with another date or suspect number.

A mistyped reference can be another case's. Numbers are given in sequence, so a right one has neighbours too, and a date
that is off says nothing: an equal leg stands unless something speaks against it (``repaired``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

RECEIPT_DAYS = 14  # the CPS registers a submission on the day or within days; a fortnight spans holidays
LEGS = ("urn_leg", "crime_leg")
# Some crimes of a case are reported after its first submission; one that is reported later than this is not weighed.
REPORTED_LATE_DAYS = 60

# How many things speak against a crime. One alone often has another reason: a crime that is closed or classified anew
# later, a case that another unit leads.
CONTRADICTIONS = f"""(
    (crime.reported_date > referral.submitted_date + {REPORTED_LATE_DAYS})::integer
    + crime.is_not_referred::integer
    + coalesce(crime.is_rape <> referral.is_rape, false)::integer
    + coalesce(crime.police_unit <> referral.police_unit, false)::integer
)"""

# A submission and a receipt that agree in all but the reference; 00 stands for systems that forces share. A case is
# often split after it was submitted, so what was submitted under the whole URN may have been received under a part.
SAME_SUBMISSION = f"""(
    receipt.force_code in (referral.force_code, '00')
    and referral.referral_urn_suffix in ('', receipt.urn_suffix)
    and receipt.suspect_number = referral.suspect_number
    and receipt.receipt_type = referral.submission_type
    and receipt.received_date between referral.submitted_date and referral.submitted_date + {RECEIPT_DAYS}
)"""


def link_exact(connection: duckdb.DuckDBPyConnection) -> None:
    """Begin both tables of legs with what is exact."""
    for leg in LEGS:
        connection.execute(
            f"""
            create or replace temp table {leg}
            (referral_id bigint, token varchar, method varchar, probability double)
            """
        )
    connection.execute(
        f"""
        insert into urn_leg
        select distinct referral.referral_id, receipt.urn_token, 'exact', null::double
        from referral
        inner join receipt on referral.referral_urn_token = receipt.urn_token and {SAME_SUBMISSION}
        """
    )
    connection.execute(
        f"""
        insert into crime_leg
        with
        cases as (
            select
                urn_token,
                bool_or(is_rape) as is_rape,
                min(police_unit) as police_unit,
            from receipt
            group by urn_token
        ),
        referrals as (
            select referral.*, cases.is_rape, cases.police_unit
            from referral
            left join urn_leg on referral.referral_id = urn_leg.referral_id
            left join cases on urn_leg.token = cases.urn_token
        )
        select referral.referral_id, crime.crime_reference_token, 'exact', null::double
        from referrals as referral
        inner join crime
            on referral.referral_crime_reference_token = crime.crime_reference_token
            and crime.reported_date <= referral.submitted_date
            and {CONTRADICTIONS} < 2
        """
    )


def link_equal(connection: duckdb.DuckDBPyConnection) -> None:
    """Add to both tables what bears the very reference, for referrals that have no such leg yet."""
    connection.execute(
        """
        insert into urn_leg
        select distinct referral.referral_id, receipt.urn_token, 'equal', null::double
        from referral
        anti join urn_leg on referral.referral_id = urn_leg.referral_id
        inner join receipt
            on referral.referral_urn_token = receipt.urn_token
            and receipt.force_code in (referral.force_code, '00')
        """
    )
    connection.execute(
        """
        insert into crime_leg
        select referral.referral_id, crime.crime_reference_token, 'equal', null::double
        from referral
        anti join crime_leg on referral.referral_id = crime_leg.referral_id
        inner join crime on referral.referral_crime_reference_token = crime.crime_reference_token
        """
    )

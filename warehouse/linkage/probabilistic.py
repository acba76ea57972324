"""Weighing the evidence with Splink, where a reference has neither an equal partner nor a single repair.

Belongs here: the two models (``model.yaml``), run by Splink on the connection to the vault, and the choice of the best
candidate. Splink is imported when something is left to weigh.

The parameters of the models are fixed: the same records give the same links in every run, and an auditor can add the
weights up by hand. Model: I. P. Fellegi and A. B. Sunter, A Theory for Record Linkage (1969). Splink gives for each
pair the logarithm to base 2 of the odds that it is right, as if it stood alone. Since at most one candidate of a
referral is right, its probability is its odds over the sum of all candidates' odds and 1 (for: none of them). Two
candidates that are equally likely have one half each, and neither is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from warehouse.linkage.exact import REPORTED_LATE_DAYS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

MODEL = Path(__file__).parent / "model.yaml"
_LEAST_WEIGHT = -10.0  # odds of 1 to 1,024: pairs below it add nothing that shows


@dataclass(frozen=True, slots=True)
class Sides:
    """What a model compares.

    Two queries with the same columns; conditions of which each pair must meet one; the column of a record that a leg
    leads to.
    """

    referrals: str
    records: str
    blocks: tuple[str, ...]
    target: str


SIDES: Mapping[str, Sides] = {
    "urn": Sides(
        referrals="""
            select
                open_urn.referral_id as unique_id,
                open_urn.force_code,
                open_urn.month,
                (open_urn.month + interval 1 month)::date as next_month,
                null::varchar as urn_token,
                open_urn.urn,
                open_urn.suspect_number,
                open_urn.submission_type as purpose,
                open_urn.submitted_date as day,
                open_urn.is_rape,
                open_urn.is_child,
                open_urn.crime_reference_token as crime_token,
                null::varchar[] as known_crimes,
                null::date[] as claimed_dates,
            from open_urn
            anti join urn_leg using (referral_id)
        """,
        records="""
            with
            open as (from open_urn anti join urn_leg using (referral_id)),
            months as (
                select force_code, month from open
                union
                select force_code, (month + interval 1 month)::date from open
            )
            select
                receipt_id as unique_id,
                force_code,
                month,
                null::date as next_month,
                urn_token,
                urn,
                suspect_number,
                receipt_type as purpose,
                received_date as day,
                is_rape,
                is_child,
                null::varchar as crime_token,
                known_crimes,
                claimed_dates,
            from candidate_receipt
            where (force_code, month) in (from months)
        """,
        # A submission is registered in its month or in the next.
        blocks=(
            "l.force_code = r.force_code and l.month = r.month",
            "l.force_code = r.force_code and l.next_month = r.month",
        ),
        target="urn_token",
    ),
    "crime": Sides(
        referrals="""
            with
            pairs as (
                select referral_id, token from crime_alike
                union
                select open_crime.referral_id, settled.crime_reference_token
                from open_crime
                inner join settled using (urn_token)
                where settled.crime_reference_token is not null
            ),
            candidates as (select referral_id, list(token order by token) as candidates from pairs group by all)
            select
                open_crime.referral_id as unique_id,
                open_crime.force_code,
                candidates.candidates,
                null::varchar as crime_token,
                open_crime.crime_reference,
                open_crime.submitted_date as day,
                open_crime.is_rape,
                open_crime.is_child,
                open_crime.police_unit,
                null::boolean as is_not_referred,
                open_crime.urn_token,
                null::varchar[] as known_urns,
            from open_crime
            inner join candidates on open_crime.referral_id = candidates.referral_id
            anti join crime_leg on open_crime.referral_id = crime_leg.referral_id
        """,
        records="""
            select
                crime_id as unique_id,
                force_code,
                null::varchar[] as candidates,
                crime_reference_token as crime_token,
                crime_reference,
                reported_date as day,
                is_rape,
                is_child,
                police_unit,
                is_not_referred,
                null::varchar as urn_token,
                known_urns,
            from candidate_crime
        """,
        # A crime may be recorded years before: not the period chooses, but likeness, and what else belongs to the case.
        blocks=(
            (
                "l.force_code = r.force_code and list_contains(l.candidates, r.crime_token)"
                f" and r.day <= l.day + {REPORTED_LATE_DAYS}"
            ),
        ),
        target="crime_token",
    ),
}


def weigh(connection: duckdb.DuckDBPyConnection, name: str, threshold: float) -> None:
    """Add to ``urn_leg`` or ``crime_leg`` what the model ``urn`` or ``crime`` finds for referrals without that leg."""
    sides = SIDES[name]
    connection.execute(f"create or replace temp table left_{name} as {sides.referrals}")
    connection.execute(f"create or replace temp table right_{name} as {sides.records}")
    if any(connection.execute(f"select 1 from {side}_{name} limit 1").fetchone() is None for side in ("left", "right")):
        return
    pairs = _predicted(connection, name, sides.blocks)
    connection.execute(
        f"""
        insert into {name}_leg
        with
        weighed as (
            select pairs.unique_id_l as referral_id, records.{sides.target} as token, max(pairs.match_weight) as weight
            from {pairs} as pairs
            inner join right_{name} as records on pairs.unique_id_r = records.unique_id
            group by all
        ),
        likely as (
            select
                referral_id,
                token,
                -- Rounded, so that the order of an addition does not show.
                round(pow(2, weight) / (1 + sum(pow(2, weight)) over (partition by referral_id)), 6) as probability,
            from weighed
        )
        select referral_id, token, 'probabilistic', probability
        from likely
        where probability >= ? and probability > 0.5
        """,
        [threshold],
    )
    connection.execute(f"drop table {pairs}")


@cache
def model(name: str) -> dict[str, Any]:
    """One model as ``model.yaml`` describes it: ``prior`` and ``comparisons`` with their levels."""
    document: dict[str, dict[str, Any]] = yaml.safe_load(MODEL.read_text(encoding="utf-8"))
    return document[name]


def _predicted(connection: duckdb.DuckDBPyConnection, name: str, blocks: tuple[str, ...]) -> str:
    """Name of the table of pairs (unique_id_l of a referral, unique_id_r of a record, match_weight)."""
    from splink import DuckDBAPI, Linker

    database = DuckDBAPI(connection)
    # Splink puts the table whose name comes first on the left.
    sides = [
        database.register(f"{side}_{name}", table_name=f"{side}_side", dataset_display_name=side)
        for side in ("left", "right")
    ]
    linker = Linker(sides, _settings(name, blocks), log_level=None)
    predicted: str = linker.inference.predict(threshold_match_weight=_LEAST_WEIGHT).physical_name
    return predicted


def _settings(name: str, blocks: tuple[str, ...]) -> dict[str, Any]:
    described = model(name)
    return {
        "link_type": "link_only",
        "probability_two_random_records_match": described["prior"],
        "blocking_rules_to_generate_predictions": list(blocks),
        "comparisons": [_comparison(comparison) for comparison in described["comparisons"]],
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": False,
        "linker_uid": name,
    }


def _comparison(comparison: dict[str, Any]) -> dict[str, Any]:
    return {
        "output_column_name": comparison["name"],
        "comparison_levels": [_level(level) for level in comparison["levels"]],
    }


def _level(level: dict[str, Any]) -> dict[str, Any]:
    condition = "ELSE" if level["when"] == "else" else level["when"]
    described = {"sql_condition": condition, "label_for_charts": condition}
    if "m" not in level:
        return described | {"is_null_level": True}
    return described | {"m_probability": level["m"], "u_probability": level["u"]}

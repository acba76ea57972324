"""The linkage against synthetic truth: precision, recall and time, with the share of damaged references varied.

Everything goes through the doors that users take: synthetic extracts, then ``rasso receive`` and ``rasso link`` as
processes. Numbers are given in sequence within unit and year, so that a damaged reference often is another case's. The
truth is read only afterwards. The figures are written into ``docs/linkage.md`` between its markers.

``python -m bench linkage-parameters`` counts how often each level of ``warehouse/linkage/model.yaml`` holds for right
and for wrong pairs: what the parameters of the models were taken from.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from extracts.period import Period
from extracts.synthetic.request import Request
from extracts.synthetic.synthesise import synthesise
from extracts.tokens import token_macros
from rasso.settings import Settings
from warehouse.keys import Keys, make_keys, read_keys
from warehouse.lake import reading, transaction
from warehouse.linkage import link
from warehouse.linkage.probabilistic import SIDES, model
from warehouse.linkage.run import compare
from warehouse.linkage.scope import KEY, find_new_deliveries
from warehouse.vault import originals

if TYPE_CHECKING:
    import duckdb

RASSO = str(Path(sys.executable).with_name("rasso"))
PAGE = Path(__file__).parents[1] / "docs" / "linkage.md"
MONTHS = Period.parse("2018-01..2020-12")
LAST = Period.parse("2020-12")
AS_OF = date(2021, 1, 15)
SHARES = (0.01, 0.05, 0.10)
THRESHOLDS = (0.55, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999)
_HEADERS = (
    *("damaged", "referrals", "of them damaged", "into another's", "precision", "recall", "recall of damaged"),
    *("exact", "repaired", "probabilistic", "no link", "time for all", "for a month more"),
)
_MARKS = ("<!-- figures: made by python -m bench linkage -->", "<!-- end of figures -->")


@dataclass(frozen=True)
class Home:
    """A home with synthetic extracts and their truth."""

    settings: Settings
    truth: Path

    @property
    def keys(self) -> Keys:
        """The home's keys."""
        return read_keys(self.settings)

    def rasso(self, command: str) -> float:
        """Run a command as a process of its own; returns its seconds."""
        environment = os.environ | {
            "RASSO_HOME": str(self.settings.home),
            "RASSO_AS_OF": AS_OF.isoformat(),
            "RASSO_KEY_FILE": str(self.settings.key_file),
        }
        started = time.perf_counter()
        subprocess.run([RASSO, command], env=environment, check=True, capture_output=True)
        return time.perf_counter() - started


@dataclass(frozen=True)
class Score:
    """Links against the truth.

    ``possible``: referrals whose true crime and true case both are in the lake; ``anothers``: those with a damaged
    reference that is the reference of another crime or case.
    """

    by_method: dict[str, int]
    referrals: int
    damaged: int
    anothers: int
    possible: int
    links: int
    right: int
    damaged_possible: int
    damaged_right: int

    @property
    def precision(self) -> float:
        """Right links of all links."""
        return self.right / self.links

    @property
    def recall(self) -> float:
        """Right links of those that could be found."""
        return self.right / self.possible

    @property
    def recall_of_damaged(self) -> float:
        """The same, of referrals with a damaged reference only."""
        return self.damaged_right / self.damaged_possible


def measure(scale: float) -> None:
    """Measure at each damaged share and write the figures into the page for auditors."""
    rows, sweep = [], []
    for share in SHARES:
        with tempfile.TemporaryDirectory() as folder:
            home, waiting = _synthetic_home(Path(folder), share, scale)
            _land(home, waiting, is_last=False)
            home.rasso("receive")
            first = home.rasso("link")
            _land(home, waiting, is_last=True)
            home.rasso("receive")
            month = home.rasso("link")
            result = score(home)
            rows.append(_row(share, result, first, month))
            print(
                f"linkage at {share:.0%} damaged: precision {result.precision:.5f}, recall {result.recall:.5f},",
                end=" ",
            )
            print(f"{result.by_method}, all {first:.1f} s, a month more {month:.1f} s (whole processes)")
            if share == SHARES[-1]:
                sweep = [_swept(home, threshold) for threshold in THRESHOLDS]
    _write_figures(rows, sweep, scale)


def measure_parameters(scale: float) -> None:
    """Count the levels of both models among right and wrong pairs, at 5% damaged references."""
    with tempfile.TemporaryDirectory() as folder:
        home, waiting = _synthetic_home(Path(folder), 0.05, scale)
        _land(home, waiting, is_last=False)
        _land(home, waiting, is_last=True)
        home.rasso("receive")
        with originals(home.settings, home.keys, "measure the parameters of the linkage") as connection:
            _load_truth(connection, home)
            with transaction(connection):
                find_new_deliveries(connection, is_full=True)
                compare(connection, home.settings.link_threshold, is_full=True)
                for name in ("urn", "crime"):
                    _count_levels(connection, name)


def score(home: Home) -> Score:
    """Compare the bridge with the truth."""
    with reading(home.settings) as connection:
        _load_truth(connection, home)
        key = ", ".join(KEY)
        connection.execute(
            f"""
            create temp table judged as
            with
            referrals as (
                select distinct
                    force_code,
                    urn_token as referral_urn_token,
                    coalesce(urn_suffix, '') as referral_urn_suffix,
                    crime_reference_token as referral_crime_reference_token,
                    suspect_number,
                    submission_type,
                    submitted_date,
                from lake.extracts.police_referrals
            )
            select
                link.method,
                truth.is_damaged,
                referral_urn_token <> true_urn
                and referral_urn_token in (select urn_token from lake.extracts.cps_receipts)
                or referral_crime_reference_token <> true_crime
                and referral_crime_reference_token in (select crime_reference_token from lake.extracts.police_crimes)
                    as is_anothers,
                link.method is not null as is_linked,
                coalesce(link.urn_token = true_urn and link.crime_reference_token = true_crime, false) as is_right,
                true_urn in (select urn_token from lake.extracts.cps_receipts)
                and true_crime in (select crime_reference_token from lake.extracts.police_crimes) as is_possible,
            from referrals
            left join truth using ({key})
            left join lake.linkage.crime_case_link as link using ({key})
            """
        )
        counts = connection.execute(
            """
            select
                count(*),
                count(*) filter (is_damaged),
                count(*) filter (is_anothers),
                count(*) filter (is_possible),
                count(*) filter (is_linked),
                count(*) filter (is_right),
                count(*) filter (is_possible and is_damaged),
                count(*) filter (is_right and is_damaged)
            from judged
            """
        ).fetchall()[0]
        methods = dict(
            connection.execute("select method, count(*) from judged where is_linked group by all").fetchall()
        )
    return Score(methods, *counts)


def _synthetic_home(folder: Path, share: float, scale: float) -> tuple[Home, Path]:
    settings = Settings(home=folder / "home", key_file=folder / "keys.json", as_of=AS_OF)
    settings.prepare()
    make_keys(settings, development=True)
    request = Request(
        into=folder / "extracts",
        months=MONTHS,
        scale=scale,
        damaged_references=share,
        consecutive_references=True,
    )
    return Home(settings, synthesise(request).true_links), request.into


def _land(home: Home, waiting: Path, *, is_last: bool) -> None:
    """Move deliveries into the landing folder: those of the last month alone, or all others."""
    for manifest in sorted(waiting.glob("*/*/manifest.json")):
        periods = {file["period"] for file in json.loads(manifest.read_text(encoding="utf-8"))["files"]}
        if (periods == {str(LAST)}) == is_last:
            target = home.settings.landing / manifest.parent.relative_to(waiting)
            target.parent.mkdir(exist_ok=True)
            manifest.parent.rename(target)


def _load_truth(connection: duckdb.DuckDBPyConnection, home: Home) -> None:
    connection.execute(token_macros(home.keys.token))
    connection.execute(
        f"""
        create or replace temp table truth as
        select distinct
            force_code,
            token_of_urn(urn) as referral_urn_token,
            urn_suffix(urn) as referral_urn_suffix,
            token_of_crime(force_code, crime_reference) as referral_crime_reference_token,
            suspect_number::bigint as suspect_number,
            submission_type,
            submitted_date::date as submitted_date,
            token_of_urn(true_urn) as true_urn,
            token_of_crime(force_code, true_crime_reference) as true_crime,
            is_damaged::boolean as is_damaged,
        from read_csv('{home.truth}', all_varchar = true)
        """
    )


def _count_levels(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Levels among the pairs that the model would compare were there no repairs: each referral without an exact leg."""
    connection.execute(f"delete from {name}_leg where method <> 'exact'")
    sides = SIDES[name]
    on = " or ".join(f"({block})" for block in sides.blocks)
    columns = [row[0] for row in connection.execute(f"select * from ({sides.referrals}) limit 0").description]
    true_token = {"urn": "true_urn", "crime": "true_crime"}[name]
    key = ", ".join(KEY)
    connection.execute(
        f"""
        create or replace temp table compared as
        with
        l as ({sides.referrals}),
        r as ({sides.records}),
        right_target as (
            select referral.referral_id, truth.{true_token} as token from referral inner join truth using ({key})
        )
        select
            {", ".join(f"l.{column} as {column}_l, r.{column} as {column}_r" for column in columns)},
            r.{sides.target} = right_target.token as is_right,
        from l
        inner join r on {on}
        inner join right_target on l.unique_id = right_target.referral_id
        """
    )
    # Of the records of the right target one is meant, such as the receipt of this suspect; the others say nothing.
    agreement = "(suspect_number_l = suspect_number_r)::int + (purpose_l = purpose_r)::int" if name == "urn" else "1"
    connection.execute(
        f"""
        create or replace temp table pair as
        from compared
        where not is_right
        union all
        from compared
        where is_right
        qualify row_number() over (
            partition by unique_id_l order by {agreement} desc, day_r < day_l, abs(day_r - day_l), unique_id_r
        ) = 1
        """
    )
    ((pairs, right),) = connection.execute("select count(*), count(*) filter (is_right) from pair").fetchall()
    print(f"{name}: {pairs:,} pairs, {right:,} right, prior {right / pairs:.5f}")
    for comparison in model(name)["comparisons"]:
        chosen = " ".join(
            f"when {level['when']} then {number}"
            for number, level in enumerate(comparison["levels"])
            if level["when"] != "else"
        )
        counts = connection.execute(
            f"""
            select
                case {chosen} else {len(comparison["levels"]) - 1} end as level,
                count(*) filter (is_right) as m,
                count(*) filter (not is_right) as u,
            from pair group by level order by level
            """
        ).fetchall()
        said = {level for level, described in enumerate(comparison["levels"]) if "m" in described}
        rights = sum(m for level, m, _ in counts if level in said)
        wrongs = sum(u for level, _, u in counts if level in said)
        for level, m, u in counts:
            shares = f"m {m / rights:.5f}, u {u / wrongs:.5f}" if level in said else "says nothing"
            print(f"  {comparison['name']}: {comparison['levels'][level]['when']}: {m:,} right, {u:,} wrong; {shares}")


def _swept(home: Home, threshold: float) -> tuple[float, Score]:
    link(home.settings.model_copy(update={"link_threshold": threshold}), home.keys)
    result = score(home)
    print(f"  threshold {threshold}: precision {result.precision:.5f}, recall {result.recall:.5f}, {result.by_method}")
    return threshold, result


def _row(share: float, result: Score, first: float, month: float) -> str:
    methods = [result.by_method.get(method, 0) / result.referrals for method in ("exact", "repaired", "probabilistic")]
    unlinked = 1 - result.links / result.referrals
    cells = (
        f"{share:.0%}",
        f"{result.referrals:,}",
        f"{result.damaged:,}",
        f"{result.anothers:,}",
        f"{result.precision:.5f}",
        f"{result.recall:.5f}",
        f"{result.recall_of_damaged:.4f}",
        *(f"{value:.2%}" for value in (*methods, unlinked)),
        f"{first:.1f} s",
        f"{month:.1f} s",
    )
    return f"| {' | '.join(cells)} |"


def _write_figures(rows: list[str], sweep: list[tuple[float, Score]], scale: float) -> None:
    lines = [
        _MARKS[0],
        "",
        f"Measured on {datetime.now(UTC):%Y-%m-%d} with `python -m bench linkage --scale {scale:g}`:",
        f"synthetic extracts of all suppliers, {MONTHS}, with numbers in sequence,",
        "through `rasso receive` and `rasso link`,",
        f"on {os.cpu_count()} cores; times are of whole processes.",
        "",
        f"| {' | '.join(_HEADERS)} |",
        "| --- " + "| ---: " * (len(_HEADERS) - 1) + "|",
        *rows,
        "",
        f"The threshold, at {SHARES[-1]:.0%} damaged references:",
        "",
        "| threshold | precision | recall | probabilistic links |",
        "| --- | ---: | ---: | ---: |",
        *(
            f"| {threshold:g} | {result.precision:.5f} | {result.recall:.5f} "
            f"| {result.by_method.get('probabilistic', 0):,} |"
            for threshold, result in sweep
        ),
        "",
        _MARKS[1],
    ]
    text = PAGE.read_text(encoding="utf-8")
    block = re.compile(f"{re.escape(_MARKS[0])}.*?{re.escape(_MARKS[1])}", re.DOTALL)
    PAGE.write_text(block.sub(lambda _match: "\n".join(lines), text), encoding="utf-8")

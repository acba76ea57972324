"""Verification: a sound home passes every check, and each kind of damage is found by the check that is there for it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from tests.crimes import ESSEX, KENT, SURREY, Forces, new_forces
from warehouse import journal
from warehouse.decisions import decide
from warehouse.keys import read_keys
from warehouse.lake import attached, configuration
from warehouse.releases import content_sha256
from warehouse.vault import TABLE, _attach
from warehouse.verification import Finding, verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from rasso.settings import Settings


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Forces:
    """A home with accepted and quarantined rows, a delivery that was released and one that was rejected."""
    forces = new_forces(tmp_path_factory.mktemp("verified"))
    forces.land(ESSEX, 3)
    forces.land(KENT, 5, bad_rows=[2])
    forces.receive()
    for supplier, verdict in ((SURREY, "release"), (ESSEX, "reject")):
        forces.land(supplier, 20, bad_rows=range(1, 21))
        assert forces.receive()[supplier].state == "held"
        ((held,),) = forces.rows(
            f"select hand_over_id from lake.ledger.delivery where supplier = '{supplier}' and state = 'held'"
        )
        decide(forces.settings, held, verdict, reason="Looked at by two people.", actor="A. Steward")  # type: ignore[arg-type]
    return forces  # what was released came in beside the next delivery


@pytest.fixture
def forces(original: Forces, tmp_path: Path) -> Forces:
    """That home, put back afterwards where it was: a lake cannot be moved."""
    kept = tmp_path / "kept"
    shutil.copytree(original.settings.root, kept)
    yield original  # type: ignore[misc]
    shutil.rmtree(original.settings.root)
    shutil.copytree(kept, original.settings.root)


def found(settings: Settings) -> dict[str, list[Finding]]:
    """Findings by the title of their check."""
    return {check.title: list(check.findings) for check in verify(settings) if check.findings}


def test_a_sound_home_passes_every_check(original: Forces) -> None:
    file_count = len(_files(original))
    checks = verify(original.settings)
    assert [check.findings for check in checks] == [()] * 10
    assert {check.title: check.looked_at for check in checks if check.looked_at} == {
        "one outcome for each hand-over": 5,
        "rows in = loaded + quarantined + duplicate": 5,
        "rows in the lake": 7,
        "quarantined rows": 21,
        "journal and ledger": 7,
        "archived files": 8,
        "files of the lake": file_count,
        "tokens and the vault": 28,
    }


def _files(forces: Forces) -> list[str]:
    with attached(forces.settings) as connection:
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = 'lake'"
        ).fetchall()
        return [
            path
            for schema, table in tables
            for row in connection.execute(
                f"select data_file, delete_file from ducklake_list_files('lake', '{table}', schema => '{schema}')"
            ).fetchall()
            for path in row
            if path
        ]


def _sql(statement: str) -> Callable[[Forces], None]:
    def spoil(forces: Forces) -> None:
        with attached(forces.settings) as connection:
            connection.execute(statement)

    return spoil


def _archived_file(forces: Forces) -> Path:
    ((sha256,),) = forces.rows("select sha256 from lake.ledger.delivery_file order by all limit 1")
    return forces.settings.archive / sha256[:2] / sha256


def _archived_file_lost(forces: Forces) -> None:
    _archived_file(forces).unlink()


def _archived_file_changed(forces: Forces) -> None:
    _change(_archived_file(forces))


def _change(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.chmod(0o600)
    path.write_bytes(content)


def _entries(forces: Forces, ending: str) -> list[Path]:
    return sorted((forces.settings.archive / journal.FOLDER).glob(f"*{ending}"))


def _entry_lost(forces: Forces) -> None:
    _entries(forces, ".hand_over")[0].unlink()


def _entry_changed(forces: Forces) -> None:
    _change(_entries(forces, ".hand_over")[0])


def _decision_lost(forces: Forces) -> None:
    _entries(forces, ".decision")[0].unlink()


def _file_of_the_lake_lost(forces: Forces) -> None:
    named = next(path for path in map(Path, _files(forces)) if path.parent.name == "police_crimes")
    named.rename(forces.settings.root / named.name)  # the folder has others, that only earlier snapshots name


def _vault(statement: str) -> Callable[[Forces], None]:
    def spoil(forces: Forces) -> None:
        settings = forces.settings
        with duckdb.connect(config=configuration(settings)) as connection:
            _attach(connection, settings.vault / "vault.duckdb", read_keys(settings))
            connection.execute(statement)

    return spoil


FAULTS: dict[str, tuple[Callable[[Forces], None], str, str]] = {
    "an outcome twice": (
        _sql("insert into lake.ledger.delivery from lake.ledger.delivery where supplier = 'kent-police'"),
        "one outcome for each hand-over", "has 2 outcomes",
    ),
    "an outcome lost": (
        _sql("delete from lake.ledger.delivery where supplier = 'kent-police'"),
        "one outcome for each hand-over", "is done and has no outcome",
    ),
    "a count changed": (
        _sql("update lake.ledger.delivery_file set rows_in = rows_in + 1 where rows_loaded = 3"),
        "rows in = loaded + quarantined + duplicate", "rows in do not add up",
    ),
    "a row lost": (
        _sql("delete from lake.extracts.police_crimes where force_code = '46' and row_number = 5"),
        "rows in the lake", "police_crimes: 3 rows of file 1 of delivery",
    ),
    "a row twice": (
        _sql("insert into lake.extracts.police_crimes from lake.extracts.police_crimes where row_number = 5"),
        "rows in the lake", "police_crimes: 5 rows of file 1 of delivery",
    ),
    "rows of nobody": (
        _sql("insert into lake.extracts.cps_receipts (delivery_id, file_id) values ('nobody', 1)"),
        "rows in the lake", "cps_receipts: 1 rows of file 1 of delivery nobody; the ledger says 0",
    ),
    "a quarantined row lost": (
        _sql("delete from lake.ledger.quarantined_row where row_number = 2"),
        "quarantined rows", "quarantined rows listed and counted differ",
    ),
    "an archived file lost": (_archived_file_lost, "archived files", "the archive holds no file"),
    "an archived file changed": (_archived_file_changed, "archived files", "cannot be read"),
    "an entry of the journal lost": (_entry_lost, "journal and ledger", "is not in the journal"),
    "an entry of the journal changed": (_entry_changed, "journal and ledger", "of the journal cannot be read"),
    "a decision lost": (_decision_lost, "journal and ledger", "is not what the journal says"),
    "a decision changed": (
        _sql("update lake.ledger.decision set actor = 'Somebody else' where verdict = 'reject'"),
        "journal and ledger", "is not what the journal says",
    ),
    "a token without original": (
        _vault(f"delete from {TABLE} where scope = '46'"),
        "tokens and the vault", "police_crimes.crime_reference_token: 4 tokens without an original",
    ),
    "an original twice": (
        _vault(f"insert into {TABLE} from {TABLE} where scope = '46' limit 1"),
        "tokens and the vault", "1 tokens stand for their original more than once",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_damage_is_found(forces: Forces, name: str) -> None:
    spoil, title, words = FAULTS[name]
    spoil(forces)
    findings = found(forces.settings)
    assert any(words in finding.what for finding in findings[title])
    assert all(finding.is_fault for finding in findings[title])


def test_a_file_of_the_lake_that_is_lost_is_found_and_nothing_is_counted_without_it(forces: Forces) -> None:
    _file_of_the_lake_lost(forces)
    ((title, (finding,)),) = found(forces.settings).items()
    assert title == "files of the lake"
    assert finding.what.startswith("a file of the lake is missing: extracts.police_crimes: ducklake-")


def test_what_is_left_over_is_a_notice(forces: Forces) -> None:
    (forces.settings.lake / "staged" / "of_nobody").mkdir(parents=True)
    (forces.settings.archive / "ab").mkdir(exist_ok=True)
    (forces.settings.archive / "ab" / f".ab{'0' * 62}.1234").touch()
    (forces.settings.lake / "data" / "extracts" / "police_crimes" / "ducklake-of-nobody.parquet").touch()
    findings = found(forces.settings)
    assert {title: [finding.what for finding in listed] for title, listed in findings.items()} == {
        "what is left over": [
            "lake/staged/of_nobody is left over",
            f"archive/ab/.ab{'0' * 62}.1234 is unfinished, or being written",
        ],
        "files of the lake": ["no table names the file ducklake-of-nobody.parquet"],
    }
    assert not [finding for listed in findings.values() for finding in listed if finding.is_fault]


def test_a_release_that_is_not_what_was_recorded_is_found(forces: Forces) -> None:
    shown = _shown_release(forces, "0123456789ab")
    assert found(forces.settings) == {}
    (shown / "index.html").write_text("changed", encoding="utf-8")
    expected = Finding("release 0123456789ab is not what was published; publish again")
    assert found(forces.settings) == {"the release that is shown": [expected]}


def test_a_release_that_nobody_recorded_is_found(forces: Forces) -> None:
    _shown_release(forces, "0123456789ab")
    _sql("delete from lake.ledger.publication")(forces)
    expected = Finding("nobody recorded release 0123456789ab; publish again")
    assert found(forces.settings) == {"the release that is shown": [expected]}


def test_a_release_of_an_earlier_version_has_no_hash_to_compare(forces: Forces) -> None:
    _shown_release(forces, "0123456789ab")
    _sql("update lake.ledger.publication set content_sha256 = null")(forces)
    expected = Finding("release 0123456789ab was recorded without the hash of its content", is_fault=False)
    assert found(forces.settings) == {"the release that is shown": [expected]}


def _shown_release(forces: Forces, release_id: str) -> Path:
    """A site with one release, as the ledger has it."""
    site = forces.settings.site
    release = site / "releases" / release_id
    release.mkdir(parents=True)
    (release / "index.html").write_text("Figures", encoding="utf-8")
    (site / "current").symlink_to(Path("releases") / release_id)
    _sql(
        "insert into lake.ledger.publication (release_id, published_at, content_sha256)"
        f" values ('{release_id}', now()::timestamp, '{content_sha256(release)}')"
    )(forces)
    return release

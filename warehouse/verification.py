"""Verification: whether archive, journal, ledger, lake, vault and site still tell the same story.

Belongs here: comparing them; nothing is mended or removed. Does not belong here: whether rows keep the rules of their
contract (``expectations``), and whether marts follow from the lake (``transforms/tests``).

A *fault* is something that is lost, changed, or there twice. A *notice* is something left over that harms nobody: of a
process that was killed, or of one that is at work at this moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from extracts.contract import all_contracts
from extracts.delivery import waiting
from extracts.sql import literal
from warehouse import decision_ledger, journal, ledger
from warehouse.archive import ArchiveError, checked
from warehouse.keys import read_keys
from warehouse.lake import ALIAS, attached, reading, transaction, writer_lock
from warehouse.releases import is_as_recorded, recorded_contents
from warehouse.schema import prepare_home
from warehouse.vault import TABLE as VAULT
from warehouse.vault import originals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import duckdb

    from rasso.settings import Settings
    from warehouse.keys import Keys

_PURPOSE = "see whether every token has its original"
_FILES = f"{ALIAS}.ledger.delivery_file"


_DECIDED = f"""
    select hand_over_id || '.decision', verdict, reason, actor from {ALIAS}.ledger.decision
    union all select receipt_id || '.reprocessing', hand_over_id, reason, actor from {ALIAS}.ledger.reprocessing
    union all select waiver_id || '.waiver', concat_ws(' ', supplier, rule_id, expires_on), reason, actor
    from {ALIAS}.ledger.waiver
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be, in words that hold no value of an extract."""

    what: str
    is_fault: bool = True


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison: what was compared, how many things were looked at, and what was found."""

    title: str
    looked_at: int
    findings: tuple[Finding, ...]

    @property
    def has_passed(self) -> bool:
        """Whether nothing is lost, changed, or there twice."""
        return not any(finding.is_fault for finding in self.findings)


def verify(
    settings: Settings, on_check: Callable[[Check], None] | None = None, *, reads_archive: bool = True
) -> list[Check]:
    """Compare what is kept in several places; changes nothing but the log of who opened the vault.

    Where files of the lake are missing, nothing else can be compared.

    Args:
        settings: of the home.
        on_check: called after each comparison.
        reads_archive: read every archived file from beginning to end; without, only whether it is there.

    Raises:
        KeysError: there is no key to read archive and journal with.
        VaultError: the vault cannot be opened.
    """
    prepare_home(settings)
    keys = read_keys(settings)
    done: list[Check] = []
    for check in _checks(settings, keys, reads_archive=reads_archive):
        done.append(check)
        if on_check:
            on_check(check)
    return done


def _checks(settings: Settings, keys: Keys, *, reads_archive: bool) -> Iterator[Check]:
    files = _files_of_the_lake(settings)
    yield files
    if not files.has_passed:  # without them no row can be counted
        return
    with reading(settings) as connection, transaction(connection):  # one snapshot for all of them
        yield _outcomes(connection)
        yield _rows_by_file(connection)
        yield _rows_in_the_lake(connection)
        yield _quarantined(connection)
        entries, unreadable = journal.entries(settings, keys)
        yield _journal(settings, connection, entries, unreadable)
        hand_overs = [entry for entry in entries if isinstance(entry, journal.HandOver)]
        yield _archive(settings, keys, connection, hand_overs, reads_archive=reads_archive)
        yield _left_over(settings, connection)
    yield _tokens(settings, keys)
    yield _release(settings)


def _outcomes(connection: duckdb.DuckDBPyConnection) -> Check:
    """Every hand-over has one terminal outcome, and every claim that is done led to one."""
    twice = connection.execute(
        f"select hand_over_id, count(*) from {ALIAS}.ledger.delivery group by all having count(*) > 1 order by all"
    ).fetchall()
    without = connection.execute(
        f"""
        select hand_over_id from {ALIAS}.ledger.claim where is_done
        except select hand_over_id from {ALIAS}.ledger.delivery order by all
        """
    ).fetchall()
    findings = [Finding(f"hand-over {hand_over_id} has {count} outcomes") for hand_over_id, count in twice]
    findings += [Finding(f"hand-over {hand_over_id} is done and has no outcome") for (hand_over_id,) in without]
    return Check("one outcome for each hand-over", _count(connection, f"{ALIAS}.ledger.delivery"), tuple(findings))


def _rows_by_file(connection: duckdb.DuckDBPyConnection) -> Check:
    """Rows taken in are loaded, quarantined or duplicate."""
    rows = connection.execute(
        f"""
        select hand_over_id, file_id from {ALIAS}.ledger.delivery_file
        where rows_in is distinct from rows_loaded + rows_quarantined + rows_duplicate order by all
        """
    ).fetchall()
    findings = [Finding(f"file {file_id} of hand-over {one}: rows in do not add up") for one, file_id in rows]
    return Check("rows in = loaded + quarantined + duplicate", _count(connection, _FILES), tuple(findings))


def _rows_in_the_lake(connection: duckdb.DuckDBPyConnection) -> Check:
    """The lake holds of each file as many rows as the ledger says were loaded, and none of any other."""
    findings: list[Finding] = []
    looked_at = 0
    for kind in all_contracts():
        table = f"{ALIAS}.extracts.{kind}"
        looked_at += _count(connection, table)
        rows = connection.execute(
            f"""
            with
            found as (select delivery_id, file_id, count(*) as rows from {table} group by all),
            said as (
                select delivery_id, file_id, sum(rows_loaded) as rows
                from {_FILES}
                where kind = {literal(kind)} and rows_loaded > 0 and hand_over_id in {ledger.STANDING}
                group by all
            )
            select delivery_id, file_id, coalesce(found.rows, 0), coalesce(said.rows, 0)
            from found full join said using (delivery_id, file_id)
            where found.rows is distinct from said.rows
            order by all
            """
        ).fetchall()
        findings += [
            Finding(f"{kind}: {found:,} rows of file {file_id} of delivery {one}; the ledger says {said:,}")
            for one, file_id, found, said in rows
        ]
    return Check("rows in the lake", looked_at, tuple(findings))


def _quarantined(connection: duckdb.DuckDBPyConnection) -> Check:
    """The ledger lists as many quarantined rows of each file as it counts, each once."""
    rows = connection.execute(
        f"""
        with
        listed as (
            select delivery_id, file_id, count(*) as rows, count(distinct row_number) as numbers
            from {ALIAS}.ledger.quarantined_row group by all
        ),
        said as (
            select delivery_id, file_id, sum(rows_quarantined) as rows
            from {_FILES} where rows_quarantined > 0 and hand_over_id in {ledger.STANDING} group by all
        )
        select delivery_id, file_id from listed full join said using (delivery_id, file_id)
        where listed.rows is distinct from said.rows or listed.rows <> listed.numbers
        order by all
        """
    ).fetchall()
    findings = [
        Finding(f"file {file_id} of delivery {one}: quarantined rows listed and counted differ")
        for one, file_id in rows
    ]
    return Check("quarantined rows", _count(connection, f"{ALIAS}.ledger.quarantined_row"), tuple(findings))


def _journal(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    written: Sequence[journal.Entry],
    unreadable: Sequence[str],
) -> Check:
    """Journal and ledger know the same hand-overs and the same decisions."""
    findings = [Finding(f"entry {name} of the journal cannot be read") for name in unreadable]
    hand_overs = {entry.hand_over_id for entry in written if isinstance(entry, journal.HandOver)}
    decided = {entry.entry_name: _words_of(entry) for entry in written if not isinstance(entry, journal.HandOver)}
    recorded = _texts(connection, f"select hand_over_id from {ALIAS}.ledger.delivery")
    named = hand_overs | {name.partition(".")[0] for name in unreadable}
    findings += [Finding(f"hand-over {one} is not in the journal") for one in sorted(recorded - named)]
    still_there = {landed.hand_over_id for landed in waiting(settings.landing)}
    still_there |= decision_ledger.open_receipts(connection).keys()
    for one in sorted(hand_overs - recorded):
        if one in still_there:
            findings.append(Finding(f"hand-over {one} waits for the next sweep", is_fault=False))
        else:
            findings.append(Finding(f"hand-over {one} of the journal is not in the ledger"))
    for name, *words in connection.execute(_DECIDED).fetchall():
        if decided.pop(name, None) != tuple(words):
            findings.append(Finding(f"what the ledger says of {name} is not what the journal says"))
    findings += [Finding(f"{name} waits for the next sweep", is_fault=False) for name in sorted(decided)]
    return Check("journal and ledger", len(written) + len(unreadable), tuple(findings))


def _words_of(decided: journal.Decided) -> tuple[str, str, str]:
    """What was decided, the reason and who decided, as ``_DECIDED`` selects it of the ledger."""
    what: str
    match decided:
        case journal.Decision():
            what = decided.verdict
        case journal.Reprocessing():
            what = decided.hand_over_id
        case journal.Waiver():
            what = f"{decided.supplier} {decided.rule_id} {decided.expires_on}"
    return what, decided.reason, decided.actor


def _archive(
    settings: Settings,
    keys: Keys,
    connection: duckdb.DuckDBPyConnection,
    hand_overs: Sequence[journal.HandOver],
    *,
    reads_archive: bool,
) -> Check:
    """Every file that was handed over is in the archive, with the bytes that its name says."""
    wanted = _texts(connection, f"select distinct sha256 from {_FILES}")
    wanted |= {sha256 for entry in hand_overs for sha256 in entry.files.values()}
    findings = []
    for sha256 in sorted(wanted):
        if not reads_archive:
            if not (settings.archive / sha256[:2] / sha256).is_file():
                findings.append(Finding(f"the archive holds no file {sha256}"))
            continue
        try:
            checked(settings, keys, sha256)
        except ArchiveError as error:
            findings.append(Finding(str(error)))
    stored = {path.name for path in settings.archive.glob("??/*") if not path.name.startswith(".")}
    findings += [Finding(f"nobody handed over {sha256}", is_fault=False) for sha256 in sorted(stored - wanted)]
    return Check("archived files" if reads_archive else "archived files (names only)", len(wanted), tuple(findings))


def _left_over(settings: Settings, connection: duckdb.DuckDBPyConnection) -> Check:
    """What processes leave when they are killed, and nobody is at work on."""
    at_work = _texts(
        connection, f"select hand_over_id from {ALIAS}.ledger.claim where worker is not null and not is_done"
    )
    staged = [path for path in (settings.lake / "staged").glob("*") if path.name not in at_work]
    unfinished = list(settings.archive.glob("*/.*")) + list(settings.site.glob(".work-*"))
    findings = [Finding(f"{path.relative_to(settings.root)} is left over", is_fault=False) for path in staged]
    findings += [
        Finding(f"{path.relative_to(settings.root)} is unfinished, or being written", is_fault=False)
        for path in unfinished
    ]
    return Check("what is left over", len(findings), tuple(findings))


def _files_of_the_lake(settings: Settings) -> Check:
    """Every file that the catalogue names is there; others are of transactions that never ended."""
    with writer_lock(settings), attached(settings) as connection:  # or a commit on its way would look left over
        tables = connection.execute(
            f"select schema_name, table_name from duckdb_tables() where database_name = {literal(ALIAS)} order by all"
        ).fetchall()
        missing, looked_at = [], 0
        for schema, table in tables:
            listed = connection.execute(
                f"from ducklake_list_files('{ALIAS}', {literal(table)}, schema => {literal(schema)})"
                " select data_file, delete_file"
            ).fetchall()
            paths = [path for row in listed for path in row if path]
            looked_at += len(paths)
            missing += [f"{schema}.{table}: {_name(path)}" for path in paths if not _is_there(connection, path)]
        orphans = connection.execute(
            f"call ducklake_delete_orphaned_files('{ALIAS}', dry_run => true, cleanup_all => true)"
        ).fetchall()
    findings = [Finding(f"a file of the lake is missing: {name}") for name in missing]
    findings += [Finding(f"no table names the file {_name(path)}", is_fault=False) for (path, *_) in orphans]
    return Check("files of the lake", looked_at, tuple(findings))


def _tokens(settings: Settings, keys: Keys) -> Check:
    """Every token in the lake has its original in the vault, once."""
    findings: list[Finding] = []
    with originals(settings, keys, _PURPOSE) as connection:
        for contract in all_contracts().values():
            for column in (column for column in contract.columns if column.case_reference):
                missing = connection.execute(
                    f"""
                    select count(distinct tokens.token)
                    from (
                        select {column.stored_as} as token from {ALIAS}.extracts.{contract.kind}
                        where {column.stored_as} is not null
                    ) as tokens
                    anti join (from {VAULT} where entity = '{column.case_reference}') as known using (token)
                    """
                ).fetchall()[0][0]
                if missing:
                    findings.append(
                        Finding(f"{contract.kind}.{column.stored_as}: {missing:,} tokens without an original")
                    )
        twice = connection.execute(
            f"select count(*) from (select 1 from {VAULT} group by entity, token having count(*) > 1)"
        ).fetchall()[0][0]
        if twice:
            findings.append(Finding(f"{twice:,} tokens stand for their original more than once"))
        return Check("tokens and the vault", _count(connection, VAULT), tuple(findings))


def _release(settings: Settings) -> Check:
    """The release that is shown holds what was recorded of it before it was shown."""
    title = "the release that is shown"
    shown = (settings.site / "current").resolve()  # before the ledger is asked, which knows it by then
    if not shown.is_dir():
        return Check(title, 0, ())
    with reading(settings) as connection:
        contents = recorded_contents(connection)
    findings = []
    if shown.name not in contents:
        findings.append(Finding(f"nobody recorded release {shown.name}; publish again"))
    elif contents[shown.name] is None:
        findings.append(Finding(f"release {shown.name} was recorded without the hash of its content", is_fault=False))
    elif not is_as_recorded(shown, contents):
        findings.append(Finding(f"release {shown.name} is not what was published; publish again"))
    return Check(title, sum(path.is_file() for path in shown.rglob("*")), tuple(findings))


def _count(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    return int(connection.execute(f"select count(*) from {relation}").fetchall()[0][0])


def _texts(connection: duckdb.DuckDBPyConnection, query: str) -> set[str]:
    return {row[0] for row in connection.execute(query).fetchall()}


def _is_there(connection: duckdb.DuckDBPyConnection, path: str) -> bool:
    """Wherever the lake's data is kept."""
    return bool(connection.execute(f"from glob({literal(path)})").fetchall())


def _name(path: str) -> str:
    return path.rsplit("/", 1)[-1]

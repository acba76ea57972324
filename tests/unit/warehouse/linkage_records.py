"""Made-up crimes, referrals and receipts for tests of the linkage, and two places to link them in.

``LinkHome`` is a real home: a lake, an encrypted vault, locks and runs. ``LinkDesk`` has the same tables in memory and
compares the same records by the same statements in a tenth of the time. The intake itself is tested elsewhere: a
delivery here is rows, originals, and a ledger row.
"""

from __future__ import annotations

import hashlib
import secrets
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from extracts.contract import all_contracts
from extracts.encrypted import MemoryFile
from extracts.tokens import token_macros
from tests.homes import prepared_home
from warehouse.keys import Keys, read_keys
from warehouse.lake import reading, transaction, writing
from warehouse.ledger import without_zone
from warehouse.linkage import LinkOutcome, bridge, link, run, scope
from warehouse.schema import LEDGER, LINKAGE, extract_columns
from warehouse.vault import COLUMNS, remember

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rasso.settings import Settings

DAY = date(2020, 3, 10)
SENT_AT = datetime(2020, 4, 8, tzinfo=UTC)


@dataclass(frozen=True)
class Crime:
    """A recorded crime."""

    crime_reference: str
    force_code: str = "20"
    police_unit: str = "20AB"
    offence_code: str = "19C"
    reported_date: date = DAY - timedelta(days=90)
    victim_age_band: str = "25_to_34"
    not_referred_reason: str | None = None
    is_withdrawn: bool | None = None


@dataclass(frozen=True)
class Referral:
    """A submission by the police, with references as they were typed."""

    urn: str
    crime_reference: str
    force_code: str = "20"
    suspect_number: int = 1
    submission_type: str = "charging_decision"
    submitted_date: date = DAY
    is_withdrawn: bool | None = None


@dataclass(frozen=True)
class Receipt:
    """A receipt of the CPS."""

    urn: str
    force_code: str = "20"
    police_unit: str = "20AB"
    suspect_number: int = 1
    receipt_type: str = "charging_decision"
    received_date: date = DAY + timedelta(days=1)
    monitoring_flags: str | None = "RAPE"
    cps_area_code: str = "13"
    is_withdrawn: bool | None = None


Record = Crime | Referral | Receipt
KINDS: dict[type[Record], str] = {Crime: "police_crimes", Referral: "police_referrals", Receipt: "cps_receipts"}


class LinkPlace(ABC):
    """Where records are delivered and linked, and what tests ask of it."""

    keys: Keys

    @abstractmethod
    def deliver(self, *records: Record, sent_at: datetime = SENT_AT) -> str:
        """Have one accepted delivery of these records; returns its id."""

    @abstractmethod
    def link(self, *, threshold: float = 0.9) -> LinkOutcome:
        """Run the linkage."""

    @abstractmethod
    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the lake."""

    def bridge(self) -> list[tuple[Any, ...]]:
        """The whole bridge and what is not linked, without run ids, in a fixed order."""
        tables = ("crime_case_link", "unlinked_referral")
        queries = [f"select columns(c -> c <> 'run_id') from lake.linkage.{table} order by all" for table in tables]
        return [row for query in queries for row in self.rows(query)]

    def methods(self) -> list[str]:
        """Method of each link, in alphabetical order."""
        return [row[0] for row in self.rows("select method from lake.linkage.crime_case_link order by method")]

    def links(self) -> set[tuple[str, str]]:
        """Pairs of crime token and URN token that are linked."""
        return {
            (row[0], row[1])
            for row in self.rows("select crime_reference_token, urn_token from lake.linkage.crime_case_link")
        }

    def crime_token(self, crime: Crime | Referral) -> str:
        """The token of a crime reference."""
        return self._token("token_of_crime(?, ?)", crime.force_code, crime.crime_reference)

    def urn_token(self, case: Receipt | Referral) -> str:
        """The token of a URN."""
        return self._token("token_of_urn(?)", case.urn)

    def pair(self, crime: Crime, case: Receipt) -> tuple[str, str]:
        """Tokens of a crime and a case, as ``links`` has them."""
        return self.crime_token(crime), self.urn_token(case)

    def true_links(self, truth: Mapping[Referral, tuple[str, str]]) -> dict[tuple[Any, ...], tuple[str, str]]:
        """By key of a referral (as the bridge has it), the tokens of its true crime and its true case."""
        rows = [
            (r.force_code, r.urn, r.crime_reference, r.suspect_number, r.submission_type, r.submitted_date, *true)
            for r, true in truth.items()
        ]
        names = ("force", "urn", "crime", "suspect", "type", "day", "true_crime", "true_urn")
        with duckdb.connect() as connection:
            connection.execute(token_macros(self.keys.token))
            connection.register("typed", pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))))
            found = connection.execute(
                """
                select
                    force, token_of_urn(urn), urn_suffix(urn), token_of_crime(force, crime), suspect, type, day,
                    token_of_crime(force, true_crime), token_of_urn(true_urn)
                from typed
                """
            ).fetchall()
        return {row[:7]: row[7:] for row in found}

    def _token(self, expression: str, *values: str) -> str:
        with duckdb.connect() as connection:
            connection.execute(token_macros(self.keys.token))
            return str(connection.execute(f"select {expression}", list(values)).fetchall()[0][0])


@dataclass(frozen=True)
class LinkHome(LinkPlace):
    """A real home."""

    settings: Settings
    keys: Keys

    @classmethod
    def of(cls, settings: Settings) -> LinkHome:
        """A home with the keys of the tests."""
        return cls(settings, read_keys(settings))

    @classmethod
    def at(cls, folder: Path) -> LinkHome:
        """An empty home in a folder, with the keys of the tests."""
        settings = prepared_home(folder)
        return cls.of(settings)

    def deliver(self, *records: Record, sent_at: datetime = SENT_AT) -> str:
        """Put originals into the vault first, then rows into the lake in one transaction."""
        tokenised = _Tokenised(self.keys, records)
        path, key = self.settings.root / f"references-{secrets.token_hex(4)}", secrets.token_bytes(32)
        with MemoryFile() as file:
            tokenised.connection.execute(f"copy originals to '{file.path}' (format parquet, use_tmp_file false)")
            file.save(path, key)
        assert remember(self.settings, self.keys, [path], key)
        path.unlink()
        with writing(self.settings) as connection, transaction(connection):
            return tokenised.insert(connection, sent_at)

    def link(self, *, threshold: float = 0.9) -> LinkOutcome:
        """Run the linkage as the command line does."""
        return link(self.settings.model_copy(update={"link_threshold": threshold}), self.keys)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the lake as others see it."""
        with reading(self.settings) as connection:
            return connection.execute(query).fetchall()


class LinkDesk(LinkPlace):
    """The tables of lake and vault in memory."""

    def __init__(self, keys: Keys) -> None:
        self.keys, self._connection = keys, duckdb.connect(config={"threads": 2})
        tables = {f"lake.ledger.{name}": LEDGER[name] for name in ("delivery", "delivery_file")}
        tables |= {f"lake.linkage.{name}": columns for name, columns in LINKAGE.items()}
        tables |= {f"lake.extracts.{kind}": _columns_of(kind) for kind in KINDS.values()}
        tables["vault.reference"] = COLUMNS
        for database in ("lake", "vault"):
            self._connection.execute(f"attach ':memory:' as {database}")
        for schema in ("ledger", "linkage", "extracts"):
            self._connection.execute(f"create schema lake.{schema}")
        for table, columns in tables.items():
            self._connection.execute(f"create table {table} ({columns})")

    def deliver(self, *records: Record, sent_at: datetime = SENT_AT) -> str:
        """Put rows and originals into the tables."""
        tokenised = _Tokenised(self.keys, records)
        self._connection.register("originals", tokenised.connection.execute("from originals").to_arrow_table())
        self._connection.execute(
            "insert into vault.reference select *, 1 from originals anti join vault.reference using (entity, token)"
        )
        return tokenised.insert(self._connection, sent_at)

    def link(self, *, threshold: float = 0.9) -> LinkOutcome:
        """Do what a run does to the tables."""
        is_full = run.is_full(self._connection, threshold)
        deliveries = scope.find_new_deliveries(self._connection, is_full=is_full)
        run.compare(self._connection, threshold, is_full=is_full)
        record = run.record_of(self._connection, SENT_AT, 0, len(deliveries), threshold, is_full=is_full)
        bridge.write(self._connection, record)
        counts = (record.exact_count, record.repaired_count, record.probabilistic_count, record.unlinked_count)
        return LinkOutcome(record.run_id, *counts, 0.0)

    def execute(self, statement: str) -> None:
        """Change the tables as another version of the code left them."""
        self._connection.execute(statement)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the tables."""
        return self._connection.execute(query).fetchall()


class _Tokenised:
    """Records of one delivery as the lake holds them, and apart from them their originals."""

    def __init__(self, keys: Keys, records: Sequence[Record]) -> None:
        self._digest = hashlib.sha256(repr(records).encode())
        self.connection = duckdb.connect()
        self.connection.execute(token_macros(keys.token))
        self.connection.execute(
            "create table originals (entity varchar, token varchar, scope varchar, original varchar)"
        )
        tables = {kind: [record for record in records if type(record) is kind] for kind in KINDS}
        self._rows = {KINDS[kind]: self._with_tokens(found) for kind, found in tables.items() if found}

    def insert(self, connection: duckdb.DuckDBPyConnection, sent_at: datetime) -> str:
        """Insert the rows and what the ledger says of them; returns the delivery's id."""
        self._digest.update(sent_at.isoformat().encode())
        delivery_id = self._digest.hexdigest()
        for kind, table in self._rows.items():
            connection.register("arrived", table)
            columns = ", ".join(table.column_names)
            connection.execute(
                f"insert into lake.extracts.{kind} (delivery_id, file_id, row_number, {columns})"
                f" select '{delivery_id}', 0, row_number() over (), {columns} from arrived"
            )
            connection.execute(
                "insert into lake.ledger.delivery_file (hand_over_id, delivery_id, file_id, kind) values (?, ?, 0, ?)",
                [delivery_id[:16], delivery_id, kind],
            )
        connection.execute(
            """
            insert into lake.ledger.delivery (hand_over_id, delivery_id, supplier, sent_at, state, is_synthetic)
            values (?, ?, 'west-midlands-police', ?, 'accepted', true)
            """,
            [delivery_id[:16], delivery_id, without_zone(sent_at)],
        )
        return delivery_id

    def _with_tokens(self, records: Sequence[Record]) -> pa.Table:
        names = [field.name for field in fields(records[0])]
        self.connection.register(
            "arrived", pa.table({name: [getattr(record, name) for record in records] for name in names})
        )
        replaced = []
        for name, entity, scope_of, token, original, others in (
            ("urn", "urn", "''", "token_of_urn(urn)", "normalised_urn(urn)", ["urn_suffix(urn) as urn_suffix"]),
            (
                *("crime_reference", "crime", "force_code"),
                *("token_of_crime(force_code, crime_reference)", "normalised_crime_reference(crime_reference)", []),
            ),
        ):
            if name in names:
                self.connection.execute(
                    f"insert into originals select distinct '{entity}', {token}, {scope_of}, {original} from arrived"
                    " except from originals"
                )
                replaced += [f"{token} as {name}_token", *others]
        kept = [name for name in names if name not in ("urn", "crime_reference")]
        return self.connection.execute(f"select {', '.join(replaced + kept)} from arrived").to_arrow_table()


def _columns_of(kind: str) -> str:
    return ", ".join(f"{name} {sql_type}" for name, sql_type in extract_columns(all_contracts()[kind]).items())

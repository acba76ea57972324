"""Tokens: HMAC-SHA-256 as Python computes it, over references normalised as suppliers write them and never repaired."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import TYPE_CHECKING

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extracts.tokens import MACROS, token_macros

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = secrets.token_bytes(32)
DIGITS = str.maketrans("OQDILZSBG", "000112586")


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the macros, locked as the one that stages."""
    with duckdb.connect() as connection:
        connection.execute(token_macros(KEY))
        connection.execute("set lock_configuration = true")
        yield connection


def ask(connection: duckdb.DuckDBPyConnection, expression: str, *values: str | None) -> str | None:
    row = connection.execute(f"select {expression}", list(values)).fetchone()
    assert row is not None
    return row[0]  # type: ignore[no-any-return]


def hmac_of(message: str) -> str:
    return hmac.new(KEY, message.encode(), hashlib.sha256).hexdigest()[:32]


def is_whole(text: str) -> bool:
    """Whether a text is a URN with slashes at most between its parts: the parts are cut off one by one from the end."""
    parts, rest = [], text
    for length in (2, 5, 2):
        rest, part = rest[:-length], rest[-length:]
        parts.append(part)
        rest = rest.rstrip("/")
    if any("/" in part for part in [*parts, rest]) or [len(part) for part in parts] != [2, 5, 2]:
        return False
    digits = parts[0] + parts[1] + rest
    if len(rest) == 1:
        return digits.isdigit()
    return len(rest) == 2 and digits.translate(DIGITS).isdigit()


def twin(urn: str) -> tuple[str | None, str]:
    """Normalised URN and suffix, computed another way: part by part."""
    text = re.sub(r"[\s\xa0-]", "", urn.upper(), flags=re.ASCII)
    before, slash, after = text.rpartition("/")
    if slash and is_whole(before.strip("/")) and re.fullmatch("[A-Z0-9]{1,2}", after):
        return before.replace("/", "") or None, after
    return text.replace("/", "") or None, ""


URNS = [  # as written, normalised, suffix, form, force code
    ("20AB1234567", "20AB1234567", "", "standard", "20"),
    (" 20ab 1234567 ", "20AB1234567", "", "standard", "20"),
    ("20/AB/12345/67", "20AB1234567", "", "standard", "20"),
    ("20-AB-12345-67", "20AB1234567", "", "standard", "20"),
    ("20AB\u00a01234567", "20AB1234567", "", "standard", "20"),
    ("20AB1234567/1", "20AB1234567", "1", "standard", "20"),
    ("20AB1234567/12", "20AB1234567", "12", "standard", "20"),
    ("20/AB/12345/67/1", "20AB1234567", "1", "standard", "20"),
    ("20AB1234567 / 1", "20AB1234567", "1", "standard", "20"),
    ("20AB1234567/", "20AB1234567", "", "standard", "20"),
    ("20AB1234567/123", "20AB1234567123", "", "malformed", None),
    ("01001234567", "01001234567", "", "standard", "01"),
    ("1MP1234567", "1MP1234567", "", "lost_zero", "01"),
    ("1MP1234567/2", "1MP1234567", "2", "lost_zero", "01"),
    ("1/MP/12345/67", "1MP1234567", "", "lost_zero", "01"),
    ("2OAB1234567", "2OAB1234567", "", "confusable", None),
    ("20AB12E4567", "20AB12E4567", "", "malformed", None),
    ("20AB1Z34S6B", "20AB1Z34S6B", "", "confusable", None),
    ("20OS1234567", "20OS1234567", "", "standard", "20"),
    ("2QDIL1Z345G", "2QDIL1Z345G", "", "confusable", None),
    ("20AB123456", "20AB123456", "", "malformed", None),
    ("20AB123456/7", "20AB1234567", "", "standard", "20"),
    ("20AB12345678/1", "20AB123456781", "", "malformed", None),
    ("20/01/123456/17", "200112345617", "", "malformed", None),
    ("20/AB/123456/17", "20AB12345617", "", "malformed", None),
    ("2/001/12345/67/1", "20011234567" + "1", "", "malformed", None),
    ("2O/AB/I2345/67/1", "2OABI234567", "1", "confusable", None),
    ("1/MP/12345/67/2", "1MP1234567", "2", "lost_zero", "01"),
    ("IMP1234567/2", "IMP12345672", "", "malformed", None),
    ("/20AB1234567//1", "20AB1234567", "1", "standard", "20"),
    ("20AB12345678", "20AB12345678", "", "malformed", None),
    ("none", "NONE", "", "malformed", None),
    ("/", None, "", "malformed", None),
    ("  ", None, "", "malformed", None),
]


@pytest.mark.parametrize(("urn", "expected"), [(urn, expected) for urn, *expected in URNS])
def test_a_urn_is_normalised_and_its_form_named(
    connection: duckdb.DuckDBPyConnection, urn: str, expected: list[str | None]
) -> None:
    macros = ("normalised_urn", "urn_suffix", "urn_form", "urn_force_code")

    assert [ask(connection, f"{macro}(?)", urn) for macro in macros] == expected


@pytest.mark.parametrize(
    ("reference", "normalised"),
    [
        ("20/12345/18", "201234518"),
        (" 20e1-0012345-18 ", "20E1001234518"),
        ("CRM.2018_000123", "CRM2018000123"),
        ("0012", "0012"),
        ("ŵ/1", "Ŵ1"),
        ("-/-", None),
        ("", None),
    ],
)
def test_of_a_crime_reference_letters_and_digits_are_kept(
    connection: duckdb.DuckDBPyConnection, reference: str, normalised: str | None
) -> None:
    assert ask(connection, "normalised_crime_reference(?)", reference) == normalised


@pytest.mark.parametrize(
    "macro", ["normalised_urn(?)", "urn_suffix(?)", "urn_form(?)", "urn_force_code(?)", "token_of_urn(?)"]
)
def test_null_stays_null(connection: duckdb.DuckDBPyConnection, macro: str) -> None:
    assert ask(connection, macro, None) is None


@settings(max_examples=300, deadline=None)
@given(
    urn=st.text(alphabet="0123456789ABZOQDILSG/- abz", max_size=18)
    | st.from_regex(r"/?[0-9O]{1,2}/?[0-9AB]{2}/?[0-9S]{4,6}/?[0-9Z]{1,2}/{0,2}[A0-9]{0,3}", fullmatch=True)
)
def test_a_urn_is_normalised_as_another_way_of_computing_it_says(
    connection: duckdb.DuckDBPyConnection, urn: str
) -> None:
    normalised, suffix = twin(urn)

    assert ask(connection, "normalised_urn(?)", urn) == normalised
    assert ask(connection, "urn_suffix(?)", urn) == suffix
    assert ask(connection, "token_of_urn(?)", urn) == (hmac_of(f"urn|{normalised}") if normalised else None)


@settings(max_examples=200, deadline=None)
@given(message=st.text(max_size=200).filter(lambda text: "\0" not in text))
def test_a_token_is_the_hmac_that_python_computes(connection: duckdb.DuckDBPyConnection, message: str) -> None:
    assert ask(connection, "token_of(?)", message) == hmac_of(message)


def test_a_crime_reference_is_tokenised_with_its_force(connection: duckdb.DuckDBPyConnection) -> None:
    tokens = {force: ask(connection, "token_of_crime(?, '1234/18')", force) for force in ("20", "43")}

    assert tokens == {"20": hmac_of("crime|20|123418"), "43": hmac_of("crime|43|123418")}


@pytest.mark.parametrize("expression", ["token_of_crime(null, '1234')", "token_of_crime('20', null)"])
def test_a_crime_reference_without_its_force_has_no_token(
    connection: duckdb.DuckDBPyConnection, expression: str
) -> None:
    assert ask(connection, expression) is None


def test_a_urn_and_a_crime_reference_of_the_same_text_have_different_tokens(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    assert ask(connection, "token_of_urn('123')") != ask(connection, "token_of_crime('', '123')")


def test_another_key_makes_other_tokens() -> None:
    tokens = set()
    for _ in range(2):
        with duckdb.connect() as other:
            other.execute(token_macros(secrets.token_bytes(32)))
            tokens.add(ask(other, "token_of_urn('20AB1234567')"))

    assert len(tokens) == 2


def test_without_a_key_forms_are_known_and_there_are_no_tokens() -> None:
    with duckdb.connect() as keyless:
        keyless.execute(MACROS)

        assert ask(keyless, "urn_form('20AB1234567')") == "standard"
        assert ask(keyless, "token_of_urn('20AB1234567')") is None


@pytest.mark.parametrize("key", [b"", bytes(16), bytes(64)])
def test_a_key_of_another_length_is_refused(key: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        token_macros(key)


def test_no_error_of_a_query_shows_the_key(connection: duckdb.DuckDBPyConnection) -> None:
    inner = bytes(byte ^ 0x36 for byte in KEY)
    for query in ("select token_of_urn(1, 2)", "select token_of_urn('a') + 1", "select error(token_of_urn('a'))"):
        with pytest.raises(duckdb.Error) as fault:
            connection.execute(query).fetchall()

        assert KEY.hex() not in str(fault.value).lower()
        assert inner.hex() not in str(fault.value).lower()

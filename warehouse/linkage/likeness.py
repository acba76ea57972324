"""Likeness of references: what may have happened between a reference as it was typed and the right one.

Belongs here: SQL over originals, used inside the vault's boundary only. Does not belong here: whether a likeness is
believed (``repaired``, ``probabilistic``).

A reference with one fault is found without comparing it with all others: every text that differs from it by one fault
is written out and looked up, some 700 for one of 12 characters. Letters that are taken for digits are folded into them
first, on both sides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

_ALPHABET = "0123456789ACEFHJKMNPRTUVWXY"  # what is left after folding
_LONGEST = 30  # no reference is longer; a longer text is not written out in all its variants

# As staging reads a URN: O, Q and D for 0, I and L for 1, Z for 2, S for 5, B for 8, G for 6.
FOLDED = "translate({}, 'OQDILZSBG', '000112586')"

# The beginning and the end of a folded reference, a little less than half of it each. Two references that differ by one
# fault have one of them in common; ``lengths`` allows for a character too few or too many.
EDGES = """
    select
        *,
        unnest(list_distinct(flatten(list_transform({lengths}, lambda change: [
            '<' || left(folded, (length(folded) + change - 2) // 2),
            '>' || right(folded, (length(folded) + change - 2) // 2)
        ])))) as edge,
    from {relation}
"""


def prepare_likeness(connection: duckdb.DuckDBPyConnection) -> None:
    """Define ``fault(typed, original)``: the one thing that happened to a reference, or ``several``.

    ``lost_zero`` a 0 is missing, ``confusable`` letters stand for digits or digits for letters, ``swapped`` two
    neighbours changed places, ``typo`` one character is wrong, missing or too many.
    """
    connection.execute(
        f"""
        create or replace temp macro fault(typed, original) as case
            when typed = original then 'none'
            when length(original) = length(typed) + 1 and levenshtein(typed, original) = 1
                and replace(typed, '0', '') = replace(original, '0', '') then 'lost_zero'
            when {FOLDED.format("typed")} = {FOLDED.format("original")} then 'confusable'
            when levenshtein(typed, original) = 1 then 'typo'
            when damerau_levenshtein(typed, original) = 1 then 'swapped'
            else 'several'
        end
        """
    )


def find_alike(connection: duckdb.DuckDBPyConnection, typed: str, originals: str, target: str) -> None:
    """Fill ``target`` (referral_id, token, fault) with the originals that a typed reference may stand for.

    Args:
        connection: has the vault and ``fault``.
        typed: relation (referral_id, scope, original): references as they were typed.
        originals: relation (token, scope, original); the scope is the force.
        target: the temporary table; without equal references, with those of one fault, counted after folding.
    """
    connection.execute(
        f"""
        create or replace temp table {target} as
        with
        typed as (
            select referral_id, scope, original, {FOLDED.format("original")} as folded
            from {typed}
            where length(original) <= {_LONGEST}
        ),
        places as (select *, unnest(range(length(folded) + 1)) as place from typed),
        alphabet as (select unnest(string_split('{_ALPHABET}', '')) as character),
        variants as (
            select referral_id, scope, original, folded as variant from typed
            union all
            select referral_id, scope, original, left(folded, place) || substr(folded, place + 2)
            from places where place < length(folded)
            union all
            select referral_id, scope, original, left(folded, place) || character || substr(folded, place + 2)
            from places, alphabet where place < length(folded)
            union all
            select referral_id, scope, original, left(folded, place) || character || substr(folded, place + 1)
            from places, alphabet
            union all
            select
                referral_id, scope, original,
                left(folded, place) || substr(folded, place + 2, 1) || substr(folded, place + 1, 1)
                || substr(folded, place + 3)
            from places where place < length(folded) - 1
        ),
        candidates as (select token, scope, original, {FOLDED.format("original")} as folded from {originals}),
        alike as (
            select distinct variants.referral_id, variants.original as typed, candidates.token, candidates.original
            from variants
            inner join candidates on variants.scope = candidates.scope and variants.variant = candidates.folded
            where variants.original <> candidates.original
        )
        select referral_id, token, fault(typed, original) as fault from alike
        """
    )

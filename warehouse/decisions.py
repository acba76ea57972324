"""Decisions: what people decide, and first of all about deliveries that were held.

Belongs here: releases and rejections, and what all decisions share: their words, their way into journal and ledger, and
which deliveries are received because of them. Does not belong here: which deliveries are received again
(``warehouse.reprocessing``), which rules hold no longer (``warehouse.waivers``), and receiving (``warehouse.intake``).

A decision is first an entry of the journal, signed and synced, then a row of the ledger. A process that is killed in
between, or before a released delivery is received, leaves the rest to the next sweep (``take_up``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from extracts.names import holds_reference, shown
from warehouse import decision_ledger, journal, ledger
from warehouse.arrival import FromArchive
from warehouse.journal import Decision, Waiver
from warehouse.keys import read_keys
from warehouse.lake import reading, transaction, writing
from warehouse.record import NEVER_RELEASED
from warehouse.schema import prepare_home

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Literal

    import duckdb

    from rasso.settings import Settings
    from warehouse.journal import Decided
    from warehouse.keys import Keys

LEAST_REASON = 10  # characters; "ok" tells an auditor nothing
_LEAST_ACTOR = 2
_LONGEST = 500
_LEAST_ID = 6  # characters that name a delivery


class DecisionError(ValueError):
    """A decision that cannot be made; nothing was changed, and the message says what to do."""


def decide(
    settings: Settings, name: str, verdict: Literal["release", "reject"], *, reason: str, actor: str
) -> Decision:
    """Record a decision about a held delivery; to receive what was released is the next step, or the sweep's.

    Args:
        settings: of the home.
        name: hand-over id, the beginning of one, or supplier/delivery.
        verdict: load it although there are reasons not to, or never.
        reason: why, in words that hold nothing about a person.
        actor: who decided.

    Raises:
        DecisionError: there is no such delivery, it is not held, somebody decided before, or the words are no good.
        KeysError: there is no key to sign with.
        ArchiveError: the journal cannot be read.
    """
    reason, actor = checked_words(reason, actor)
    prepare_home(settings)
    take_up(settings)
    keys = read_keys(settings)
    with writing(settings) as connection:
        held = _held(decision_ledger.deliveries_called(connection, name), name)
        if held.is_asked_for:
            raise DecisionError(
                f"{_called(held)} waits to be received again (rasso receive); decide about what comes of it"
            )
        if held.is_release:
            raise DecisionError(f"{_called(held)} was released and stays held all the same: {held.reason}")
        if verdict == "release" and held.reason_code in NEVER_RELEASED:
            raise DecisionError(f"{_called(held)} cannot be released: {held.reason}")
        journal.hand_over(settings, keys, held.hand_over_id)  # what is not there could not be received again
        decision = Decision(held.hand_over_id, verdict, reason, actor, settings.as_of, ledger.now())
        record(settings, keys, connection, [decision])
    return decision


def record(settings: Settings, keys: Keys, connection: duckdb.DuckDBPyConnection, decided: Iterable[Decided]) -> None:
    """Write what was decided, to the journal first; ``connection`` is a writer's."""
    made = list(decided)
    for entry in made:
        journal.record(settings, keys, entry)
    with transaction(connection):
        decision_ledger.insert_decided(connection, made)


def take_up(settings: Settings) -> None:
    """Record in the ledger what the journal alone knows; asks for no key where it knows nothing more.

    Raises:
        KeysError: there is no key to read the journal with.
        ArchiveError: an entry is damaged.
    """
    written = journal.names_of_decided(settings)
    if not written:
        return
    with reading(settings) as connection:
        if written <= decision_ledger.recorded_decisions(connection):
            return
    keys = read_keys(settings)
    with writing(settings) as connection:
        entries = journal.decided(settings, keys, written - decision_ledger.recorded_decisions(connection))
        with transaction(connection):
            decision_ledger.insert_decided(connection, entries)


def to_receive(settings: Settings, hand_over_ids: Iterable[str]) -> list[FromArchive]:
    """Of these, the deliveries that people released, or wanted received again, and that are still to be received."""
    wanted = set(hand_over_ids)
    with reading(settings) as connection:
        names = [name for receipt_id, name in decision_ledger.open_receipts(connection).items() if receipt_id in wanted]
    if not names:
        return []
    keys = read_keys(settings)
    made = journal.decided(settings, keys, names)
    return [
        FromArchive.decided(journal.hand_over(settings, keys, entry.hand_over_id), entry)
        for entry in sorted(made, key=lambda entry: names.index(entry.entry_name))
        if not isinstance(entry, Waiver)
    ]


def _held(found: Sequence[decision_ledger.NamedDelivery], name: str) -> decision_ledger.NamedDelivery:
    """The one delivery that is meant, where it waits for a decision."""
    if not found or len(name) < _LEAST_ID:
        raise DecisionError(f"no delivery is called {shown(name)}; rasso status lists them all")
    waiting = [one for one in found if one.state == "held" and one.verdict is None and not one.is_replaced]
    if len(waiting) > 1:
        ids = ", ".join(one.hand_over_id for one in waiting)
        raise DecisionError(f"{len(waiting)} held deliveries are called so; name one by its id: {ids}")
    if waiting:
        return waiting[0]
    replaced = [one for one in found if one.is_replaced and one.state == "held" and one.verdict is None]
    if replaced:
        raise DecisionError(
            f"{_called(replaced[-1])} was received again since; rasso status --all tells what came of it"
        )
    for one in reversed(found):  # a release bears the name of what was held
        if one.verdict is not None:
            raise DecisionError(f"{_called(one)} was decided about before: {one.verdict}, by {one.actor}")
    raise DecisionError(f"{_called(found[-1])} is {found[-1].state} and not held; there is nothing to decide")


def checked_words(reason: str, actor: str) -> tuple[str, str]:
    """Reason and actor as they are kept.

    Raises:
        DecisionError: they are too short or too long, cannot be shown, or read like a case reference.
    """
    return _words("reason", reason, LEAST_REASON), _words("actor", actor, _LEAST_ACTOR)


def _words(what: str, text: str, least: int) -> str:
    words = " ".join(text.split())
    if not least <= len(words) <= _LONGEST:
        raise DecisionError(f"the {what} has {least} to {_LONGEST} characters: auditors read it when nobody remembers")
    if not words.isprintable():
        raise DecisionError(f"the {what} holds characters that cannot be shown")
    if holds_reference(words):
        raise DecisionError(f"the {what} reads like a case reference, and is stored and shown as it is; leave it out")
    return words


def _called(delivery: decision_ledger.NamedDelivery) -> str:
    return f"the delivery {delivery.supplier}/{delivery.delivery_name}"


def waiver_row(waiver: Waiver) -> decision_ledger.WaiverRow:
    """The ledger's row of a waiver."""
    return decision_ledger.WaiverRow(
        waiver_id=waiver.waiver_id,
        supplier=waiver.supplier,
        rule_id=waiver.rule_id,
        expires_on=waiver.expires_on,
        reason=waiver.reason,
        actor=waiver.actor,
        decided_at=waiver.decided_at,
    )

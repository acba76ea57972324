"""Decisions: what people decide about deliveries that were held.

Belongs here: what may be decided about which delivery, and what follows from it. Does not belong here: receiving what
was released (``warehouse.intake``).

A decision is first an entry of the journal, signed and synced, then a row of the ledger. A process that is killed in
between, or before a released delivery is received, leaves the rest to the next sweep (``take_up``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from extracts.names import holds_reference, shown
from warehouse import journal, ledger
from warehouse.arrival import FromArchive
from warehouse.journal import Decision
from warehouse.keys import read_keys
from warehouse.lake import reading, transaction, writing
from warehouse.record import NEVER_RELEASED
from warehouse.schema import prepare_home

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from rasso.settings import Settings

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
    reason, actor = _words("reason", reason, LEAST_REASON), _words("actor", actor, _LEAST_ACTOR)
    prepare_home(settings)
    take_up(settings)
    keys = read_keys(settings)
    with writing(settings) as connection:
        held = _held(ledger.deliveries_called(connection, name), name)
        if held.is_release:
            raise DecisionError(f"{_called(held)} was released and stays held all the same: {held.reason}")
        if verdict == "release" and held.reason_code in NEVER_RELEASED:
            raise DecisionError(f"{_called(held)} cannot be released: {held.reason}")
        journal.hand_over(settings, keys, held.hand_over_id)  # what is not there could not be received again
        decision = Decision(held.hand_over_id, verdict, reason, actor, settings.as_of, ledger.now())
        journal.record(settings, keys, decision)
        with transaction(connection):
            ledger.insert_decisions(connection, [_row(decision)])
    return decision


def take_up(settings: Settings) -> None:
    """Record in the ledger what the journal alone knows; asks for no key where it knows nothing more.

    Raises:
        KeysError: there is no key to read the journal with.
        ArchiveError: an entry is damaged.
    """
    written = journal.decided(settings)
    if not written:
        return
    with reading(settings) as connection:
        if written <= ledger.decided_about(connection):
            return
    keys = read_keys(settings)
    with writing(settings) as connection:
        missing = written - ledger.decided_about(connection)
        entries = [entry for entry in journal.decisions(settings, keys) if entry.hand_over_id in missing]
        with transaction(connection):
            ledger.insert_decisions(connection, [_row(entry) for entry in entries])


def released(settings: Settings) -> list[FromArchive]:
    """Deliveries that were released and are still to be received."""
    with reading(settings) as connection:
        wanted = ledger.open_releases(connection)
    if not wanted:
        return []
    keys = read_keys(settings)
    return [
        FromArchive.released(journal.hand_over(settings, keys, decision.hand_over_id), decision)
        for decision in journal.decisions(settings, keys)
        if decision.release_id in wanted
    ]


def _held(found: Sequence[ledger.NamedDelivery], name: str) -> ledger.NamedDelivery:
    """The one delivery that is meant, where it waits for a decision."""
    if not found or len(name) < _LEAST_ID:
        raise DecisionError(f"no delivery is called {shown(name)}; rasso status lists them all")
    waiting = [one for one in found if one.state == "held" and one.verdict is None]
    if len(waiting) > 1:
        ids = ", ".join(one.hand_over_id for one in waiting)
        raise DecisionError(f"{len(waiting)} held deliveries are called so; name one by its id: {ids}")
    if waiting:
        return waiting[0]
    for one in reversed(found):  # a release bears the name of what was held
        if one.verdict is not None:
            raise DecisionError(f"{_called(one)} was decided about before: {one.verdict}, by {one.actor}")
    raise DecisionError(f"{_called(found[-1])} is {found[-1].state} and not held; there is nothing to decide")


def _words(what: str, text: str, least: int) -> str:
    words = " ".join(text.split())
    if not least <= len(words) <= _LONGEST:
        raise DecisionError(f"the {what} has {least} to {_LONGEST} characters: auditors read it when nobody remembers")
    if not words.isprintable():
        raise DecisionError(f"the {what} holds characters that cannot be shown")
    if holds_reference(words):
        raise DecisionError(f"the {what} reads like a case reference, and is stored and shown as it is; leave it out")
    return words


def _called(delivery: ledger.NamedDelivery) -> str:
    return f"the delivery {delivery.supplier}/{delivery.delivery_name}"


def _row(decision: Decision) -> ledger.DecisionRow:
    return ledger.DecisionRow(
        hand_over_id=decision.hand_over_id,
        verdict=decision.verdict,
        reason=decision.reason,
        actor=decision.actor,
        decided_at=decision.decided_at,
        release_id=decision.release_id if decision.verdict == "release" else None,
    )

"""Reprocessing: receive again from the archive what was received before, after a contract or an alias was mended.

Belongs here: which deliveries are meant, and the request. Does not belong here: receiving them (``warehouse.intake``),
which follows from the request as it does from a release.

A delivery that is received again is judged by the rules and on the day of now. Where it is accepted, its rows take the
place of those that it loaded before, in one transaction; where it is held or rejected, those stay as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse import decision_ledger, ledger
from warehouse.decisions import DecisionError, checked_words, record, take_up
from warehouse.journal import Reprocessing, hand_over
from warehouse.keys import read_keys
from warehouse.lake import reading, writing
from warehouse.schema import prepare_home
from warehouse.selection import Selection

if TYPE_CHECKING:
    from rasso.settings import Settings


def find(settings: Settings, meant: Selection) -> dict[str, str]:
    """First hand-over ids of the deliveries that are meant, with their suppliers, in the order of receipt.

    Left out are duplicates, which loaded nothing; what a person rejected; what waits to be received again already.

    Raises:
        DecisionError: nothing is given to find them by, or there is none.
    """
    if meant == Selection():
        raise DecisionError("say which deliveries are meant: by a supplier, a kind, a period, or several of them")
    prepare_home(settings)
    take_up(settings)
    with reading(settings) as connection:
        found = {
            file.first_id: file.supplier
            for file in decision_ledger.files_received(connection)
            if meant.has(file.supplier, file.kind, file.period)
        }
    if not found:
        raise DecisionError(f"no delivery {meant} can be received again; rasso status --all lists what came")
    return found


def reprocess(settings: Settings, meant: Selection, *, reason: str, actor: str) -> list[str]:
    """Record that deliveries are to be received again; to receive them is the next step, or the sweep's.

    Args:
        settings: of the home.
        meant: which deliveries.
        reason: why, in words that hold nothing about a person.
        actor: who asks.

    Returns:
        The hand-over ids under which they are received, in the order of the first receipt.

    Raises:
        DecisionError: there is no such delivery, or the words are no good.
        KeysError: there is no key to sign with.
        ArchiveError: what was handed over is not in the journal; nothing was changed.
    """
    reason, actor = checked_words(reason, actor)
    found = find(settings, meant)
    keys = read_keys(settings)
    for first_id in found:
        hand_over(settings, keys, first_id)  # what is not there could not be received again
    moment = ledger.now()
    with writing(settings) as connection:
        asked = decision_ledger.times_asked(connection)
        requests = [
            Reprocessing(first_id, asked.get(first_id, 0) + 1, reason, actor, settings.as_of, moment)
            for first_id in found
        ]
        record(settings, keys, connection, requests)
    return [request.receipt_id for request in requests]

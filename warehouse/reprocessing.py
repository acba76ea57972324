"""Reprocessing: receive again from the archive what was received before, after a contract or an alias was mended.

Belongs here: which deliveries are meant, and the request. Does not belong here: receiving them (``warehouse.intake``),
which follows from the request as it does from a release.

A delivery that is received again is judged by the rules and on the day of now. Where it is accepted, its rows take the
place of those that it loaded before, in one transaction; where it is held or rejected, those stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from extracts.contract import all_contracts
from extracts.names import nearest, shown
from extracts.suppliers import all_suppliers
from warehouse import ledger
from warehouse.decisions import DecisionError, checked_words, record, take_up
from warehouse.journal import Reprocessing, hand_over
from warehouse.keys import read_keys
from warehouse.lake import reading, writing
from warehouse.schema import prepare_home

if TYPE_CHECKING:
    from extracts.period import Period
    from rasso.settings import Settings


@dataclass(frozen=True, slots=True)
class Meant:
    """Which deliveries are meant: those with a file that is all of what is given."""

    supplier: str | None = None
    kind: str | None = None
    period: Period | None = None

    def checked(self) -> Meant:
        """Itself.

        Raises:
            DecisionError: nothing is given, or there is no such supplier or kind.
        """
        if self == Meant():
            raise DecisionError("say which deliveries are meant: by a supplier, a kind, a period, or several of them")
        for what, name, known in (
            ("supplier", self.supplier, all_suppliers()),
            ("kind", self.kind, all_contracts()),
        ):
            if name is not None and name not in known:
                raise DecisionError(f"there is no {what} {shown(name)}; there are: {nearest(name, known)}")
        return self

    def has(self, file: ledger.ReceivedFile) -> bool:
        """Whether a file is meant. Of what could not be read no kind and no period is known."""
        return (
            (self.supplier is None or file.supplier == self.supplier)
            and (self.kind is None or file.kind == self.kind)
            and (self.period is None or (file.period is not None and file.period.overlaps(self.period)))
        )

    def __str__(self) -> str:
        """In words."""
        words = [
            f"from {self.supplier}" if self.supplier else "",
            f"of {self.kind}" if self.kind else "",
            f"for {self.period}" if self.period else "",
        ]
        return " ".join(word for word in words if word)


def find(settings: Settings, meant: Meant) -> dict[str, str]:
    """First hand-over ids of the deliveries that are meant, with their suppliers, in the order of receipt.

    Left out are duplicates, which loaded nothing; what a person rejected; what waits to be received again already.

    Raises:
        DecisionError: nothing is given to find them by, or there is none.
    """
    meant.checked()
    prepare_home(settings)
    take_up(settings)
    with reading(settings) as connection:
        found = {file.first_id: file.supplier for file in ledger.files_received(connection) if meant.has(file)}
    if not found:
        raise DecisionError(f"no delivery {meant} can be received again; rasso status --all lists what came")
    return found


def reprocess(settings: Settings, meant: Meant, *, reason: str, actor: str) -> list[str]:
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
    requests = [Reprocessing(first_id, reason, actor, settings.as_of, moment) for first_id in found]
    with writing(settings) as connection:
        record(settings, keys, connection, requests)
    return [request.receipt_id for request in requests]

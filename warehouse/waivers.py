"""Waivers: for some time a rule holds no delivery of a supplier, because somebody took responsibility for it.

Belongs here: which rules may be waived, for whom and how long. Does not belong here: what a waiver does to a delivery
(``warehouse.record``).

Only rules that hold whole deliveries can be waived: a row that fails its rule stays out whatever anybody decides.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from extracts.contract import all_contracts
from extracts.delivery import contract_for
from extracts.names import nearest, shown
from extracts.suppliers import all_suppliers
from warehouse import decision_ledger, ledger
from warehouse.decisions import DecisionError, checked_words, record, take_up
from warehouse.journal import Waiver
from warehouse.keys import read_keys
from warehouse.lake import ask, writing
from warehouse.schema import prepare_home

if TYPE_CHECKING:
    from datetime import date

    from rasso.settings import Settings

LONGEST_DAYS = 366  # no waiver is open-ended; whoever still needs one after a year decides again


def waive(settings: Settings, rule_id: str, supplier: str, until: date, *, reason: str, actor: str) -> Waiver:
    """Let no delivery of a supplier be held by a rule, up to and including a day.

    A later waiver of the same rule and supplier takes the place of the earlier; one until yesterday ends it.

    Raises:
        DecisionError: there is no such rule, it holds no deliveries, the day is past or too far away, or the words are
            no good.
        DeliveryError: there is no such supplier, or it does not send what the rule is about.
        KeysError: there is no key to sign with.
    """
    reason, actor = checked_words(reason, actor)
    contract_for(supplier, _kind_held_by(rule_id))
    today = settings.as_of
    if not today - timedelta(days=1) <= until <= today + timedelta(days=LONGEST_DAYS):
        raise DecisionError(f"a waiver ends within {LONGEST_DAYS} days from {today}; yesterday ends one that there is")
    prepare_home(settings)
    take_up(settings)
    keys = read_keys(settings)
    waiver = Waiver(supplier, rule_id, until, reason, actor, today, ledger.now())
    with writing(settings) as connection:
        record(settings, keys, connection, [waiver])
    return waiver


def current_waivers(settings: Settings) -> list[decision_ledger.WaiverRow]:
    """Waivers that have not expired.

    Raises:
        LakeError: the catalogue cannot be reached at this moment.
    """
    return ask(settings, lambda lake: decision_ledger.waivers_on(lake, all_suppliers(), settings.as_of))


def _kind_held_by(rule_id: str) -> str:
    """The kind of extract whose deliveries a rule holds."""
    rules = {rule.rule_id: (kind, rule) for kind, contract in all_contracts().items() for rule in contract.rules}
    if rule_id not in rules:
        holding = [known for known, (_, rule) in rules.items() if rule.severity == "delivery"]
        raise DecisionError(f"there is no rule {shown(rule_id)}; these hold deliveries: {nearest(rule_id, holding)}")
    kind, rule = rules[rule_id]
    if rule.severity != "delivery":
        raise DecisionError(f"rule {rule_id} holds no delivery (it is of severity {rule.severity}): nothing to waive")
    return kind

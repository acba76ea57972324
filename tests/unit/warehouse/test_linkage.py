"""Linkage: which crime belongs to which case, with the references as they were typed."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from linkage_records import DAY, Crime, LinkDesk, Receipt, Referral
from linkage_truth import World, make_world

from rasso.settings import Settings
from warehouse.keys import Keys, read_keys
from warehouse.linkage.probabilistic import model

if TYPE_CHECKING:
    from collections.abc import Iterable

CRIME = Crime("20DV/140586/19")
RECEIPT = Receipt("20AB0123520")
REFERRAL = Referral("20AB0123520", "20DV/140586/19")
LATER = datetime(2020, 5, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """The keys of the tests."""
    return read_keys(Settings(home=tmp_path_factory.mktemp("home")))


@pytest.fixture
def desk(keys: Keys) -> LinkDesk:
    """Empty tables."""
    return LinkDesk(keys)


def only_link(desk: LinkDesk) -> tuple[str, str, float | None]:
    """Legs and probability of the one link of a desk."""
    ((urn_method, crime_method, probability),) = desk.rows(
        "select urn_method, crime_method, probability from lake.linkage.crime_case_link"
    )
    return urn_method, crime_method, probability


# ---- exact


@pytest.mark.parametrize(
    ("urn", "crime_reference"),
    [("20AB0123520", "20DV/140586/19"), ("20/ab/01235/20", "20dv 140586-19"), (" 20AB01235 20 ", "20DV14058619")],
)
def test_the_same_references_in_any_spelling_are_an_exact_link(desk: LinkDesk, urn: str, crime_reference: str) -> None:
    desk.deliver(CRIME, RECEIPT, Referral(urn, crime_reference))

    desk.link()

    assert only_link(desk) == ("exact", "exact", None)
    assert desk.links() == {desk.pair(CRIME, RECEIPT)}


def test_the_same_urn_links_though_the_receipt_of_this_submission_has_not_come_yet(desk: LinkDesk) -> None:
    earlier = replace(RECEIPT, receipt_type="early_advice", received_date=DAY - timedelta(days=60))
    desk.deliver(CRIME, earlier, REFERRAL)

    desk.link()

    assert only_link(desk)[:2] == ("equal", "exact")
    assert desk.methods() == ["exact"]


# Numbers are given in sequence: the case before and the case after are one fault away from a right URN.
OWN, NEIGHBOUR = replace(RECEIPT, urn="20AB0123620"), RECEIPT
TYPED = replace(REFERRAL, urn=OWN.urn)


@pytest.mark.parametrize(
    "own",
    [
        pytest.param(replace(OWN, received_date=DAY - timedelta(days=1)), id="received the day before"),
        pytest.param(replace(OWN, received_date=DAY + timedelta(days=15)), id="received after a fortnight"),
        pytest.param(replace(OWN, suspect_number=2), id="another suspect number"),
        pytest.param(replace(OWN, receipt_type="early_advice"), id="another purpose"),
        pytest.param(replace(OWN, received_date=DAY - timedelta(days=100)), id="only an earlier receipt yet"),
    ],
)
def test_a_urn_stays_with_its_own_case_though_a_neighbour_fits_in_everything(desk: LinkDesk, own: Receipt) -> None:
    desk.deliver(CRIME, own, NEIGHBOUR, TYPED)

    desk.link()

    assert desk.links() == {desk.pair(CRIME, own)}
    assert only_link(desk) == ("equal", "exact", None)


@pytest.mark.parametrize(
    "another",
    [
        pytest.param(replace(OWN, received_date=DAY - timedelta(days=200)), id="received long before"),
        pytest.param(replace(OWN, received_date=DAY + timedelta(days=61)), id="received long after"),
        pytest.param(
            replace(OWN, received_date=DAY - timedelta(days=30), monitoring_flags="VIVM"), id="another offence"
        ),
    ],
)
def test_a_urn_that_is_another_cases_gives_way_to_a_repair_where_something_speaks_against_it(
    desk: LinkDesk, another: Receipt
) -> None:
    desk.deliver(CRIME, another, NEIGHBOUR, TYPED)

    desk.link()

    assert desk.links() == {desk.pair(CRIME, NEIGHBOUR)}
    assert only_link(desk) == ("repaired", "exact", None)


def test_a_urn_gives_way_where_its_case_has_a_submission_of_its_own_with_other_crimes(desk: LinkDesk) -> None:
    crime, day = Crime("20DV/777777/19"), DAY - timedelta(days=40)
    submitted = Referral(OWN.urn, crime.crime_reference, submitted_date=day)
    desk.deliver(CRIME, crime, replace(OWN, received_date=day), NEIGHBOUR, submitted, TYPED)

    desk.link()

    assert desk.links() == {desk.pair(crime, OWN), desk.pair(CRIME, NEIGHBOUR)}


def test_a_urn_does_not_give_way_to_a_receipt_that_has_its_own_submission(desk: LinkDesk) -> None:
    own = replace(OWN, received_date=DAY - timedelta(days=30), monitoring_flags="VIVM")
    second = Crime("20DV/777777/19")
    desk.deliver(CRIME, second, own, NEIGHBOUR, TYPED, Referral(NEIGHBOUR.urn, second.crime_reference))

    desk.link()

    assert desk.links() == {desk.pair(CRIME, own), desk.pair(second, NEIGHBOUR)}


@pytest.mark.parametrize("days", [0, 1])
def test_a_submission_without_a_receipt_yet_takes_no_neighbours_receipt_that_has_its_own(
    desk: LinkDesk, days: int
) -> None:
    second = Crime("20DV/777777/19")
    submitted = Referral(NEIGHBOUR.urn, second.crime_reference, submitted_date=DAY - timedelta(days=days))
    desk.deliver(CRIME, second, NEIGHBOUR, submitted, TYPED)

    desk.link()

    assert desk.links() == {desk.pair(second, NEIGHBOUR)}


@pytest.mark.parametrize("unit", ["20AB", "20ZZ"])
def test_a_crime_that_is_reported_after_its_submission_stays_though_a_neighbour_fits_in_everything(
    desk: LinkDesk, unit: str
) -> None:
    own = replace(CRIME, reported_date=DAY + timedelta(days=1), police_unit=unit)
    desk.deliver(own, Crime("20DV/140587/19"), RECEIPT, REFERRAL)

    desk.link()

    assert desk.links() == {desk.pair(own, RECEIPT)}
    assert only_link(desk) == ("exact", "equal", None)


CONTRARY = [
    pytest.param({"not_referred_reason": "other"}, id="not referred"),
    pytest.param({"offence_code": "17A"}, id="another offence"),
    pytest.param({"police_unit": "20ZZ"}, id="another unit"),
    pytest.param({"reported_date": DAY + timedelta(days=61)}, id="reported long after"),
]


@pytest.mark.parametrize("change", CONTRARY)
def test_one_thing_that_speaks_against_a_crime_is_not_enough(desk: LinkDesk, change: dict[str, Any]) -> None:
    own = replace(CRIME, **change)
    desk.deliver(own, Crime("20DV/140587/19"), RECEIPT, REFERRAL)

    desk.link()

    assert desk.links() == {desk.pair(own, RECEIPT)}


@pytest.mark.parametrize("change", [case.values[0] for case in CONTRARY[1:]])
def test_two_things_that_speak_against_a_crime_make_it_give_way_to_a_repair(
    desk: LinkDesk, change: dict[str, Any]
) -> None:
    another, right = replace(CRIME, not_referred_reason="other", **change), Crime("20DV/140587/19")
    desk.deliver(another, right, RECEIPT, REFERRAL)

    desk.link()

    assert desk.links() == {desk.pair(right, RECEIPT)}
    assert only_link(desk) == ("exact", "repaired", None)


def test_one_case_has_several_crimes_and_one_crime_several_suspects_and_cases(desk: LinkDesk) -> None:
    second_crime, second_case = Crime("20DV/140999/19"), Receipt("20AB0999920", suspect_number=2)
    desk.deliver(
        CRIME,
        second_crime,
        RECEIPT,
        second_case,
        REFERRAL,
        Referral(RECEIPT.urn, second_crime.crime_reference),
        Referral(second_case.urn, CRIME.crime_reference, suspect_number=2),
    )

    desk.link()

    assert desk.methods() == ["exact"] * 3
    assert desk.links() == {
        desk.pair(CRIME, RECEIPT),
        desk.pair(second_crime, RECEIPT),
        desk.pair(CRIME, second_case),
    }


# ---- repaired


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("2OAB0123520", id="confusable"),
        pytest.param("20AB0I23S20", id="several confusable"),
        pytest.param("20AB0132520", id="swapped"),
        pytest.param("20AB0123720", id="wrong character"),
        pytest.param("20AB012520", id="missing character"),
        pytest.param("20AB012335 20", id="one character too many"),
    ],
)
def test_a_damaged_urn_is_repaired(desk: LinkDesk, typed: str) -> None:
    desk.deliver(CRIME, RECEIPT, replace(REFERRAL, urn=typed))

    desk.link()

    assert only_link(desk) == ("repaired", "exact", None)
    assert desk.links() == {desk.pair(CRIME, RECEIPT)}


def test_a_lost_leading_zero_is_repaired(desk: LinkDesk) -> None:
    crime, receipt = replace(CRIME, force_code="04"), Receipt("04AB0123520", "04", "20AB")
    desk.deliver(crime, receipt, Referral("4AB0123520", crime.crime_reference, "04"))

    desk.link()

    assert only_link(desk)[0] == "repaired"


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("20DV/14586/19", id="lost zero"),
        pytest.param("20DV/1405B6/19", id="confusable"),
        pytest.param("20DV/104586/19", id="swapped"),
        pytest.param("20DV/140186/19", id="wrong character"),
    ],
)
def test_a_damaged_crime_reference_is_repaired(desk: LinkDesk, typed: str) -> None:
    desk.deliver(CRIME, RECEIPT, replace(REFERRAL, crime_reference=typed))

    desk.link()

    assert only_link(desk) == ("exact", "repaired", None)
    assert desk.links() == {desk.pair(CRIME, RECEIPT)}


def test_both_references_may_be_damaged(desk: LinkDesk) -> None:
    desk.deliver(CRIME, RECEIPT, Referral("20AB0132520", "20DV/1405B6/19"))

    desk.link()

    assert only_link(desk) == ("repaired", "repaired", None)


@pytest.mark.parametrize(
    "rival",
    [
        replace(RECEIPT, urn="20AB0123820"),
        replace(RECEIPT, urn="20AB0123920", received_date=DAY + timedelta(days=1)),
    ],
)
def test_a_urn_that_two_cases_fit_equally_is_left_unlinked(desk: LinkDesk, rival: Receipt) -> None:
    desk.deliver(CRIME, RECEIPT, rival, replace(REFERRAL, urn="20AB0123720"))

    assert desk.link().unlinked == 1
    assert desk.links() == set()


def test_a_crime_reference_that_two_crimes_fit_equally_is_left_unlinked(desk: LinkDesk) -> None:
    desk.deliver(CRIME, Crime("20DV/140588/19"), RECEIPT, replace(REFERRAL, crime_reference="20DV/140587/19"))

    desk.link()

    assert desk.rows("select urn_method, crime_method from lake.linkage.unlinked_referral") == [("exact", None)]


@pytest.mark.parametrize(
    "rival",
    [
        pytest.param(Crime("20DV/140588/19", offence_code="17A"), id="other offence"),
        pytest.param(Crime("20DV/140588/19", reported_date=DAY + timedelta(days=1)), id="reported later"),
        pytest.param(Crime("20DV/140588/19", not_referred_reason="suspect_not_identified"), id="not referred"),
        pytest.param(Crime("20DV/140588/19", police_unit="20ZZ"), id="another unit"),
    ],
)
def test_of_two_crimes_the_one_that_fits_is_taken(desk: LinkDesk, rival: Crime) -> None:
    desk.deliver(CRIME, rival, RECEIPT, replace(REFERRAL, crime_reference="20DV/140587/19"))

    desk.link()

    assert desk.links() == {desk.pair(CRIME, RECEIPT)}


@pytest.mark.parametrize(
    "receipt",
    [
        pytest.param(replace(RECEIPT, suspect_number=2), id="another suspect"),
        pytest.param(replace(RECEIPT, receipt_type="early_advice"), id="another purpose"),
        pytest.param(replace(RECEIPT, received_date=DAY - timedelta(days=1)), id="received before"),
        pytest.param(replace(RECEIPT, received_date=DAY + timedelta(days=15)), id="received long after"),
        pytest.param(replace(RECEIPT, monitoring_flags="VIVM"), id="another offence"),
    ],
)
def test_a_repair_needs_a_receipt_that_agrees_in_everything(desk: LinkDesk, receipt: Receipt) -> None:
    desk.deliver(CRIME, receipt, replace(REFERRAL, urn="20AB0132520"))

    desk.link()

    assert "repaired" not in desk.methods()


# ---- forces


def test_a_case_of_another_force_never_matches(desk: LinkDesk) -> None:
    desk.deliver(CRIME, replace(RECEIPT, urn="21AB0123520", force_code="21", police_unit="21AB"), REFERRAL)

    assert desk.link().unlinked == 1


def test_not_even_the_very_same_urn_matches_a_case_of_another_force(desk: LinkDesk) -> None:
    desk.deliver(CRIME, replace(RECEIPT, force_code="21"), REFERRAL)

    assert desk.link().unlinked == 1


@pytest.mark.parametrize("typed", ["20DV/140586/19", "20DV/1405B6/19"])
def test_a_crime_of_another_force_never_matches(desk: LinkDesk, typed: str) -> None:
    desk.deliver(replace(CRIME, force_code="21"), RECEIPT, replace(REFERRAL, crime_reference=typed))

    assert desk.link().unlinked == 1


def test_the_metropolitan_police_has_two_codes(desk: LinkDesk) -> None:
    crime = replace(CRIME, force_code="01", police_unit="02AB")
    desk.deliver(crime, Receipt("02AB0123520", "02", "02AB"), Referral("02AB0132520", crime.crime_reference, "01"))

    desk.link()

    assert only_link(desk) == ("repaired", "exact", None)


# ---- probabilistic

# The rape flag is missing: no repair, but nothing else speaks against the case.
UNFLAGGED = replace(RECEIPT, monitoring_flags=None)
UNCERTAIN = (CRIME, UNFLAGGED, replace(REFERRAL, urn="20AB0132520"))


def test_a_case_that_fits_but_for_its_flag_is_weighed(desk: LinkDesk) -> None:
    desk.deliver(*UNCERTAIN)

    desk.link()

    urn_method, crime_method, probability = only_link(desk)
    assert (urn_method, crime_method, desk.methods()) == ("probabilistic", "exact", ["probabilistic"])
    assert probability is not None
    assert 0.9 <= probability < 1


def test_a_candidate_below_the_threshold_is_not_taken_and_a_new_threshold_links_all_anew(desk: LinkDesk) -> None:
    desk.deliver(*UNCERTAIN)

    desk.link(threshold=0.9)
    probability = only_link(desk)[2]
    assert probability is not None
    above = desk.link(threshold=(probability + 1) / 2)

    assert above.unlinked == 1
    assert desk.links() == set()
    assert desk.rows("select is_full from lake.linkage.link_run order by started_at") == [(True,), (True,)]


def test_a_submission_without_a_receipt_is_not_given_another_ones(desk: LinkDesk) -> None:
    others = [replace(RECEIPT, urn=f"20AB{number:05d}20") for number in range(40000, 40010)]
    desk.deliver(CRIME, *others, REFERRAL)

    assert desk.link().unlinked == 1


def test_what_another_submission_of_the_case_tells_decides_between_two_crimes(desk: LinkDesk) -> None:
    resubmitted = replace(REFERRAL, submission_type="resubmission", submitted_date=DAY + timedelta(days=40))
    received = replace(RECEIPT, receipt_type="resubmission", received_date=DAY + timedelta(days=40))
    rival = Crime("20DV/140588/19")
    desk.deliver(CRIME, rival, RECEIPT, received, REFERRAL, replace(resubmitted, crime_reference="20DV/140587/19"))

    desk.link()

    assert desk.methods() == ["exact", "probabilistic"]
    assert desk.links() == {desk.pair(CRIME, RECEIPT)}


# ---- one receipt, one submission


def test_a_receipt_that_has_its_submission_is_no_candidate_for_another(desk: LinkDesk) -> None:
    free = replace(RECEIPT, urn="20AB0123820")
    desk.deliver(
        CRIME,
        RECEIPT,
        free,
        REFERRAL,
        Referral("20AB0123720", CRIME.crime_reference, submitted_date=DAY - timedelta(days=1)),
    )

    desk.link()

    damaged = desk.urn_token(Referral("20AB0123720", ""))
    assert desk.rows(f"select urn_token from lake.linkage.crime_case_link where referral_urn_token = '{damaged}'") == [
        (desk.urn_token(free),)
    ]


def test_crimes_that_were_submitted_together_share_a_receipt(desk: LinkDesk) -> None:
    second = Crime("20DV/140999/19")
    desk.deliver(CRIME, second, RECEIPT, REFERRAL, Referral("2OAB0123520", second.crime_reference))

    desk.link()

    assert desk.methods() == ["exact", "repaired"]


def test_a_submission_that_was_typed_twice_shares_its_receipt(desk: LinkDesk) -> None:
    desk.deliver(CRIME, RECEIPT, REFERRAL, replace(REFERRAL, urn="20AB0132520"))

    desk.link()

    assert desk.methods() == ["exact", "repaired"]


def test_two_repairs_to_one_receipt_leave_both_unlinked(desk: LinkDesk) -> None:
    first, second = replace(REFERRAL, urn="20AB0132520"), replace(REFERRAL, urn="20AB0123720")
    desk.deliver(CRIME, RECEIPT, first, replace(second, submitted_date=DAY - timedelta(days=1)))

    assert desk.link().unlinked == 2


def test_a_repair_comes_before_a_likely_link(desk: LinkDesk) -> None:
    other_offence = Crime("20DV/777777/19", offence_code="17A")
    likely = Referral("20AB0123720", other_offence.crime_reference, submitted_date=DAY - timedelta(days=1))
    desk.deliver(CRIME, other_offence, RECEIPT, replace(REFERRAL, urn="20AB0132520"), likely)

    desk.link()

    assert desk.links() == {desk.pair(CRIME, RECEIPT)}


# ---- parts of a split case


def test_parts_of_a_split_case_are_submissions_of_their_own(desk: LinkDesk) -> None:
    parts = [(replace(RECEIPT, urn=f"{RECEIPT.urn}/{n}"), replace(REFERRAL, urn=f"{REFERRAL.urn}/{n}")) for n in "12"]
    desk.deliver(CRIME, *(record for part in parts for record in part))

    desk.link()

    assert desk.rows(
        "select referral_urn_suffix, urn_method from lake.linkage.crime_case_link order by referral_urn_suffix"
    ) == [("1", "exact"), ("2", "exact")]


@pytest.mark.parametrize(("submitted", "method"), [("", "exact"), ("/1", "exact"), ("/2", "equal")])
def test_what_was_submitted_under_the_whole_urn_may_have_been_received_under_a_part(
    desk: LinkDesk, submitted: str, method: str
) -> None:
    received = replace(RECEIPT, urn=f"{RECEIPT.urn}/1")
    desk.deliver(CRIME, received, replace(REFERRAL, urn=f"{REFERRAL.urn}{submitted}"))

    desk.link()

    assert only_link(desk)[0] == method
    assert desk.links() == {desk.pair(CRIME, RECEIPT)}


def test_links_from_before_suffixes_were_kept_are_replaced(desk: LinkDesk) -> None:
    desk.deliver(CRIME, RECEIPT, REFERRAL, replace(REFERRAL, suspect_number=2, crime_reference="20XX/999999/19"))
    desk.link()
    linked = desk.bridge()
    for table in ("crime_case_link", "unlinked_referral"):
        desk.execute(f"update lake.linkage.{table} set referral_urn_suffix = null")
    desk.execute("update lake.linkage.link_run set method_version = '1'")

    desk.link()

    assert desk.bridge() == linked


# ---- what came later


def test_a_referral_waits_for_its_crime_and_its_receipt(desk: LinkDesk) -> None:
    desk.deliver(REFERRAL)
    assert desk.link().unlinked == 1
    desk.deliver(CRIME)
    assert desk.link().unlinked == 1
    desk.deliver(RECEIPT)

    assert desk.link().exact == 1
    assert desk.rows("select count(*) from lake.linkage.unlinked_referral") == [(0,)]


def test_a_referral_moves_its_link_when_the_case_that_it_names_comes(desk: LinkDesk) -> None:
    typed = replace(REFERRAL, urn="20AB0132520")
    desk.deliver(CRIME, RECEIPT, typed)
    desk.link()
    assert desk.methods() == ["repaired"]
    named = replace(RECEIPT, urn="20AB0132520")
    desk.deliver(named)

    desk.link()

    assert desk.links() == {desk.pair(CRIME, named)}
    assert desk.methods() == ["exact"]


def test_a_repair_is_taken_back_when_a_second_case_fits_as_well(desk: LinkDesk) -> None:
    desk.deliver(CRIME, RECEIPT, replace(REFERRAL, urn="20AB0123720"))
    desk.link()
    assert desk.methods() == ["repaired"]
    desk.deliver(replace(RECEIPT, urn="20AB0123820"))

    desk.link()

    assert desk.methods() == []


def test_a_crime_that_changes_moves_links_that_hang_on_it(desk: LinkDesk) -> None:
    rival = Crime("20DV/140588/19")
    desk.deliver(CRIME, rival, RECEIPT, replace(REFERRAL, crime_reference="20DV/140587/19"))
    desk.link()
    assert desk.methods() == []
    desk.deliver(replace(rival, not_referred_reason="suspect_not_identified"), sent_at=LATER)

    desk.link()

    assert desk.links() == {desk.pair(CRIME, RECEIPT)}


def test_a_crime_that_turns_out_to_be_reported_later_gives_way(desk: LinkDesk) -> None:
    rival = Crime("20DV/140588/19")
    desk.deliver(CRIME, rival, RECEIPT, replace(REFERRAL, crime_reference="20DV/140587/19"))
    desk.link()
    assert desk.methods() == []
    desk.deliver(replace(rival, reported_date=DAY + timedelta(days=300)), sent_at=LATER)

    desk.link()

    assert desk.links() == {desk.pair(CRIME, RECEIPT)}


def test_what_is_learnt_of_one_case_much_later_decides_a_referral_between_it_and_another(desk: LinkDesk) -> None:
    rival, day = replace(RECEIPT, urn="20AB0123820"), DAY + timedelta(days=200)
    desk.deliver(CRIME, RECEIPT, rival, replace(REFERRAL, urn="20AB0123720"))
    assert desk.link().unlinked == 1
    crime = Crime("20DV/777777/19")
    resubmitted = Referral(rival.urn, crime.crime_reference, submission_type="resubmission", submitted_date=day)
    desk.deliver(crime, replace(rival, receipt_type="resubmission", received_date=day), resubmitted)

    desk.link()

    assert desk.links() == {desk.pair(CRIME, RECEIPT), desk.pair(crime, rival)}


def test_a_rival_two_months_away_is_linked_again_when_what_it_wanted_is_free(desk: LinkDesk) -> None:
    # January's and February's submission want one receipt of February, until one of March comes that fits the latter.
    january, february = date(2020, 1, 31), date(2020, 2, 6)
    contested = replace(RECEIPT, monitoring_flags=None, received_date=february)
    second = Crime("20DV/777777/19")
    first_typed = replace(REFERRAL, urn="20AB0132520", submitted_date=january)
    second_typed = Referral("20AB0123720", second.crime_reference, submitted_date=february)
    for_second = replace(RECEIPT, urn="20AB0123780", received_date=date(2020, 3, 1))
    deliveries = [(CRIME, second, contested, first_typed, second_typed), (for_second,)]
    at_once = LinkDesk(desk.keys)
    for records in deliveries:
        desk.deliver(*records)
        desk.link()
        at_once.deliver(*records)
    at_once.link()

    assert desk.bridge() == at_once.bridge()


def test_what_a_later_submission_of_the_case_tells_decides_between_two_crimes(desk: LinkDesk) -> None:
    much_later = DAY + timedelta(days=200)
    received = replace(RECEIPT, receipt_type="resubmission", received_date=much_later)
    typed = replace(REFERRAL, crime_reference="20DV/140587/19")
    desk.deliver(CRIME, Crime("20DV/140588/19"), RECEIPT, received, typed)
    assert desk.link().unlinked == 1
    desk.deliver(replace(REFERRAL, submission_type="resubmission", submitted_date=much_later))

    desk.link()

    assert desk.methods() == ["exact", "probabilistic"]
    assert desk.links() == {desk.pair(CRIME, RECEIPT)}


def test_a_referral_that_is_sent_again_has_one_link(desk: LinkDesk) -> None:
    desk.deliver(CRIME, RECEIPT, REFERRAL)
    desk.link()
    desk.deliver(CRIME, REFERRAL, sent_at=LATER)

    desk.link()

    assert desk.methods() == ["exact"]


# ---- what was withdrawn


@pytest.mark.parametrize("record", [CRIME, RECEIPT, REFERRAL], ids=["crime", "receipt", "referral"])
def test_a_link_is_lost_with_what_it_joins(desk: LinkDesk, record: Crime | Receipt | Referral) -> None:
    desk.deliver(CRIME, RECEIPT, REFERRAL)
    desk.link()
    assert desk.methods() == ["exact"]
    desk.deliver(replace(record, is_withdrawn=True), sent_at=LATER)

    desk.link()

    assert desk.methods() == []
    is_left = not isinstance(record, Referral)
    assert desk.rows("select count(*) from lake.linkage.unlinked_referral") == [(int(is_left),)]


@pytest.mark.parametrize("record", [CRIME, RECEIPT, REFERRAL], ids=["crime", "receipt", "referral"])
def test_what_is_sent_again_after_it_was_withdrawn_is_linked_again(
    desk: LinkDesk, record: Crime | Receipt | Referral
) -> None:
    desk.deliver(CRIME, RECEIPT, REFERRAL)
    desk.deliver(replace(record, is_withdrawn=True), sent_at=LATER)
    desk.link()
    desk.deliver(record, sent_at=LATER + timedelta(days=30))

    desk.link()

    assert desk.methods() == ["exact"]


def test_a_withdrawal_that_arrives_first_is_not_undone_by_the_row_that_it_withdraws(desk: LinkDesk) -> None:
    desk.deliver(CRIME, RECEIPT, replace(REFERRAL, is_withdrawn=True), sent_at=LATER)
    desk.link()
    desk.deliver(REFERRAL)

    assert desk.link().referrals == 0
    assert desk.bridge() == []


def test_a_referral_that_is_withdrawn_leaves_its_receipt_to_another(desk: LinkDesk) -> None:
    first, second = replace(REFERRAL, urn="20AB0132520"), replace(REFERRAL, urn="20AB0123720")
    desk.deliver(CRIME, RECEIPT, first, replace(second, submitted_date=DAY - timedelta(days=1)))
    assert desk.link().unlinked == 2
    desk.deliver(replace(first, is_withdrawn=True), sent_at=LATER)

    desk.link()

    assert desk.methods() == ["repaired"]
    assert desk.rows("select count(*) from lake.linkage.unlinked_referral") == [(0,)]


def test_a_receipt_that_moved_to_a_part_of_a_split_case_is_still_a_partner(desk: LinkDesk) -> None:
    desk.deliver(CRIME, RECEIPT, REFERRAL)
    desk.deliver(replace(RECEIPT, urn=f"{RECEIPT.urn}/1"), replace(RECEIPT, is_withdrawn=True), sent_at=LATER)

    desk.link()

    assert desk.methods() == ["exact"]


@pytest.mark.parametrize(
    ("order", "world"),
    [
        (1, make_world(1, cases=240, damaged_share=0.4)),
        (2, make_world(2, cases=90, damaged_share=0.4, is_dense=True, differing_share=0.1)),
    ],
    ids=["drawn at random", "in sequence"],
)
def test_neither_order_nor_batches_of_deliveries_show(keys: Keys, order: int, world: World) -> None:
    deliveries = [(datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=n), d) for n, d in enumerate(world.deliveries())]
    at_once = LinkDesk(keys)
    for sent_at, records in deliveries:
        at_once.deliver(*records, sent_at=sent_at)
    at_once.link()
    in_any_order = LinkDesk(keys)
    chance = random.Random(order)  # noqa: S311 - no secret
    chance.shuffle(deliveries)
    for sent_at, records in deliveries:
        in_any_order.deliver(*records, sent_at=sent_at)
        if chance.random() < 0.5:  # else it is linked together with the next
            in_any_order.link()
    in_any_order.link()

    assert set(at_once.methods()) == {"exact", "repaired", "probabilistic"}
    assert in_any_order.bridge() == at_once.bridge()


# ---- how well


def precision_and_recall(desk: LinkDesk, world: World, links: Iterable[tuple[object, ...]]) -> tuple[float, float]:
    """Links (key of a referral, crime token, URN token) against the truth of a world that is wholly in the lake."""
    truth = desk.true_links(world.truth)
    found = list(links)
    right = sum(truth[tuple(link[:7])] == tuple(link[7:]) for link in found)
    received = {row[0] for row in desk.rows("select distinct urn_token from lake.extracts.cps_receipts")}
    possible = sum(urn in received for _crime, urn in truth.values())
    return right / len(found), right / possible


LINKS = """
    select
        force_code, referral_urn_token, referral_urn_suffix, referral_crime_reference_token,
        suspect_number, submission_type, submitted_date, crime_reference_token, urn_token
    from lake.linkage.crime_case_link
    order by all
"""


def test_precision_and_recall_at_five_per_cent_damaged_references(desk: LinkDesk) -> None:
    world = make_world(seed=5, cases=900, damaged_share=0.05)
    desk.deliver(*world.crimes, *world.referrals, *world.receipts)
    desk.link()
    links = desk.rows(LINKS)

    precision, recall = precision_and_recall(desk, world, links)

    assert precision >= 0.995
    assert recall >= 0.98
    assert {"repaired", "exact"} <= set(desk.methods())
    # The twin: one link in fifty goes to the next referral's case, and the measure must show it.
    scrambled = [(*link[:8], links[(n + 1) % len(links)][8]) if n % 50 == 0 else link for n, link in enumerate(links)]
    precision, recall = precision_and_recall(desk, world, scrambled)
    assert precision < 0.995
    assert precision_and_recall(desk, world, links[: len(links) * 9 // 10])[1] < 0.98


@pytest.mark.parametrize("seed", [1, 2])
def test_precision_and_recall_where_numbers_are_given_in_sequence_and_receipts_differ(
    desk: LinkDesk, seed: int
) -> None:
    world = make_world(seed, cases=900, damaged_share=0.05, is_dense=True, differing_share=0.06)
    desk.deliver(*world.crimes, *world.referrals, *world.receipts)
    desk.link()

    precision, recall = precision_and_recall(desk, world, desk.rows(LINKS))

    assert precision >= 0.995
    assert recall >= 0.98


def test_a_right_urn_is_linked_to_its_own_case_whatever_else_differs(desk: LinkDesk) -> None:
    world = make_world(3, cases=900, damaged_share=0, is_dense=True, differing_share=0.06)
    desk.deliver(*world.crimes, *world.referrals, *world.receipts)

    desk.link()

    received = "select urn_token from lake.extracts.cps_receipts"
    elsewhere = f"urn_token <> referral_urn_token and referral_urn_token in ({received})"
    assert desk.rows(f"select count(*) from lake.linkage.crime_case_link where {elsewhere}") == [(0,)]


@pytest.mark.parametrize("name", ["urn", "crime"])
def test_the_shares_of_each_comparison_of_a_model_add_up(name: str) -> None:
    for comparison in model(name)["comparisons"]:
        levels = [level for level in comparison["levels"] if "m" in level]
        assert levels[-1]["when"] == "else", comparison["name"]
        for share in ("m", "u"):
            assert all(0 < level[share] < 1 for level in levels), comparison["name"]
            assert sum(level[share] for level in levels) == pytest.approx(1, abs=0.002), comparison["name"]

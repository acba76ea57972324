"""Synthetic samples: the same bytes for the same seed, and loose files recognised by their content."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from extracts.contract import all_contracts
from extracts.delivery import DeliveryError, stated_period
from extracts.recognition import Recognised, recognise
from extracts.synthetic.aggregates import Sample, write_samples

if TYPE_CHECKING:
    from pathlib import Path

    from extracts.reader import Reader

KINDS = ("home_office_recorded_crime", "home_office_outcomes", "cps_principal_offence_outcomes")


def _bytes(samples: list[Sample]) -> dict[str, bytes]:
    return {sample.path.name: sample.path.read_bytes() for sample in samples}


def _first(samples: list[Sample], kind: str) -> Sample:
    return next(sample for sample in samples if sample.kind == kind)


def test_equal_seeds_give_equal_bytes(samples: list[Sample], tmp_path: Path) -> None:
    assert _bytes(write_samples(tmp_path)) == _bytes(samples)


def test_another_seed_gives_other_figures(samples: list[Sample], tmp_path: Path) -> None:
    other = _bytes(write_samples(tmp_path, seed=1))

    assert [name for name, content in _bytes(samples).items() if other[name] == content] == []


@pytest.mark.parametrize("kind", KINDS)
def test_there_is_a_sample_of_every_kind_from_one_who_may_send_it(samples: list[Sample], kind: str) -> None:
    assert {sample.supplier for sample in samples if sample.kind == kind} <= set(all_contracts()[kind].suppliers)
    assert any(sample.kind == kind for sample in samples)


def test_a_sample_whose_name_states_a_month_is_of_that_month(samples: list[Sample]) -> None:
    stated = {sample.path.name: stated_period(all_contracts()[sample.kind], sample.path.name) for sample in samples}

    assert all(stated[sample.path.name] in (None, sample.period) for sample in samples)
    assert sum(period is not None for period in stated.values()) == 24


@pytest.mark.parametrize("kind", KINDS)
def test_a_loose_file_is_recognised_by_its_content(
    samples: list[Sample], reader: Reader, tmp_path: Path, kind: str
) -> None:
    sample = _first(samples, kind)

    assert recognise(sample.path, reader, tmp_path) == Recognised(
        sample.path, sample.supplier, sample.kind, sample.period
    )


def test_the_name_of_a_loose_file_need_not_tell_its_kind(samples: list[Sample], reader: Reader, tmp_path: Path) -> None:
    sample = _first(samples, "home_office_outcomes")
    loose = tmp_path / "download (3).csv"
    shutil.copy(sample.path, loose)

    found = recognise(loose, reader, tmp_path)

    assert (found.kind, found.period) == (sample.kind, sample.period)


def test_a_loose_file_that_says_nowhere_which_month_it_is_of_is_refused(
    samples: list[Sample], reader: Reader, tmp_path: Path
) -> None:
    loose = tmp_path / "download.csv"
    shutil.copy(_first(samples, "cps_principal_offence_outcomes").path, loose)

    with pytest.raises(DeliveryError, match="does not say which months") as refusal:
        recognise(loose, reader, tmp_path)

    assert refusal.value.code == "NO_PERIOD"


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "no table at all", "\x00\x01"])
def test_a_loose_file_that_fits_no_contract_is_refused(reader: Reader, tmp_path: Path, text: str) -> None:
    loose = tmp_path / "download.csv"
    loose.write_text(text, encoding="utf-8")

    with pytest.raises(DeliveryError, match="fits no contract") as refusal:
        recognise(loose, reader, tmp_path)

    assert refusal.value.code == "NOT_RECOGNISED"

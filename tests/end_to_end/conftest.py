"""A real local Airflow on free ports with a home of its own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

import pytest

from extracts.synthetic.aggregates import Sample, write_samples
from rasso.local_airflow import LocalAirflow, free_port, wait_until_ready
from tests.homes import built_home

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rasso.settings import Settings

READY_SECONDS = 180.0


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home without a delivery."""
    return built_home(tmp_path_factory.mktemp("airflow") / "home")


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    """Synthetic aggregate extracts."""
    return write_samples(tmp_path_factory.mktemp("samples"))


@pytest.fixture(scope="module")
def airflow(home: Settings) -> Iterator[LocalAirflow]:
    """Scheduler, triggerer, dag-processor and api-server, stopped when the tests of the file are over."""
    with LocalAirflow(home, free_port(0)) as running:
        running.start()
        wait_until_ready(running, READY_SECONDS)
        yield running


T = TypeVar("T")


def wait_for(look: Callable[[], T | None], seconds: float, what: str, airflow: LocalAirflow) -> T:
    """What ``look`` returns, as soon as it returns something; fails at the deadline."""
    deadline = time.monotonic() + seconds
    while (found := look()) is None:
        airflow.check_alive()
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not come within {seconds:.0f} s")
        time.sleep(0.25)  # between two looks at a condition with a deadline
    return found

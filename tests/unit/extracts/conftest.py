"""A reading process and the synthetic samples, which tests of this room only read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extracts.reader import Reader
from extracts.synthetic.aggregates import Sample, write_samples
from rasso.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """A reading process of a home that nothing else is in."""
    with Reader(Settings(home=tmp_path_factory.mktemp("reader") / "home")) as reader:
        yield reader


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    """The synthetic samples."""
    return write_samples(tmp_path_factory.mktemp("samples"))

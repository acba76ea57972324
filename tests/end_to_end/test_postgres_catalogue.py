"""The lake with its catalogue in a real PostgreSQL: what runs in service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extracts.delivery import deliver
from extracts.synthetic.aggregates import write_samples
from rasso.settings import Settings
from scorecards.publication import publish
from tests.homes import prepared_home
from tests.postgres import Catalogue, catalogue
from transforms.build import build
from warehouse.intake import receive_deliveries, waiting_batches
from warehouse.lake import LakeError
from warehouse.schema import prepare_home
from warehouse.status import current_status

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    """A server that lives as long as these tests."""
    with catalogue(tmp_path_factory.mktemp("pg")) as running:
        yield running


@pytest.fixture
def catalog(server: Catalogue) -> str:
    """What RASSO_CATALOG would be, of an empty database."""
    server.empty()
    return server.address


def test_a_delivery_becomes_a_published_page(catalog: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", catalog=catalog)
    settings.prepare()
    sample = write_samples(tmp_path / "samples")[-1]
    deliver(settings.landing, [sample.path], sample.supplier, sample.kind, period=sample.period, is_synthetic=True)
    (batch,) = waiting_batches(settings)
    (outcome,) = receive_deliveries(settings, batch)
    assert outcome.is_accepted
    assert build(settings).checked().models > 0
    assert (publish(settings).site_path / "areas" / "west-midlands" / "index.html").is_file()
    assert current_status(settings).is_published
    assert not list(settings.lake.glob("*.sqlite"))


def test_a_catalogue_that_another_home_made_is_refused(catalog: str, tmp_path: Path) -> None:
    """Else two homes would write their rows to two places, and each would miss half of what the catalogue names."""
    prepared_home(tmp_path / "first", catalog=catalog)
    with pytest.raises(LakeError, match="the database that RASSO_CATALOG names"):
        prepare_home(Settings(home=tmp_path / "second", catalog=catalog))

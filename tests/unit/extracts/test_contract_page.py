"""Contract pages: all that a contract says is on its page, everybody can read it, and nothing runs in it."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pytest

from extracts.contract import CONTRACTS, ContractError, all_contracts
from extracts.contract_page import write_contract_pages
from extracts.delivery import Manifest, contract_for
from extracts.period import Period
from extracts.suppliers import all_suppliers

KINDS = list(all_contracts())
WITH_CASE_REFERENCES = [kind for kind, contract in all_contracts().items() if contract.holds_case_references]
HOSTILE_TEXT = """<script>alert("1 & 2")</script>"""


@dataclass
class Page(HTMLParser):
    """A page as a reader meets it: its words, and the elements that carry its structure."""

    html: str
    words: str = ""
    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.html)
        self.words = " ".join(self.words.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Note words."""
        self.words += f" {data}"

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Attributes of every element of this name."""
        return [attributes for name, attributes in self.elements if name == tag]

    def says(self, text: str) -> bool:
        """Whether a text stands on the page, however its lines are broken."""
        return " ".join(text.split()) in self.words


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    write_contract_pages(folder)
    return folder


def page_of(folder: Path, name: str) -> Page:
    return Page((folder / f"{name}.html").read_text(encoding="utf-8"))


def preformatted(folder: Path, kind: str) -> list[str]:
    """The command and the manifest of the page, as somebody would copy them."""
    page = (folder / f"{kind}.html").read_text(encoding="utf-8")
    blocks = re.findall(r"<pre><code>(.*?)</code></pre>", page, re.DOTALL)
    return [block.replace("&#34;", '"') for block in blocks]


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_says_what_the_extract_is(folder: Path, kind: str) -> None:
    page, contract = page_of(folder, kind), all_contracts()[kind]
    said = (contract.title, contract.version, contract.description, contract.limitations, contract.source)
    assert [text for text in said if not page.says(text)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_column_is_on_the_page_with_its_headers_and_codes(folder: Path, kind: str) -> None:
    page = page_of(folder, kind)
    for column in all_contracts()[kind].columns:
        shown = (*(header or "(an empty header)" for header in column.headers), column.description, *column.allowed)
        assert [text for text in shown if not page.says(text)] == [], column.name


@pytest.mark.parametrize("kind", KINDS)
def test_every_column_that_we_work_out_is_on_the_page(folder: Path, kind: str) -> None:
    page = page_of(folder, kind)
    derived = [column.name for column in all_contracts()[kind].columns if column.derivation is not None]
    assert [name for name in derived if not page.says(name)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_rule_is_on_the_page_with_words_and_reason(folder: Path, kind: str) -> None:
    page = page_of(folder, kind)
    for rule in all_contracts()[kind].rules:
        shown = (rule.rule_id, rule.description, rule.rationale, rule.dimension, rule.owner)
        assert [text for text in shown if not page.says(text)] == [], rule.rule_id


@pytest.mark.parametrize("kind", KINDS)
def test_every_supplier_finds_its_id_on_the_page(folder: Path, kind: str) -> None:
    page = page_of(folder, kind)
    shown = [all_suppliers()[supplier] for supplier in all_contracts()[kind].suppliers]
    assert [one.supplier_id for one in shown if not page.says(f"{one.name} {one.supplier_id}")] == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_says_what_happens_when_a_rule_fails(folder: Path, kind: str) -> None:
    page = page_of(folder, kind)
    for severity, words in {"row": "row kept out", "delivery": "delivery held", "warning": "warning"}.items():
        rules = [rule for rule in all_contracts()[kind].rules if rule.severity == severity]
        # Once where it is explained, and once for each rule.
        assert len(re.findall(rf"<(?:dt|strong)>{words}</", page.html)) == 1 + len(rules)


@pytest.mark.parametrize("kind", WITH_CASE_REFERENCES)
def test_a_case_reference_is_named_as_such_with_what_becomes_of_it(folder: Path, kind: str) -> None:
    page = page_of(folder, kind)
    references = [column for column in all_contracts()[kind].columns if column.case_reference]
    assert page.words.count("Case reference.") == len(references)
    assert all(page.says(f"It is replaced by a token ( {column.stored_as} )") for column in references)
    assert page.says("The original is kept in the encrypted vault")


@pytest.mark.parametrize("kind", WITH_CASE_REFERENCES)
def test_the_page_of_a_case_extract_says_what_must_never_be_in_it(folder: Path, kind: str) -> None:
    page = page_of(folder, kind)
    assert page.says("No names, no dates of birth, no addresses")
    assert page.says("A column that this contract does not name is not read past its header")
    assert page.says("every record that was created or changed in that month")


@pytest.mark.parametrize("kind", KINDS)
def test_the_manifest_of_the_page_is_one_that_would_be_received(folder: Path, kind: str) -> None:
    _, text = preformatted(folder, kind)
    manifest = Manifest.model_validate_json(text)
    assert contract_for(manifest.supplier, manifest.files[0].kind).kind == kind
    assert manifest.files[0].contract_version == all_contracts()[kind].version


@pytest.mark.parametrize("kind", KINDS)
def test_the_command_of_the_page_fits_its_manifest(folder: Path, kind: str) -> None:
    command, text = preformatted(folder, kind)
    entry = json.loads(text)["files"][0]
    rasso, deliver, name, *options = shlex.split(command)
    assert (rasso, deliver, name) == ("rasso", "deliver", entry["name"])
    assert options[2:] == ["--kind", kind, "--period", entry["period"]]
    assert str(Period.parse(entry["period"])) == entry["period"]


@pytest.mark.parametrize("name", [*KINDS, "index"])
def test_a_page_can_be_read_by_everybody(folder: Path, name: str) -> None:
    page = page_of(folder, name)
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == len(page.all("main")) == 1
    assert len(page.all("caption")) == len(page.all("table")) > 0
    assert {attributes.get("scope") for attributes in page.all("th")} == {"col", "row"}


@pytest.mark.parametrize("name", [*KINDS, "index"])
def test_a_page_needs_nothing_beside_itself(folder: Path, name: str) -> None:
    page = page_of(folder, name)
    assert {tag for tag, _ in page.elements} & {"script", "link", "img", "iframe", "object", "form"} == set()
    assert "url(" not in page.html
    assert "default-src 'none'" in page.html


def test_the_index_leads_to_every_page(folder: Path) -> None:
    linked = [attributes["href"] for attributes in page_of(folder, "index").all("a") if attributes["href"] != "#main"]
    assert linked == [f"{kind}.html" for kind in KINDS]
    assert all((folder / str(href)).is_file() for href in linked)


def test_pages_are_the_same_each_time(folder: Path, tmp_path: Path) -> None:
    again = write_contract_pages(tmp_path / "again")
    assert [path.read_bytes() for path in again] == [(folder / path.name).read_bytes() for path in again]


def test_a_text_with_html_stays_a_text(tmp_path: Path) -> None:
    contracts = tmp_path / "contracts"
    contracts.mkdir()
    text = (CONTRACTS / "home_office_outcomes.yaml").read_text(encoding="utf-8")
    title = json.dumps(f"Outcomes {HOSTILE_TEXT}")
    hostile = text.replace("name: Home Office crime outcomes, open data", f"name: {title}")
    hostile = hostile.replace('description: There are no "of which" rows', f"description: {HOSTILE_TEXT}")
    assert hostile.count("<script>") == 2
    (contracts / "home_office_outcomes.yaml").write_text(hostile, encoding="utf-8")

    write_contract_pages(tmp_path / "pages", contracts)

    page = page_of(tmp_path / "pages", "home_office_outcomes")
    assert page.all("script") == page_of(tmp_path / "pages", "index").all("script") == []
    assert page.words.count(HOSTILE_TEXT) == 3  # the title of the document, the heading, and the rule


def test_a_folder_without_contracts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="no contract"):
        write_contract_pages(tmp_path / "pages", tmp_path)


def test_the_command_line_writes_the_pages(tmp_path: Path) -> None:
    answer = subprocess.run(
        [str(Path(sys.executable).with_name("rasso")), "contracts", "--into", str(tmp_path / "pages")],
        env=os.environ | {"RASSO_HOME": str(tmp_path / "home"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (answer.returncode, answer.stderr) == (0, "")
    assert f"wrote {len(KINDS)} contract pages" in answer.stdout
    assert len(list((tmp_path / "pages").iterdir())) == len(KINDS) + 1
    assert not (tmp_path / "home").exists()

"""Keys: nothing is done without them, nobody else may read them, and nothing shows them."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import pickle
import secrets
import shutil
import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rasso.settings import Settings
from warehouse import keys as module
from warehouse.archive import store
from warehouse.keys import KEY_CHECK, Keys, KeysError, make_keys, read_keys

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[3]


@pytest.fixture
def keyless(tmp_path: Path) -> Settings:
    """Settings that name a key file which is not there."""
    return Settings(home=tmp_path / "home", key_file=tmp_path / "secrets" / "keys.json")


@pytest.fixture
def keyed(keyless: Settings) -> Settings:
    """Settings with a key file."""
    make_keys(keyless, development=True)
    return keyless


def _rewrite(settings: Settings, content: str) -> None:
    settings.key_file.unlink(missing_ok=True)
    settings.key_file.parent.mkdir(exist_ok=True)
    settings.key_file.write_text(content, encoding="utf-8")
    settings.key_file.chmod(0o400)


def _document(**changes: object) -> str:
    document = {"current": 1, "keys": {"1": secrets.token_hex(32)}, "is_development": False}
    return json.dumps(document | changes)


# ---- making and reading ----------------------------------------------------------------------------------------------


def test_a_key_file_is_for_its_owner_to_read_and_nobody_to_change(keyed: Settings) -> None:
    assert keyed.key_file.stat().st_mode & 0o777 == 0o400
    assert keyed.key_file.parent.stat().st_mode & 0o077 == 0
    assert [path.name for path in keyed.key_file.parent.iterdir()] == ["keys.json"]


@pytest.mark.parametrize("development", [True, False])
def test_a_key_says_whether_it_is_for_trials(keyless: Settings, development: bool) -> None:
    make_keys(keyless, development=development)

    assert read_keys(keyless).is_development is development


def test_a_key_file_is_never_replaced(keyed: Settings) -> None:
    before = keyed.key_file.read_bytes()

    with pytest.raises(KeysError, match="already"):
        make_keys(keyed, development=False)

    assert keyed.key_file.read_bytes() == before
    assert [path.name for path in keyed.key_file.parent.iterdir()] == ["keys.json"]


def test_without_a_setting_the_key_lies_in_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RASSO_KEY_FILE")

    assert Settings(home=tmp_path).key_file == tmp_path / "secrets" / "keys.json"


def test_a_home_has_folders_for_keys_and_vault_that_only_its_owner_enters(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    settings.prepare()

    assert [folder.stat().st_mode & 0o777 for folder in (settings.secrets, settings.vault)] == [0o700, 0o700]


def test_each_purpose_and_each_version_has_a_key_of_its_own(keyless: Settings) -> None:
    one, two = secrets.token_hex(32), secrets.token_hex(32)
    _rewrite(keyless, _document(current=2, keys={"1": one, "2": two}))

    keys = read_keys(keyless)

    made = {keys.of(purpose, version) for purpose in ("token", "vault", "archive") for version in (1, 2)}  # type: ignore[arg-type]
    assert len(made) == 6
    assert {len(key) for key in made} == {32}
    assert not made & {bytes.fromhex(one), bytes.fromhex(two)}
    assert (keys.token, keys.vault, keys.archive) == (keys.of("token", 2), keys.of("vault", 2), keys.of("archive", 2))


def test_derivation_stays_as_it_is(keyless: Settings) -> None:
    """What was encrypted years ago is opened with what is derived now (computed with another implementation)."""
    _rewrite(keyless, _document(keys={"1": "00" * 31 + "01"}))

    found = {purpose: read_keys(keyless).of(purpose).hex() for purpose in ("token", "vault", "archive")}  # type: ignore[arg-type]

    assert found == {purpose: _hkdf("00" * 31 + "01", f"rasso/{purpose}/v1") for purpose in found}


def _hkdf(secret: str, info: str) -> str:
    """RFC 5869 by hand: extract with a salt of zeros, expand by one block."""
    extracted = hmac.new(bytes(32), bytes.fromhex(secret), hashlib.sha256).digest()
    return hmac.new(extracted, info.encode() + b"\x01", hashlib.sha256).hexdigest()


def test_a_version_that_the_file_does_not_hold_is_an_error_that_names_it(keyed: Settings) -> None:
    with pytest.raises(KeysError, match="no version 7"):
        read_keys(keyed).of("archive", 7)


def test_references_on_their_way_have_another_key_in_each_process(keyed: Settings) -> None:
    keys = read_keys(keyed)

    assert keys.for_staging().hand_over != keys.for_staging().hand_over
    assert (keys.for_staging().archive, keys.for_staging().token) == (keys.archive, keys.token)


# ---- hostile ---------------------------------------------------------------------------------------------------------


def test_without_a_key_file_the_error_says_how_to_make_one(keyless: Settings) -> None:
    with pytest.raises(KeysError, match="rasso make-key"):
        read_keys(keyless)


@pytest.mark.parametrize("mode", [0o440, 0o404, 0o640, 0o644, 0o444, 0o410, 0o402, 0o777])
def test_a_key_file_that_others_may_read_is_refused(keyed: Settings, mode: int) -> None:
    keyed.key_file.chmod(mode)

    with pytest.raises(KeysError, match="chmod 400"):
        read_keys(keyed)


@pytest.mark.parametrize("mode", [0o400, 0o600])
def test_a_key_file_of_its_owner_alone_is_taken(keyed: Settings, mode: int) -> None:
    keyed.key_file.chmod(mode)

    assert read_keys(keyed).current == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_key_file_of_somebody_else_is_refused(keyed: Settings) -> None:
    os.chown(keyed.key_file, 12345, 12345)

    with pytest.raises(KeysError, match="somebody else"):
        read_keys(keyed)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _queue(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o400)


@pytest.mark.parametrize("spoil", [_folder, _queue])
def test_what_is_no_plain_file_is_refused(keyed: Settings, spoil: Callable[[Path], None]) -> None:
    spoil(keyed.key_file)

    with pytest.raises(KeysError):
        read_keys(keyed)


GOOD = secrets.token_hex(32)
MALFORMED = {
    "empty": "",
    "no JSON": "key: " + GOOD,
    "a list": "[]",
    "a number": "1",
    "null": "null",
    "no keys": json.dumps({"current": 1, "is_development": False}),
    "keys as a list": _document(keys=[GOOD]),
    "empty keys": _document(keys={}),
    "current is absent": _document(current=2),
    "current is a text": _document(current="1"),
    "short key": _document(keys={"1": GOOD[:-2]}),
    "long key": _document(keys={"1": GOOD + "00"}),
    "no hexadecimal": _document(keys={"1": "z" * 64}),
    "key is a number": _document(keys={"1": 5}),
    "an older key is short": _document(current=2, keys={"1": GOOD[:-2], "2": GOOD}),
    "version is no number": _document(keys={"one": GOOD}, current="one"),
    "version below one": _document(keys={"0": GOOD}, current=0),
    "nature is no boolean": _document(is_development="no"),
    "nature is absent": json.dumps({"current": 1, "keys": {"1": GOOD}}),
    "not UTF-8": "\udcff",
}


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_key_file_is_refused_without_a_word_of_its_content(keyless: Settings, content: str) -> None:
    _rewrite(keyless, "")
    keyless.key_file.chmod(0o600)
    keyless.key_file.write_bytes(content.encode("utf-8", "surrogateescape"))

    with pytest.raises(KeysError) as fault:
        read_keys(keyless)

    assert "no key file" in str(fault.value)
    assert GOOD[:16] not in str(fault.value)
    assert fault.value.__suppress_context__


# ---- a home and its key ----------------------------------------------------------------------------------------------


@pytest.fixture
def used(keyed: Settings, tmp_path: Path) -> Settings:
    """A home in whose archive a file lies."""
    keyed.prepare()
    _store(keyed, tmp_path, b"first")
    return keyed


def _store(settings: Settings, folder: Path, content: bytes) -> Path:
    source = folder / "source"
    source.write_bytes(content)
    return store(settings, read_keys(settings), source, hashlib.sha256(content).hexdigest()).path


def _everything(settings: Settings) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in settings.root.rglob("*") if path.is_file()}


def test_a_home_refuses_every_key_but_its_own_and_the_error_says_what_to_set(used: Settings) -> None:
    before = _everything(used)
    own = used.key_file.read_text(encoding="utf-8")
    _rewrite(used, _document())

    with pytest.raises(KeysError, match=r"holds another key than that of this home; .* in RASSO_KEY_FILE"):
        read_keys(used)

    assert _everything(used) == before
    _rewrite(used, own)
    assert read_keys(used).current == 1


def test_a_home_is_tied_to_its_key_before_anything_is_encrypted(keyed: Settings) -> None:
    keyed.prepare()
    read_keys(keyed)
    _rewrite(keyed, _document())

    with pytest.raises(KeysError, match="another key"):
        read_keys(keyed)


def test_reading_keys_makes_no_home(keyed: Settings) -> None:
    read_keys(keyed)

    assert not keyed.root.exists()


def test_what_ties_a_home_to_its_key_tells_nobody_what_it_is(used: Settings) -> None:
    keys = read_keys(used)
    told = (used.root / KEY_CHECK).read_text(encoding="utf-8")
    made = [keys.of(purpose) for purpose in ("token", "vault", "archive", "check")]  # type: ignore[arg-type]

    assert not any(key.hex() in told for key in [*made, *keys.secrets_by_version.values()])
    expected = hmac.new(keys.of("check"), b"rasso home", hashlib.sha256).hexdigest()
    assert json.loads(told) == {"current": 1, "checks": {"1": expected}}


def test_a_further_version_of_the_key_is_refused_as_the_current_one_and_taken_beside_it(used: Settings) -> None:
    document = json.loads(used.key_file.read_text(encoding="utf-8"))
    versions = {**document["keys"], "2": secrets.token_hex(32)}

    _rewrite(used, json.dumps(document | {"keys": versions, "current": 2}))
    with pytest.raises(KeysError, match='set "current" back to 1'):
        read_keys(used)

    _rewrite(used, json.dumps(document | {"keys": {"2": versions["2"]}, "current": 2}))
    with pytest.raises(KeysError, match="holds no version 1"):
        read_keys(used)

    _rewrite(used, json.dumps(document | {"keys": versions}))
    assert read_keys(used).current == 1


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"current": 1, "checks": {}}', '{"current": 1, "checks": 1}'])
def test_a_damaged_key_check_is_no_key_check(used: Settings, content: str) -> None:
    path = used.root / KEY_CHECK
    path.chmod(0o600)
    path.write_text(content, encoding="utf-8")

    with pytest.raises(KeysError, match="is damaged"):
        read_keys(used)


def test_a_key_check_that_was_lost_is_written_anew_by_the_key_that_opens_the_archive_only(
    used: Settings, tmp_path: Path
) -> None:
    own = used.key_file.read_text(encoding="utf-8")
    (used.root / KEY_CHECK).unlink()

    _rewrite(used, _document())
    with pytest.raises(KeysError, match="opens nothing"):
        read_keys(used)
    assert not (used.root / KEY_CHECK).exists()

    _rewrite(used, own)
    _store(used, tmp_path, b"second")
    assert (used.root / KEY_CHECK).exists()


def test_a_vault_without_archive_and_key_check_is_opened_by_no_key(keyed: Settings) -> None:
    keyed.prepare()
    (keyed.vault / "vault.duckdb").write_bytes(b"encrypted")

    with pytest.raises(KeysError, match="opens nothing"):
        read_keys(keyed)


def test_of_two_processes_that_use_a_home_first_one_ties_it(keyed: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    keyed.prepare()
    own, other = keyed.key_file.read_text(encoding="utf-8"), _document()
    checked = module._check_opens

    def check_while_the_other_is_first(settings: Settings, keys: Keys) -> None:
        monkeypatch.setattr(module, "_check_opens", checked)
        _rewrite(keyed, other)
        read_keys(keyed)
        checked(settings, keys)

    monkeypatch.setattr(module, "_check_opens", check_while_the_other_is_first)
    with pytest.raises(KeysError, match="another key"):
        read_keys(keyed)

    _rewrite(keyed, own)
    with pytest.raises(KeysError, match="another key"):
        read_keys(keyed)


def _with_archive(settings: Settings) -> None:
    (settings.archive / "ab").mkdir()
    (settings.archive / "ab" / "abcd").write_bytes(b"encrypted")


def _with_vault(settings: Settings) -> None:
    (settings.vault / "vault.duckdb").write_bytes(b"encrypted")


def _with_key_check(settings: Settings) -> None:
    (settings.root / KEY_CHECK).write_bytes(b"{}")


@pytest.mark.parametrize("fill", [_with_archive, _with_vault, _with_key_check])
def test_no_key_is_made_for_a_home_that_was_used_with_one(keyless: Settings, fill: Callable[[Settings], None]) -> None:
    keyless.prepare()
    fill(keyless)

    with pytest.raises(KeysError, match="RASSO_KEY_FILE"):
        make_keys(keyless, development=True)

    assert not keyless.key_file.exists()


def test_a_lock_that_lies_in_the_vault_keeps_nobody_from_making_a_key(keyless: Settings) -> None:
    keyless.prepare()
    (keyless.vault / "vault.lock").touch()

    assert make_keys(keyless, development=True).exists()


@pytest.mark.parametrize("arguments", [["make-key"], ["make-key", "--development"], ["up"], ["receive"]])
def test_no_command_makes_a_key_in_the_place_of_one_that_is_missing(used: Settings, arguments: list[str]) -> None:
    used.key_file.unlink()
    (used.landing / "cps-headquarters" / "a").mkdir(parents=True)
    (used.landing / "cps-headquarters" / "a" / "manifest.json").write_text("{}", encoding="utf-8")

    answer = _rasso(used, *arguments)

    assert answer.returncode == 1
    assert "RASSO_KEY_FILE" in answer.stderr
    assert not used.key_file.exists()
    assert (used.landing / "cps-headquarters" / "a" / "manifest.json").exists()


# ---- nothing shows a key ---------------------------------------------------------------------------------------------


def _shown(keys: Keys) -> list[str]:
    record = logging.makeLogRecord({"msg": "%s %r", "args": (keys, keys)})
    return [repr(keys), str(keys), f"{keys}", record.getMessage(), repr([keys]), repr(keys.for_staging())]


def test_no_way_of_showing_keys_shows_one(keyed: Settings) -> None:
    keys = read_keys(keyed)
    secret = json.loads(keyed.key_file.read_text(encoding="utf-8"))["keys"]["1"]
    made = [bytes.fromhex(secret), keys.token, keys.vault, keys.archive]

    for text in _shown(keys):
        assert not any(key.hex() in text or repr(key)[2:-1] in text for key in made)


def test_keys_are_not_handed_to_other_processes(keyed: Settings) -> None:
    with pytest.raises(TypeError):
        pickle.dumps(read_keys(keyed))


def test_keys_do_not_change(keyed: Settings) -> None:
    with pytest.raises(FrozenInstanceError):
        read_keys(keyed).current = 2  # type: ignore[misc]


# ---- the command and the container -----------------------------------------------------------------------------------


def _rasso(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"RASSO_HOME": str(settings.home), "RASSO_KEY_FILE": str(settings.key_file)}
    program = [sys.executable, "-c", "from rasso.cli import main; main()", *arguments]
    return subprocess.run(program, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("option", "is_development"), [([], False), (["--development"], True)])
def test_the_command_makes_a_key_once(keyless: Settings, option: list[str], is_development: bool) -> None:
    first = _rasso(keyless, "make-key", *option)
    again = _rasso(keyless, "make-key", *option)

    assert (first.returncode, again.returncode) == (0, 1)
    assert "already" in again.stderr
    assert read_keys(keyless).is_development is is_development
    secret = json.loads(keyless.key_file.read_text(encoding="utf-8"))["keys"]["1"]
    assert secret not in first.stdout + first.stderr + again.stdout + again.stderr


def test_the_secret_that_containers_are_given_is_a_key_file(keyless: Settings, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docker", tmp_path / "docker", ignore=shutil.ignore_patterns("secrets"))
    made = subprocess.run([tmp_path / "docker" / "make-secrets"], capture_output=True, text=True, check=True)
    secret = (tmp_path / "docker" / "secrets" / "case_keys").read_text(encoding="utf-8")
    _rewrite(keyless, secret)

    assert read_keys(keyless).is_development is False
    assert json.loads(secret)["keys"]["1"] not in made.stdout + made.stderr
    assert (tmp_path / "docker" / "secrets").stat().st_mode & 0o777 == 0o700


def test_the_secret_of_containers_is_not_made_again_where_it_was_lost(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docker", tmp_path / "docker", ignore=shutil.ignore_patterns("secrets"))
    command = [tmp_path / "docker" / "make-secrets"]
    subprocess.run(command, capture_output=True, check=True)
    assert subprocess.run(command, capture_output=True, check=True).stdout == b""
    (tmp_path / "docker" / "secrets" / "case_keys").unlink()

    again = subprocess.run(command, capture_output=True, text=True, check=False)

    assert again.returncode == 1
    assert "put its copy back" in again.stderr
    assert not (tmp_path / "docker" / "secrets" / "case_keys").exists()

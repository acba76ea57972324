"""Publish scorecards: from the marts of the last successful build to a site that appears in one step.

Belongs here: what a release is (its id, its files, the pointer ``site/current``). Does not belong here: counting
(``transforms``), who may see which rows (``scorecards.editions``) and what stands on a page; the renderer is a process
of its own that is given one edition's folder and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import fasteners

from scorecards.edition import EditionError
from scorecards.editions import RELEASE_ID_LENGTH, EditionPlan, Stamp, edition_id, plan_editions, write_data
from warehouse.lake import LakeError, reading, transaction, writing
from warehouse.releases import content_sha256, is_as_recorded, recorded_contents
from warehouse.version import code_version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rasso.settings import Settings

logger = logging.getLogger(__name__)

RENDER_SECONDS = 600
_PASSED_ON = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT")


class PublicationError(Exception):
    """Nothing was published; the message says in one line what to do."""


@dataclass(frozen=True, slots=True)
class Publication:
    """A release as it stands: its id, whether this call made it, its pages, and where its editions are.

    ``site_path`` is the public edition, ``restricted_paths`` those of the CPS Areas.
    """

    release_id: str
    is_new: bool
    pages: int
    seconds: float
    site_path: Path
    restricted_paths: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class _Build:
    build_id: str
    lake_snapshot: int


@dataclass(frozen=True, slots=True)
class _Recorded:
    """Publications that the ledger knows; nobody else adds to them under the publication lock."""

    contents: Mapping[str, str | None]  # by release; see ``warehouse.releases``
    of_build: frozenset[tuple[str, str | None]]  # releases of this build, each with its content


@dataclass(frozen=True, slots=True)
class _Release:
    release_id: str
    build: _Build
    published_at: datetime


def publish(settings: Settings) -> Publication:
    """Publish the last successful build; the same inputs, code and policy are published once.

    Everything is written beside the site and appears by renaming a folder and swapping a link, so a reader sees the
    old release or the new one. A crash in between is mended by the next call. Before it is shown, a release is recorded
    with the hash of its content and the build whose tests have passed; one that no longer holds what was recorded is
    made anew.

    Raises:
        PublicationError: there is no successful build, or its figures cannot be turned into pages.
    """
    started = time.monotonic()
    releases = settings.site / "releases"
    releases.mkdir(mode=0o700, parents=True, exist_ok=True)
    with fasteners.InterProcessLock(str(settings.site / ".publication.lock")):
        _sweep(settings.site)
        build, recorded = _last_successful_build(settings)
        with reading(settings, build.lake_snapshot) as connection:
            editions = _planned(settings, connection)
            release = _Release(_site_id(editions), build, datetime.now(UTC).replace(microsecond=0))
            target = releases / release.release_id
            is_new = not is_as_recorded(target, recorded.contents)
            if is_new:
                _make(settings, connection, release, editions, recorded)
        _record(settings, release, content_sha256(target), recorded)
        _point(settings.site, target)
        _forget(releases, settings.keep_releases, target)
    pages = sum(1 for _ in target.rglob("*.html"))
    seconds = time.monotonic() - started
    state = "new" if is_new else "already there"
    logger.info("release %s: %s, %d editions, %d pages", release.release_id, state, len(editions), pages)
    paths = tuple(settings.site / "current" / plan.path for plan in editions)
    return Publication(release.release_id, is_new, pages, seconds, paths[0], paths[1:])


def _last_successful_build(settings: Settings) -> tuple[_Build, _Recorded]:
    try:
        with reading(settings) as connection:
            row = connection.execute(
                "select build_id, lake_snapshot from lake.ledger.build"
                " where status = 'succeeded' order by lake_snapshot desc, ended_at desc limit 1"
            ).fetchone()
            known = connection.execute(
                "select release_id, content_sha256 from lake.ledger.publication where build_id = ?",
                [row[0] if row else None],
            ).fetchall()
            contents = recorded_contents(connection)
    except duckdb.BinderException as error:
        raise PublicationError("the lake is of an earlier version: build the marts first, then publish") from error
    except (LakeError, duckdb.CatalogException) as error:
        raise PublicationError(
            "there is no lake to publish from: receive deliveries and build the marts first"
        ) from error
    if row is None:
        raise PublicationError("no build has succeeded yet: build the marts first, then publish")
    return _Build(row[0], row[1]), _Recorded(contents, frozenset(known))


def _planned(settings: Settings, connection: duckdb.DuckDBPyConnection) -> dict[EditionPlan, str]:
    try:
        return {plan: edition_id(connection, plan, settings) for plan in plan_editions(connection)}
    except EditionError as error:
        raise PublicationError(str(error)) from error


def _make(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    release: _Release,
    editions: Mapping[EditionPlan, str],
    recorded: _Recorded,
) -> None:
    """Make every edition in a folder of work, then give the folder its name.

    An edition that holds what it held in the release before is taken over as it stands, so that one supplier's delivery
    makes anew what it changed and nothing else.
    """
    target = settings.site / "releases" / release.release_id
    shown = (settings.site / "current").resolve()
    can_take_over = is_as_recorded(shown, recorded.contents)
    work = settings.site / f".work-{secrets.token_hex(8)}"
    try:
        work.mkdir(mode=0o700)
        changed = []
        for plan, release_id in editions.items():
            before = shown / plan.path
            if can_take_over and _release_of(before) == release_id:
                shutil.copytree(before, work / plan.path, copy_function=os.link)
            else:
                stamp = Stamp(release_id, release.published_at, release.build.lake_snapshot)
                write_data(settings, connection, plan, stamp, work / plan.path / "data")
                changed.append(work / plan.path)
        with ThreadPoolExecutor(settings.threads) as renderers:
            for _ in renderers.map(_render, changed):
                pass
        _sync(work)
        if target.exists():  # and is not what was recorded
            logger.warning("release %s was changed after it was published; it is made anew", target.name)
            _withdraw(target)
        work.rename(target)
        _sync_folder(target.parent)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _release_of(edition: Path) -> str | None:
    """Release id of an edition that was published; None where there is none, or it cannot be read."""
    try:
        return str(json.loads((edition / "data" / "release.json").read_text(encoding="utf-8"))["release_id"])
    except (OSError, ValueError, KeyError):
        return None


def _site_id(editions: Mapping[EditionPlan, str]) -> str:
    """Id of a release as a whole: a hash of its editions."""
    text = "\n".join(f"{plan.path} {release_id}" for plan, release_id in editions.items())
    return hashlib.sha256(text.encode()).hexdigest()[:RELEASE_ID_LENGTH]


def _render(edition: Path) -> None:
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    source = str(Path(__file__).parent.parent)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (source, environment.get("PYTHONPATH"))))
    try:
        subprocess.run(
            [sys.executable, "-m", "scorecards.render", "."],
            cwd=edition,
            env=environment,
            check=True,
            capture_output=True,
            encoding="utf-8",
            timeout=RENDER_SECONDS,
        )
    except subprocess.CalledProcessError as error:
        said = (error.stderr or "").strip().splitlines() or ["the renderer stopped without a word"]
        raise PublicationError(f"the pages could not be made, mend this and publish again: {said[-1]}") from error
    except subprocess.TimeoutExpired as error:
        raise PublicationError(f"the pages were not made within {RENDER_SECONDS} s: publish again") from error


def _sync(folder: Path) -> None:
    """Bring all files of a release to disk before its name does: a crash must not leave a release with holes."""
    for place, _, names in os.walk(folder):
        for name in names:
            _sync_path(Path(place) / name, os.O_RDONLY)
        _sync_folder(Path(place))


def _sync_folder(folder: Path) -> None:
    _sync_path(folder, os.O_RDONLY | os.O_DIRECTORY)


def _sync_path(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _point(site: Path, target: Path) -> None:
    """Let ``site/current`` point to a release, in one step."""
    pointer, wanted = site / "current", Path("releases") / target.name
    if pointer.is_symlink() and pointer.readlink() == wanted:
        return
    fresh = site / f".current-{secrets.token_hex(8)}"
    fresh.symlink_to(wanted, target_is_directory=True)
    fresh.replace(pointer)
    _sync_folder(site)


def _sweep(site: Path) -> None:
    """Remove what a crashed publication left; the lock is held, so nobody is working in it."""
    for folder in site.glob(".work-*"):
        shutil.rmtree(folder, ignore_errors=True)
    for pointer in site.glob(".current-*"):
        pointer.unlink(missing_ok=True)


def _forget(releases: Path, kept: int, current: Path) -> None:
    """Remove the oldest releases beyond those that are kept; the ledger remembers them all."""
    others = sorted((path for path in releases.iterdir() if path != current), key=lambda path: path.stat().st_mtime)
    for folder in others[: max(len(others) - kept + 1, 0)]:
        _withdraw(folder)


def _withdraw(release: Path) -> None:
    gone = release.with_name(f".gone-{release.name}")  # at once: nobody reads a release with holes
    release.rename(gone)
    shutil.rmtree(gone)


def _record(settings: Settings, release: _Release, content: str, recorded: _Recorded) -> None:
    """Write into the ledger, once, that this build is published as this release with this content."""
    if (release.release_id, content) in recorded.of_build:
        return
    with writing(settings) as connection, transaction(connection):
        connection.execute(
            "insert into lake.ledger.publication"
            " (release_id, build_id, lake_snapshot, published_at, code_version, content_sha256)"
            " values (?, ?, ?, ?, ?, ?)",
            [
                release.release_id,
                release.build.build_id,
                release.build.lake_snapshot,
                release.published_at.replace(tzinfo=None),
                code_version(),
                content,
            ],
        )

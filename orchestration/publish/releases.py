"""Releases: built aside, checked, published by one rename, listed, rolled back to, and in the end removed.

A release is named by its as-of date and a digest of its contents: the same contents have the same name, so that a
night run twice publishes nothing new. What is in it is judged once, when it is published; afterwards its file has to be
the same to the byte, whichever engine and laws have come since.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from orchestration.campaigns.receipts import releases_of_receipts
from orchestration.days import Days
from orchestration.disk import flush
from orchestration.errors import ConfigurationError, ReleaseDamaged
from orchestration.publish.laws import broken_laws
from orchestration.publish.notes import ReleaseNotes, notes_of
from orchestration.publish.release_table import ReleaseTable
from orchestration.publish.report import REPORT, report
from orchestration.publish.tables import TABLES, segment_table, with_words_of_models
from orchestration.read.opened import Release, opened
from orchestration.settings import Home, load_settings
from orchestration.warehouse import all_or_nothing, only_one_refresh

#: What analysts open. It is a link to FILE: DuckDB names a database after its file, and a database called ``segments`` would
#: make ``segments.men_18_25`` ambiguous with the schema of that name.
OPENED = "segments.duckdb"
FILE = "release.duckdb"
MANIFEST = "manifest.json"

#: Between following the pointer to a release and having its file open, a reader takes far less than this.
SECONDS_TO_OPEN = 1.0


@dataclass(frozen=True)
class TableOfRelease:
    """Rows and a checksum that does not depend on their order."""

    rows: int
    checksum: str


@dataclass(frozen=True)
class Manifest:
    """What a release holds, and in its ``notes`` what is new in it. ``published_at`` is UTC and ``sha256`` that of the release's
    file; every other field but the notes depends on the contents and the engine alone.
    """

    release: str
    as_of_date: date
    first_as_of_date: date
    published_at: str
    engine: str
    sha256: str
    tables: dict[str, TableOfRelease]
    notes: ReleaseNotes | None = None

    @property
    def days(self) -> Days:
        return Days(self.first_as_of_date, self.as_of_date)

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        said = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        said["as_of_date"] = date.fromisoformat(said["as_of_date"])
        said["first_as_of_date"] = date.fromisoformat(said["first_as_of_date"])
        said["tables"] = {name: TableOfRelease(**table) for name, table in said["tables"].items()}
        said["notes"] = ReleaseNotes.read(said["notes"]) if said.get("notes") else None
        return cls(**said)

    def write(self, folder: Path) -> None:
        (folder / MANIFEST).write_text(json.dumps(asdict(self), indent=2, default=str) + "\n", encoding="utf-8")


def current_release(home: Home) -> Manifest | None:
    """The manifest of the published release; None before the first. Raises ReleaseDamaged where it cannot be read."""
    current = home.releases / "current"
    if not current.exists():
        return None
    try:
        return Manifest.read(current)
    except (OSError, ValueError, KeyError, TypeError) as unreadable:
        raise ReleaseDamaged(
            f"Release {current.readlink().name} has no {MANIFEST} that can be read ({type(unreadable).__name__}): go back to another with `segments rollback`."
        ) from unreadable


def days_on_record(home: Home) -> Days | None:
    """The as-of dates that the current release has; None before the first."""
    current = current_release(home)
    return current.days if current else None


def open_release(home: Home, manifest: Manifest) -> duckdb.DuckDBPyConnection:
    """The release's file, to read."""
    return duckdb.connect(str(home.releases / manifest.release / OPENED), read_only=True)


def current_name(home: Home) -> str | None:
    """The name of the published release, for who asks often; None before the first."""
    try:
        return (home.releases / "current").readlink().name
    except FileNotFoundError:
        return None


def open_for_reading(home: Home) -> Release | None:
    """The current release for who looks at it for a while, from many threads; None before the first. Whoever opens it closes it."""
    name = current_name(home)
    return open_named(home, name) if name else None


def open_named(home: Home, name: str) -> Release:
    """As above, the release of that name. Raises ReleaseDamaged where it cannot be opened, or is gone."""
    folder = home.releases / name
    try:
        release = _opened(folder, Manifest.read(folder))
    except (OSError, ValueError, duckdb.Error) as unreadable:
        raise ReleaseDamaged(
            f"Release {name} cannot be opened ({type(unreadable).__name__}): use another release."
        ) from unreadable
    return replace(release, currency=load_settings(home).currency)


def _opened(folder: Path, manifest: Manifest) -> Release:
    return Release(
        opened(folder / OPENED),
        manifest.release,
        manifest.as_of_date,
        manifest.first_as_of_date,
        manifest.published_at,
    )


def list_releases(home: Home) -> list[Manifest]:
    """The releases kept, the newest published first."""
    manifests = [Manifest.read(file.parent) for file in home.releases.glob(f"*/{MANIFEST}") if _is_release(file.parent)]
    return sorted(manifests, key=lambda manifest: (manifest.published_at, manifest.release), reverse=True)


def publish(connection: duckdb.DuckDBPyConnection, home: Home, dbt_manifest: Mapping[str, Any], keep: int) -> Manifest:
    """Builds a release from the warehouse, checks it, and makes it the current one by one rename.

    To be called by who holds the home's lock. Raises ReleaseDamaged, with the current release untouched, where the built
    file breaks a law.
    """
    home.releases.mkdir(parents=True, exist_ok=True)
    _remove_unfinished(home)
    building = home.releases / ".building"
    building.mkdir()
    before = home.releases / "current" / OPENED
    manifest = _build(connection, building, dbt_manifest, before if before.exists() else None)
    folder = home.releases / manifest.release
    if _is_whole(folder):
        shutil.rmtree(building)
        manifest = Manifest.read(folder)
    else:
        if folder.exists():
            folder.rename(home.releases / f".leaving-{manifest.release}")
        for written in (building / FILE, building / MANIFEST, building / REPORT, building):
            flush(written)
        building.rename(folder)
    replaced_release = current_release(home)
    _point_current_at(home, manifest.release)
    _remove_old(home, keep, replaced_release.release if replaced_release else None, releases_of_receipts(home))
    return manifest


def rollback(home: Home, release: str) -> Manifest:
    """Makes an earlier release the current one again. Raises ConfigurationError where it is gone, ReleaseDamaged where
    it is not whole, RefreshRunning while a refresh is at work.
    """
    with only_one_refresh(home):
        folder = home.releases / release
        if not _is_release(folder) or not (folder / MANIFEST).exists():
            kept = ", ".join(manifest.release for manifest in list_releases(home)) or "none"
            raise ConfigurationError(f"There is no release {release} in {home.releases}. Releases kept: {kept}.")
        manifest = Manifest.read(folder)
        verify(folder, manifest)
        _point_current_at(home, release)
        return manifest


def verify(folder: Path, manifest: Manifest) -> None:
    """Holds the file of a release against its manifest, to the byte. Raises ReleaseDamaged where it is another."""
    try:
        found = _sha256(folder / OPENED)
    except OSError as unreadable:
        raise ReleaseDamaged(
            f"The file of release {manifest.release} cannot be read ({type(unreadable).__name__}): use another release."
        ) from unreadable
    if found != manifest.sha256:
        raise ReleaseDamaged(f"The file of release {manifest.release} is not the one published: use another release.")


def _build(
    connection: duckdb.DuckDBPyConnection, building: Path, dbt_manifest: Mapping[str, Any], before: Path | None
) -> Manifest:
    file = building / FILE
    segments = connection.execute("select segment, label from refresh.definitions order by segment").fetchall()
    tables = [with_words_of_models(table, dbt_manifest) for table in TABLES] + [
        segment_table(*segment) for segment in segments
    ]
    connection.execute(f"attach '{str(file).replace(chr(39), chr(39) * 2)}' as release")
    try:
        with all_or_nothing(connection):
            for schema in sorted({table.name.split(".")[0] for table in tables}):
                connection.execute(f"create schema release.{schema}")
            for table in tables:
                connection.execute(f"create table release.{table.name} as {table.query}")
                _comment(connection, table)
    finally:
        connection.execute("detach release")
    with duckdb.connect(str(file), read_only=True) as release:
        _demand_laws(release)
        contents, notes = _contents(release), notes_of(release, connection, before)
        first, last = release.execute(
            "select min(as_of_date), max(as_of_date) from metrics.segment_counts_daily"
        ).fetchall()[0]
    digest = hashlib.sha256(
        json.dumps({name: asdict(table) for name, table in contents.items()}, sort_keys=True).encode()
    )
    manifest = Manifest(
        release=f"{last}-{digest.hexdigest()[:8]}",
        as_of_date=last,
        first_as_of_date=first,
        published_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        engine=f"duckdb {duckdb.__version__}",
        sha256=_sha256(file),
        tables=contents,
        notes=notes,
    )
    manifest.write(building)
    file.chmod(0o444)
    (building / OPENED).symlink_to(FILE)
    (building / REPORT).write_text(_report(building, manifest), encoding="utf-8")
    return manifest


def _report(folder: Path, manifest: Manifest) -> str:
    release = _opened(folder, manifest)
    try:
        return report(release)
    finally:
        release.close()


def _demand_laws(release: duckdb.DuckDBPyConnection) -> None:
    if broken := broken_laws(release):
        said = "; ".join(f"{law} ({rows} rows do not)" for law, rows in broken.items())
        raise ReleaseDamaged(
            f"The release is not published, for it breaks a law: {said}. "
            "Refresh again; if it comes again, `segments rebuild` derives the warehouse anew."
        )


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _comment(connection: duckdb.DuckDBPyConnection, table: ReleaseTable) -> None:
    connection.execute(f"comment on table release.{table.name} is {_literal(table.comment)}")
    for column, words in table.columns.items():
        connection.execute(f'comment on column release.{table.name}."{column}" is {_literal(words)}')


def _contents(release: duckdb.DuckDBPyConnection) -> dict[str, TableOfRelease]:
    names = release.execute(
        "select schema_name, table_name from duckdb_tables() where not internal order by all"
    ).fetchall()
    contents = {}
    for schema, table in names:
        query = f'select count(*), coalesce(sum(hash(t)::hugeint), 0) from {schema}."{table}" as t'
        rows, checksum = release.execute(query).fetchall()[0]
        contents[f"{schema}.{table}"] = TableOfRelease(rows, f"{checksum:x}")
    return contents


def _point_current_at(home: Home, release: str) -> None:
    flush(home.releases)  # the release itself, before anything points at it
    pointer = home.releases / ".current"
    pointer.unlink(missing_ok=True)
    pointer.symlink_to(release)
    pointer.replace(home.releases / "current")
    flush(home.releases)


def _remove_old(home: Home, keep: int, replaced: str | None, frozen: frozenset[str] | None) -> None:
    """Removes the releases beyond those to keep; the one just ``replaced`` not before who followed the pointer to it has opened it.

    What is ``frozen`` stays beside those, for a campaign was drawn from it; where that is not known, all stay.
    """
    if frozen is None:
        return
    current = current_release(home)
    others = [
        manifest.release for manifest in list_releases(home) if current is None or manifest.release != current.release
    ]
    leaving_now = [release for release in others[max(0, keep - 1) :] if release not in frozen]
    if replaced in leaving_now:
        time.sleep(SECONDS_TO_OPEN)
    for release in leaving_now:
        leaving = home.releases / f".leaving-{release}"
        (home.releases / release).rename(leaving)
        shutil.rmtree(leaving)


def _remove_unfinished(home: Home) -> None:
    for left in (*home.releases.glob(".building"), *home.releases.glob(".leaving-*")):
        shutil.rmtree(left)


def _is_whole(folder: Path) -> bool:
    try:
        verify(folder, Manifest.read(folder))
    except (OSError, ValueError, ReleaseDamaged):
        return False
    return True


def _is_release(folder: Path) -> bool:
    return folder.is_dir() and not folder.is_symlink() and not folder.name.startswith(".")


def _literal(text: str) -> str:
    return "'" + " ".join(text.split()).replace("'", "''") + "'"

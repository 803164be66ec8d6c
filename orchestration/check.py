"""Whether everything that people write for a home is right, before a night finds out: `segments check`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from orchestration.alert import acknowledgements, ledger, routes
from orchestration.alert.acknowledgements import read_acknowledgements
from orchestration.alert.ledger import Ledger
from orchestration.alert.message import trial
from orchestration.alert.routes import demand_known_names, read_routes
from orchestration.campaigns.files import read_campaigns
from orchestration.errors import ConfigurationError, SegmentsError, nearest
from orchestration.known_days import FILE as CALENDAR
from orchestration.known_days import read_known_days
from orchestration.personas.files import Rule, circular_claim, missing_folder, read_personas, unknown_segment
from orchestration.publish.releases import current_release, open_release
from orchestration.settings import Home, Settings, load_settings
from orchestration.target.launching import wrong_since_the_release
from orchestration.transform.catalogue import segments
from orchestration.transform.project import DbtProjectOfHome
from orchestration.validate import overrides
from orchestration.validate.overrides import read_overrides
from orchestration.warehouse import Warehouse


@dataclass(frozen=True)
class Checked:
    """A file, or the dbt project, and the sentence that says what is wrong with it, if anything."""

    what: str
    wrong: str | None


@dataclass(frozen=True)
class Trial:
    """A test message to a receiver, and why it did not arrive, if it did not."""

    receiver: str
    wrong: str | None


def check(home: Home) -> list[Checked]:
    """Reads all of it, each part whether or not another is wrong."""
    return [
        _checked("settings.yml", lambda: load_settings(home)),
        _checked(CALENDAR, lambda: _check_calendar(home)),
        _checked(routes.FILE, lambda: _check_routes(home)),
        _checked(acknowledgements.FILE, lambda: read_acknowledgements(home)),
        _checked(ledger.FILE, lambda: Ledger.read(home)),
        _checked(overrides.FILE, lambda: read_overrides(home)),
        *_checked_campaigns(home),
        *_checked_personas(home),
        _checked("dbt_project", lambda: _segments_of_project(home, load_settings(home))),
    ]


def send_trials(home: Home) -> list[Trial]:
    """One attempt to reach each receiver of ``alerts.yml``. Raises ConfigurationError where that file is wrong."""
    read = read_routes(home)
    if read is None:
        return []
    answers = {name: receiver.channel.send(trial(name)) for name, receiver in read.receivers.items()}
    return [Trial(name, None if answer.arrived else answer.reason) for name, answer in answers.items()]


def _checked(what: str, read: Callable[[], object]) -> Checked:
    try:
        read()
    except SegmentsError as wrong:
        return Checked(what, str(wrong))
    return Checked(what, None)


def _checked_campaigns(home: Home) -> list[Checked]:
    """A line for each campaign file that is wrong, or one for all of them."""
    try:
        settings = load_settings(home)
        files = read_campaigns(home, settings)
        if settings.campaigns and not files.folder.is_dir():
            raise ConfigurationError(
                f"settings.yml: `campaigns` is {settings.campaigns}, and there is no folder {files.folder}: make it, or name another."
            )
        wrong = dict(files.wrong) | wrong_since_the_release(home, files)
    except SegmentsError as problem:
        return [Checked("campaigns", str(problem))]
    return [Checked(f"campaigns/{file}", wrong[file]) for file in sorted(wrong)] or [Checked("campaigns", None)]


def _checked_personas(home: Home) -> list[Checked]:
    """A line for each persona file that is wrong, or one for all of them."""
    try:
        settings = load_settings(home)
        if missing := missing_folder(home, settings):
            raise ConfigurationError(missing)
        files = read_personas(home, settings)
    except SegmentsError as problem:
        return [Checked("personas", str(problem))]
    wrong = dict(files.wrong)
    try:
        known = _segments_of_project(home, settings) if files.personas else []
    except SegmentsError:
        known = []  # the line of the dbt project tells of it
    rules = _rules_of_the_release(home)
    for persona in files.personas.values() if known else ():
        file = files.folder / f"{persona.id}.yml"
        if sentence := unknown_segment(persona, file, known) or circular_claim(persona, file, rules):
            wrong[file.name] = sentence
    return [Checked(f"personas/{file}", wrong[file]) for file in sorted(wrong)] or [Checked("personas", None)]


def _segments_of_project(home: Home, settings: Settings) -> list[str]:
    return [segment.name for segment in segments(DbtProjectOfHome(Warehouse(home, settings)).manifest())]


def _check_calendar(home: Home) -> None:
    known = set(_owners(home))
    for event in read_known_days(home).calendar.events:
        for segment in event.segments:
            if known and segment not in known:
                raise ConfigurationError(
                    f"{CALENDAR}: {event.name!r} is of the segment {segment}, which there is not; {nearest(segment, sorted(known))}"
                )


def _check_routes(home: Home) -> None:
    read, owners = read_routes(home), _owners(home)
    if read is not None and owners:
        demand_known_names(read, owners=sorted(set(owners.values())), segments=sorted(owners))


def _owners(home: Home) -> dict[str, str]:
    return {segment: owner for segment, owner in _of_the_release(home, "owner")}


def _rules_of_the_release(home: Home) -> dict[str, Rule]:
    return {segment: Rule(*said) for segment, *said in _of_the_release(home, "columns_used, builds_on, scheme")}


def _of_the_release(home: Home, columns: str) -> list[tuple[Any, ...]]:
    """What the current release says of each segment, its name first; nothing before the first."""
    manifest = current_release(home)
    if manifest is None:
        return []
    with open_release(home, manifest) as release:
        return release.execute(f"select segment, {columns} from catalog.segments").fetchall()

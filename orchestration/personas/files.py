"""What people write of a persona: one file each, ``personas/<id>.yml``. How such a file is read and what it may say; its claims are in ``claims``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from orchestration.campaigns.files import PROJECT, Channel
from orchestration.errors import ConfigurationError, nearest
from orchestration.file_errors import sentence
from orchestration.personas.claims import Claim
from orchestration.settings import Home, Settings
from orchestration.yaml_file import NamedTwice, read_yaml

HOW_TO = "docs/how_to/write_a_persona.md"

#: Who asks for one of them asks for all.
AGES = {"age", "age_band", "birth_date", "days_until_birthday"}
#: What PyYAML calls a text of which it knows no file.
IN_NO_FILE = ' in "<unicode string>",'
ID = re.compile(r"[a-z0-9][a-z0-9_]{0,63}")

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Texts = Annotated[tuple[Text, ...], Field(min_length=1)]


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class LinkedSegment(_Said):
    """A segment and its role. The members of ``evidence`` are who the persona stands for, and its claims are tested on them; those of ``excluded`` are not among
    them; ``target`` is one that campaigns address with the persona in mind, and proves nothing.
    """

    id: Text
    role: Literal["evidence", "target", "excluded"]


class PainPoint(_Said):
    text: Text
    moment: Text
    severity: Literal["low", "medium", "high"]


class Quote(_Said):
    text: Text
    source: Text
    said_on: date


class Stage(_Said):
    """A stage of the journey: a moment of friction in it, and an idea of a service for it."""

    stage: Text
    friction: Text
    service_idea: Text


class Persona(_Said):
    """One persona. ``is_negative`` says that she is one whom the company does not seek."""

    id: str
    name: Text
    archetype: Text
    status: Literal["draft", "active", "retired"]
    owner: Text
    review_by: date
    is_negative: bool = False
    segments: Annotated[tuple[LinkedSegment, ...], Field(min_length=1)]
    needs: Texts
    pain_points: Annotated[tuple[PainPoint, ...], Field(min_length=1)]
    motivations: Texts
    expectations: Texts
    jobs_to_be_done: Texts
    objections: tuple[Text, ...] = ()
    alternatives_tried: tuple[Text, ...] = ()
    quotes: tuple[Quote, ...] = ()
    channels: tuple[Channel, ...] = ()
    tone: Text
    proof_points: tuple[Text, ...] = ()
    value_proposition: Text
    journey: tuple[Stage, ...] = ()
    claims: Annotated[tuple[Claim, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _makes_sense(self) -> Persona:
        if not ID.fullmatch(self.id):
            raise ValueError(f"{self.id!r} is no id: use lower-case letters, digits and _, at most 64")
        names = [one.id for one in self.segments]
        if twice := _first_twice(names):
            raise ValueError(f"the segment {twice} is linked twice: keep one of them")
        if not self.evidence:
            raise ValueError("no segment has the role evidence: without one nothing can be tested")
        if twice := _first_twice([claim.id for claim in self.claims]):
            raise ValueError(f"two claims are called {twice}: call one otherwise")
        for claim in self.claims:
            for measure in claim.measures:
                if measure.of == "also_in" and measure.segment in names:
                    raise ValueError(
                        f"the claim {claim.id} is circular: it asks who is in {measure.segment}, and the persona is linked with that segment; measure something else"
                    )
        return self

    def segments_of(self, role: Literal["evidence", "target", "excluded"]) -> tuple[str, ...]:
        return tuple(one.id for one in self.segments if one.role == role)

    @property
    def evidence(self) -> tuple[str, ...]:
        """The segments whose members she stands for."""
        return self.segments_of("evidence")

    @property
    def asked_segments(self) -> tuple[str, ...]:
        """Every segment that is named in the file."""
        asked = [measure.segment for claim in self.claims for measure in claim.measures if measure.segment]
        return tuple(dict.fromkeys([*(one.id for one in self.segments), *asked]))


@dataclass(frozen=True)
class PersonaFiles:
    """The personas that can be read, by id, and by file what is wrong with the others, in a sentence; ``missing`` is what is wrong where their folder is gone."""

    folder: Path
    personas: Mapping[str, Persona]
    wrong: Mapping[str, str]
    missing: str | None = None

    def named(self, persona: str) -> Persona:
        """The persona of the id. Raises ConfigurationError, with what is wrong with its file or the nearest id, where there is none."""
        if persona in self.personas:
            return self.personas[persona]
        if wrong := next((wrong for file, wrong in self.wrong.items() if Path(file).stem == persona), None):
            raise ConfigurationError(wrong)
        hint = (
            nearest(persona, sorted(self.personas))
            if self.personas
            else f"there are no persona files in {self.folder}."
        )
        raise ConfigurationError(f"There is no persona {persona}; {hint}")


def personas_folder(home: Home, settings: Settings) -> Path:
    """Where the persona files are: the setting ``personas``, seen from the home, else the project's own folder."""
    return home.path / settings.personas if settings.personas else PROJECT / "personas"


def persona_names(home: Home, settings: Settings) -> list[str]:
    """The personas that have a file, whether or not it can be read; a file whose name can be no persona's has none."""
    return sorted({file.stem for file in persona_files(personas_folder(home, settings)) if ID.fullmatch(file.stem)})


def persona_files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.glob("[!.]*") if file.suffix.lower() in (".yml", ".yaml") and file.is_file())


def missing_folder(home: Home, settings: Settings) -> str | None:
    """What is wrong where the setting ``personas`` names no folder; None where it does, or there is no such setting."""
    folder = personas_folder(home, settings)
    if not settings.personas or folder.is_dir():
        return None
    return (
        f"settings.yml: `personas` is {settings.personas}, and there is no folder {folder}: make it, or name another."
    )


def read_personas(home: Home, settings: Settings) -> PersonaFiles:
    """Reads every ``<id>.yml`` of the personas' folder. What is wrong with one is kept beside the others, for it is no reason to stop a night."""
    folder = personas_folder(home, settings)
    personas: dict[str, Persona] = {}
    wrong: dict[str, str] = {}
    for file in persona_files(folder):
        try:
            personas[file.stem] = read_persona(file)
        except ConfigurationError as problem:
            wrong[file.name] = str(problem)
    return PersonaFiles(folder, personas, wrong, missing_folder(home, settings))


def read_persona(file: Path) -> Persona:
    """One persona file. Raises ConfigurationError naming the file, the field and the remedy."""
    try:
        said = read_yaml(file, as_written=False)
        if not isinstance(said, dict):
            raise ConfigurationError(f"{file} must have lines of the form `field: value`; see {HOW_TO}.")
        persona = Persona.model_validate({"id": file.stem} | said)
    except ValidationError as invalid:
        raise ConfigurationError(f"{file}: {sentence(invalid.errors(), Persona, HOW_TO)}") from None
    except NamedTwice as twice:
        raise ConfigurationError(f"{file}: the field {twice}: take one away.") from None
    except (yaml.YAMLError, ValueError, OSError) as broken:
        raise ConfigurationError(
            f"{file} is not valid YAML: {' '.join(str(broken).replace(IN_NO_FILE, ' in').split())}"
        ) from broken
    if file.suffix != ".yml":
        raise ConfigurationError(
            f"{file}: the file of a persona ends in .yml: call it {file.stem}.yml, or take it away where there is one already."
        )
    if persona.id != file.stem:
        raise ConfigurationError(
            f"{file}: its id is {persona.id!r}, and the file of a persona is named by its id: call it {persona.id}.yml."
        )
    return persona


def unknown_segment(persona: Persona, file: Path, known: Iterable[str]) -> str | None:
    """What is wrong where the file names a segment that there is not."""
    names = sorted(known)
    for segment in persona.asked_segments:
        if segment not in names:
            claim = next(
                (one.id for one in persona.claims for measure in one.measures if measure.segment == segment), None
            )
            by = "`segments`" if claim is None else f"the claim {claim}"
            return f"{file}: {by} names the segment {segment}, which there is not; {nearest(segment, names)}"
    return None


@dataclass(frozen=True)
class Rule:
    """By what a segment chooses its members, as the catalogue has it."""

    columns_used: Sequence[str]
    builds_on: Sequence[str]
    scheme: str | None


def circular_claim(persona: Persona, file: Path, rules: Mapping[str, Rule]) -> str | None:
    """What is wrong where a claim asks for what the segments of the evidence are chosen by: she would be right, or wrong, by definition.

    That is an attribute that all of them test, or a segment that one of them is built on, that is built on one of them, or is of the same exclusive scheme.
    """
    chosen = " and ".join(persona.evidence)
    for claim in persona.claims:
        for measure in claim.measures:
            asked = AGES if measure.attribute in AGES else {str(measure.attribute)}
            if measure.attribute and all(
                asked & {*rules[one].columns_used} for one in persona.evidence if one in rules
            ):
                return (
                    f"{file}: the claim {claim.id} is circular: it asks for {measure.attribute}, by which {chosen} "
                    f"{'chooses' if len(persona.evidence) == 1 else 'choose'} the members; measure something else."
                )
            if measure.segment and (one := _defined_by(measure.segment, persona.evidence, rules)):
                return f"{file}: the claim {claim.id} is circular: whether who is in {one} is in {measure.segment} follows from their rules; measure something else."
    return None


def _defined_by(segment: str, evidence: Sequence[str], rules: Mapping[str, Rule]) -> str | None:
    for one in evidence:
        if segment in rules and one in rules:
            is_of_one_scheme = rules[one].scheme is not None and rules[one].scheme == rules[segment].scheme
            if is_of_one_scheme or segment in _behind(one, rules) or one in _behind(segment, rules):
                return one
    return None


def _behind(segment: str, rules: Mapping[str, Rule]) -> set[str]:
    """The segments that one is built on, and those that they are."""
    found: set[str] = set()
    for one in rules[segment].builds_on if segment in rules else ():
        found |= {one} | _behind(one, rules)
    return found


def _first_twice(names: list[str]) -> str | None:
    return next((name for place, name in enumerate(names) if name in names[:place]), None)

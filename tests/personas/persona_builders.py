"""Persona files that are right, but for what is said."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from orchestration.settings import Home, Settings

SETTINGS = Settings(personas="people", threads=2)

#: Leaves a field out.
LEFT_OUT = object()

GOOD: dict[str, Any] = {
    "name": "Gina the gourmet",
    "archetype": "Cooks for pleasure",
    "status": "active",
    "owner": "brand",
    "review_by": date(2030, 1, 31),
    "segments": [{"id": "food_lovers", "role": "evidence"}, {"id": "lapsed", "role": "excluded"}],
    "needs": ["new recipes"],
    "pain_points": [{"text": "no fresh herbs", "moment": "at the shelf", "severity": "high"}],
    "motivations": ["guests"],
    "expectations": ["freshness"],
    "jobs_to_be_done": ["plan a dinner"],
    "quotes": [{"text": "Where is the basil?", "source": "interview 12", "said_on": date(2024, 1, 31)}],
    "journey": [{"stage": "shelf", "friction": "empty", "service_idea": "reserve"}],
    "tone": "warm",
    "value_proposition": "Everything for the dinner",
    "claims": [
        {
            "id": "spends_more",
            "text": "She spends half as much again as the rest",
            "kind": "observed",
            "measure": {"of": "spend"},
            "compared": "times_the_rest",
            "at_least": 1.5,
            "tolerance": 0.1,
        },
        {"id": "cooks", "text": "She cooks for guests", "kind": "inferred", "because": "of what she buys on Fridays"},
        {"id": "would_pay", "text": "She would pay for advice", "kind": "assumed", "settled_by": "a trial of it"},
    ],
}


def persona_file(home: Home, persona: str = "gina", /, **said: Any) -> Path:
    """A persona, but for the fields said."""
    return write(home, GOOD | said, persona)


def changed(places: Sequence[str | int], value: object) -> dict[str, Any]:
    """The good persona with another value in one place."""
    persona = deepcopy(GOOD)
    inside: Any = persona
    for place in places[:-1]:
        inside = inside[place]
    if value is LEFT_OUT:
        del inside[places[-1]]
    else:
        inside[places[-1]] = value
    return persona


def write(home: Home, said: object, persona: str = "gina") -> Path:
    file = home.path / "people" / f"{persona}.yml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(said if isinstance(said, str) else yaml.safe_dump(said), encoding="utf-8")
    return file

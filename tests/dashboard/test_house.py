"""What the app may know of the rest, and that it is set up as it says."""

from __future__ import annotations

import tomllib
from pathlib import Path

from orchestration.read import palette
from tests.test_import_graph import imported_by

ROOT = Path(__file__).parents[2]
KNOWN = (
    "orchestration.read.",
    "orchestration.publish.releases.",
    "orchestration.settings.",
    "orchestration.errors.",
    # A draft that was tried may be saved as a segment's files, and such a file edited.
    "orchestration.transform.project.",
    "orchestration.transform.scaffold.",
    # What came of a campaign, of which a business case is made too, and its figures.
    "orchestration.target.outcome.",
    "orchestration.measure.campaigns.figures.",
    # What is said of a persona in her file, whether a task wants one, and what a marketer hands to a writer.
    "orchestration.personas.files.",
    "orchestration.personas.which.",
    "orchestration.target.brief.",
)


def test_the_app_asks_what_is_read_of_a_release_and_no_table_itself() -> None:
    ours = {(module, name) for module, name in imported_by("dashboard") if name.startswith(("orchestration", "duckdb"))}
    assert ours
    assert {(module, name) for module, name in ours if not f"{name}.".startswith(KNOWN)} == set()


def test_charts_without_colours_of_their_own_have_those_of_the_palette() -> None:
    theme = tomllib.loads((ROOT / "dashboard" / "entry" / ".streamlit" / "config.toml").read_text())["theme"]
    assert theme["chartCategoricalColors"] == list(palette.CATEGORIES)
    assert theme["primaryColor"] == palette.BLUE

"""The claims of the demo's personas on the last day of its year are what an independent computation finds in the archive."""

from __future__ import annotations

from datetime import date

import pytest

from orchestration.personas.files import read_personas
from orchestration.settings import Home, load_settings
from tests.builders import ask
from tests.end_to_end.claims_of_a_release import CheckedClaim, checked_claims

LAST = date(2017, 12, 31)


@pytest.fixture(scope="module")
def checked(year_of_the_demo: Home) -> list[CheckedClaim]:
    return checked_claims(year_of_the_demo, LAST)


def test_every_figure_and_verdict_is_what_pandas_finds(checked: list[CheckedClaim]) -> None:
    assert [one.difference for one in checked if one.difference] == []
    assert len(checked) >= 20


def test_all_personas_are_read_and_most_of_what_they_say_holds(
    year_of_the_demo: Home, checked: list[CheckedClaim]
) -> None:
    files = read_personas(year_of_the_demo, load_settings(year_of_the_demo))
    assert (len(files.personas), files.wrong) == (5, {})
    verdicts = [one.said.verdict for one in checked]
    assert verdicts.count("holds") > len(verdicts) / 2
    assert verdicts.count("contradicted") >= 2
    assert verdicts.count("too_few_to_tell") >= 2
    assert sum(persona.is_negative for persona in files.personas.values()) == 1


def test_no_persona_of_the_demo_quotes_somebody_who_was_never_asked(year_of_the_demo: Home) -> None:
    files = read_personas(year_of_the_demo, load_settings(year_of_the_demo))
    sources = {quote.source for persona in files.personas.values() for quote in persona.quotes}
    assert sources == {"invented for the demo; nobody was asked"}


def test_the_catalogue_counts_the_verdicts_of_the_last_day(year_of_the_demo: Home, checked: list[CheckedClaim]) -> None:
    counted = ask(
        year_of_the_demo,
        "select persona, claims_holding, claims_weakened, claims_contradicted, claims_too_few from catalog.personas",
    )
    for persona, *counts in counted:
        said = [one.said.verdict for one in checked if one.persona == persona]
        assert counts == [said.count(one) for one in ("holds", "weakened", "contradicted", "too_few_to_tell")]

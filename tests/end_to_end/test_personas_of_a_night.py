"""Real nights with personas: a claim that loses ground is told once, a file that is broken holds its persona alone, and any way to the same days gives the same release."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from pytest_httpserver import HTTPServer

from orchestration.settings import Home
from tests.alert.builders import Webhook, write_alerts
from tests.builders import (
    CUSTOMERS,
    ORDER_LINES,
    SHOP_DAYS,
    Company,
    Refreshed,
    Stage,
    ask,
    current_contents,
    drop_company,
    last_verdict,
    refreshed,
)
from tests.measure.personas.persona_company import company, observed, words

FIRST, SECOND, THIRD, FOURTH = SHOP_DAYS
PERSONA_TABLES = ("catalog.personas", "metrics.persona_claims", "metrics.persona_evidence", "metrics.persona_coverage")

#: On the third day a third of everybody orders.
RARE = observed("comes_rarely", {"of": "ordered", "in_last_days": 2}, text="Comes rarely", at_most=0.1, tolerance=0.1)
PERSONAS: dict[str, dict[str, Any]] = {
    "regular": words(claims=[RARE, *words()["claims"]]),
    "buyer": words(
        segments=[{"id": "active", "role": "evidence"}, {"id": "aged_65_and_over", "role": "excluded"}],
        claims=[
            observed("spends", {"of": "spend", "in_last_days": 30}, compared="times_the_rest", at_least=2),
            observed("answers", {"of": "answered", "channel": "post"}, compared="above_the_rest", at_least=-1),
        ],
    ),
}


def four_nights() -> Company:
    return company() | {table: company()[table] | {FOURTH: []} for table in (CUSTOMERS, ORDER_LINES)}


def write_persona(home: Home, name: str, text: str) -> Path:
    file = home.path / "ours" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    return file


def open_home(home: Home) -> Home:
    """The home with the company's extracts, and the personas in a folder of its own."""
    drop_company(home, four_nights())
    with (home.path / "settings.yml").open("a") as settings:
        settings.write("personas: ours\n")
    for name, said in PERSONAS.items():
        write_persona(home, f"{name}.yml", yaml.safe_dump(said, sort_keys=False))
    return home


def lost(home: Home, persona: str) -> str | None:
    """What the asset check of the persona fails with; None where it passes."""
    verdict = last_verdict(home, "metrics/persona_claims", f"{persona}_claims_lose_no_ground")
    assert verdict.severity.value == "WARN"
    return None if verdict.passed else str(verdict.description)


def told(home: Home, columns: str, day: date) -> list[tuple[Any, ...]]:
    return ask(
        home,
        f"select {columns} from metrics.persona_claims where persona = 'regular' and claim = 'comes_rarely' and as_of_date = date '{day}'",
    )


@pytest.fixture(scope="module")
def at_once(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Refreshed:
    home = open_home(stage.home())
    manifest = refreshed(home, FIRST, FOURTH)
    return Refreshed(stage.set_aside(tmp_path_factory.mktemp("nights") / "home"), manifest, current_contents(home))


def test_a_claim_that_loses_ground_fails_its_check_and_is_told_on_that_night_alone(
    stage: Stage, at_once: Refreshed, httpserver: HTTPServer
) -> None:
    webhook = Webhook.listening(httpserver)
    home = open_home(stage.home())
    write_alerts(home, f"receivers:\n  crm: {{url: '{webhook.url()}'}}\n")

    def titles() -> list[str]:
        return [title for title in webhook.titles() if "persona" in title]

    refreshed(home, FIRST, SECOND)
    assert told(home, "verdict, since", SECOND) == [("holds", FIRST)]
    assert lost(home, "regular") is None
    assert titles() == []

    release = refreshed(home, THIRD).release
    assert told(home, "verdict, since", THIRD) == [("contradicted", THIRD)]
    said = str(lost(home, "regular"))
    assert said.startswith("Comes rarely. Contradicted: ")
    assert said.endswith("claimed at most 10 %.")
    assert lost(home, "buyer") is None
    assert titles() == ["A claim of the persona regular is contradicted"]

    assert refreshed(home, THIRD).release == release
    assert titles() == ["A claim of the persona regular is contradicted"]

    refreshed(home, FOURTH)
    assert told(home, "verdict, since", FOURTH) == [("contradicted", THIRD)]
    assert lost(home, "regular") is None
    assert titles() == ["A claim of the persona regular is contradicted"]
    assert ask(
        home, "select claims, claims_tested, claims_contradicted from catalog.personas where persona = 'regular'"
    ) == [(2, 1, 1)]
    # Night by night is what all of them at once are.
    assert current_contents(home) == at_once.contents


@pytest.mark.parametrize("order", [[THIRD, FIRST, FOURTH, SECOND]], ids=["shuffled"])
def test_days_in_any_order_give_the_same_release(stage: Stage, at_once: Refreshed, order: Sequence[date]) -> None:
    home = open_home(stage.home())
    for day in order:
        release = refreshed(home, day).release
    found = current_contents(home)
    for table in PERSONA_TABLES:
        assert found[table] == at_once.contents[table], table
    assert release == at_once.manifest.release


def test_a_warehouse_thrown_away_gives_the_same_release(stage: Stage, at_once: Refreshed) -> None:
    home = stage.restore(at_once.aside)
    home.warehouse.unlink()
    assert refreshed(home, FOURTH).release == at_once.manifest.release
    assert current_contents(home) == at_once.contents


def test_a_file_that_is_broken_holds_its_persona_and_nothing_else(stage: Stage, tmp_path: Path) -> None:
    home = open_home(stage.home())
    refreshed(home, FIRST, SECOND)
    [(words_before, counts_before)] = ask(
        home, "select said, (customers, claims, claims_holding) from catalog.personas where persona = 'regular'"
    )
    claims_before = ask(home, "select * from metrics.persona_claims where persona = 'regular' order by all")

    good = (home.path / "ours" / "regular.yml").read_text()
    write_persona(home, "regular.yml", good.replace("tone:", "tune:"))
    write_persona(home, "stranger.yml", yaml.safe_dump(words(segments=[{"id": "activ", "role": "evidence"}])))
    write_persona(home, "No name for a persona.yml", good)
    refreshed(home, THIRD)

    held = dict(ask(home, "select persona, (state, held_since, held_because, said, customers) from catalog.personas"))
    assert held["regular"][:2] == ("held", THIRD)
    assert held["regular"][2].startswith("personas/regular.yml: ")
    assert "tone" in held["regular"][2]
    assert held["regular"][3] == words_before
    assert held["stranger"][:2] == ("held", THIRD)
    assert "activ" in held["stranger"][2]
    assert "did you mean active?" in held["stranger"][2]
    assert held["stranger"][3:] == (None, None)
    assert held["No name for a persona"][0] == "held"
    assert held["buyer"][0] == "fresh"
    assert ask(home, "select (customers, claims, claims_holding) from catalog.personas where persona = 'regular'") == [
        (counts_before,)
    ]
    assert ask(home, "select * from metrics.persona_claims where persona = 'regular' order by all") == claims_before
    assert ask(
        home, f"select count(*) from metrics.persona_claims where persona = 'buyer' and as_of_date = date '{THIRD}'"
    ) == [(2,)]
    assert "held: personas/regular.yml" in str(lost(home, "regular"))
    assert lost(home, "buyer") is None

    write_persona(home, "regular.yml", good)
    refreshed(home, FOURTH)
    assert ask(home, "select state, held_since, held_because from catalog.personas where persona = 'regular'") == [
        ("fresh", None, None)
    ]
    assert lost(home, "regular") is not None

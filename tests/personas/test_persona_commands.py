"""The commands of personas, and `segments check` of their files, as people and other programs meet them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from orchestration.settings import Home
from tests.builders import Stage
from tests.personas.persona_builders import changed, persona_file, write


def segments(*arguments: str, home: Home) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "orchestration.cli", *arguments, "--home", str(home.path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def of_people(stage: Stage) -> Home:
    """A home with a folder of personas and none in it, where dbt has parsed before."""
    home = stage.home()
    (home.path / "people").mkdir(parents=True)
    (home.path / "settings.yml").write_text("personas: people\n")
    return home


def wrong_in(home: Home) -> dict[str, str]:
    told = segments("check", "--json", home=home)
    wrong = {one["what"]: one["wrong"] for one in json.loads(told.stdout)["checked"] if one["wrong"]}
    assert told.returncode == (2 if wrong else 0)
    return wrong


def test_which_names_the_tool_the_words_the_reason_and_the_place(home: Home) -> None:
    told = segments("which", "measure the impact of the letter", home=home)
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("A segment: it goes by “measure”, “impact”.")
    assert "To measure impact: segment. Impact is a difference" in told.stdout
    assert "Go to `segments campaign show ID`, and the page Campaigns of the app." in told.stdout


def test_which_answers_in_json(home: Home) -> None:
    answer = json.loads(segments("which", "design a service", "--json", home=home).stdout)
    assert (answer["tool"], answer["task"]) == ("persona", "design a service")
    [match] = answer["matches"]
    assert match["words"] == ["design", "service"]
    assert {"reason", "command", "page", "tool", "task"} <= match.keys()


def test_which_says_that_it_does_not_know(home: Home) -> None:
    told = segments("which", "[paint] the wall", home=home)
    assert told.returncode == 0
    assert "Which tool '[paint] the wall' wants is not known" in told.stdout
    assert "choose an audience" in told.stdout


def test_a_new_persona_is_a_file_of_which_check_says_what_is_empty(of_people: Home) -> None:
    told = segments("persona", "new", "gina", "--json", home=of_people)
    assert told.returncode == 0, told.stderr
    file = of_people.path / "people" / "gina.yml"
    assert json.loads(told.stdout) == {"file": str(file)}
    [wrong] = wrong_in(of_people).items()
    assert wrong[0] == "personas/gina.yml"
    assert wrong[1].startswith(f"{file}: the fields `name`, `archetype`, `owner`")


def test_a_persona_that_has_a_file_is_left_as_it_is(of_people: Home) -> None:
    file = persona_file(of_people)
    before = file.read_bytes()
    told = segments("persona", "new", "gina", home=of_people)
    assert (told.returncode, told.stdout) == (2, "")
    assert f"The name gina is taken by {file}" in told.stderr
    assert file.read_bytes() == before


@pytest.mark.parametrize("name", ["Gina", "gina the gourmet", "../gina", "g" * 65, "gina.yml", ""])
def test_a_name_that_can_be_no_id_is_refused(of_people: Home, name: str) -> None:
    told = segments("persona", "new", name, home=of_people)
    assert told.returncode == 2
    assert "cannot be a persona's name: use lower-case letters" in told.stderr
    assert list((of_people.path / "people").iterdir()) == []


def test_no_folder_is_made_for_a_setting_that_names_none(of_people: Home) -> None:
    (of_people.path / "settings.yml").write_text("personas: peopel\n")
    told = segments("persona", "new", "gina", home=of_people)
    assert told.returncode == 2
    assert "settings.yml: `personas` is peopel, and there is no folder" in told.stderr
    assert not (of_people.path / "peopel").exists()


def test_personas_that_are_right_are_one_line(of_people: Home) -> None:
    persona_file(of_people)
    told = segments("check", home=of_people)
    assert told.returncode == 0, told.stdout
    assert "personas: ok" in told.stdout.splitlines()


def test_each_persona_file_that_is_wrong_is_a_line(of_people: Home) -> None:
    persona_file(of_people)
    write(of_people, "nmae: Greta\n", "greta")
    write(of_people, changed(["segments", 0, "id"], "food_lover"), "grace")
    write(of_people, changed(["claims", 0, "measure"], {"of": "also_in", "segment": "at_rosk"}), "gloria")
    wrong = wrong_in(of_people)
    assert list(wrong) == ["personas/gloria.yml", "personas/grace.yml", "personas/greta.yml"]
    assert "the claim spends_more names the segment at_rosk, which there is not; did you mean at_risk?" in wrong["personas/gloria.yml"]  # fmt: skip
    assert "`segments` names the segment food_lover, which there is not; did you mean food_lovers?" in wrong["personas/grace.yml"]  # fmt: skip
    assert "unknown field `nmae`; did you mean name?" in wrong["personas/greta.yml"]


def test_a_folder_of_personas_that_there_is_not_is_told(of_people: Home) -> None:
    (of_people.path / "settings.yml").write_text("personas: peopel\n")
    wrong = wrong_in(of_people)
    assert list(wrong) == ["personas"]
    assert "settings.yml: `personas` is peopel, and there is no folder" in wrong["personas"]

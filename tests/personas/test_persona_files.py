"""What a persona file may say, and the sentence for what it may not: the file, the field, the remedy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
import yaml
from pydantic import BaseModel

from orchestration.errors import ConfigurationError
from orchestration.personas.claims import FIELDS_OF_NEEDS, MEASURES, OF_A_TEST, Claim, Measure
from orchestration.personas.files import HOW_TO, Persona, missing_folder, read_personas, unknown_segment
from orchestration.personas.template import TEMPLATE, template
from orchestration.settings import Home, Settings
from tests.personas.persona_builders import GOOD, LEFT_OUT, SETTINGS, changed, persona_file, write

CLAIM = ("claims", 0)
MEASURE = ("claims", 0, "measure")
ROOT = Path(__file__).parents[2]


def wrong_with(home: Home, said: object, persona: str = "gina") -> str:
    """The sentence about the file, less where it lies."""
    file = write(home, said, persona)
    with pytest.raises(ConfigurationError) as wrong:
        read_personas(home, SETTINGS).named(persona)
    sentence = str(wrong.value)
    assert sentence.startswith(str(file))
    assert "\n" not in sentence
    jargon = r"__|Value error|pydantic|validat|input|_type\b|<unicode|is_\b|None"
    assert not re.search(jargon, sentence.removeprefix(str(file))), sentence
    return sentence.removeprefix(f"{file}: ").removeprefix(str(file))


def test_a_file_says_who_she_is_and_what_is_claimed(home: Home) -> None:
    persona_file(home)
    persona = read_personas(home, SETTINGS).named("gina")
    assert (persona.id, persona.is_negative, persona.channels) == ("gina", False, ())
    assert persona.evidence == ("food_lovers",)
    assert persona.segments_of("excluded") == ("lapsed",)
    assert [claim.kind for claim in persona.claims] == ["observed", "inferred", "assumed"]


@pytest.mark.parametrize(
    ("places", "value", "sentence"),
    [
        (["nmae"], "x", "unknown field `nmae`; did you mean name?"),
        (["pain_points", 0, "sevrity"], "low", "unknown field `sevrity` of pain_points 1; did you mean severity?"),
        (["quotes", 0, "sorce"], "x", "unknown field `sorce` of quotes 1; did you mean source?"),
        (["segments", 1, "roll"], "x", "unknown field `roll` of segments 2; did you mean role?"),
        ([*CLAIM, "tolerence"], 1, "unknown field `tolerence` of claims 1; did you mean tolerance?"),
        ([*MEASURE, "catgory"], "x", "unknown field `catgory` of claims 1.measure; did you mean category?"),
        ([*MEASURE, "iss"], ["x"], "unknown field `iss` of claims 1.measure; did you mean is?"),
    ],
)  # fmt: skip
def test_an_unknown_field_is_told_with_the_right_one_nested_or_not(
    home: Home, places: list[str | int], value: object, sentence: str
) -> None:
    assert wrong_with(home, changed(places, value)) == sentence


@pytest.mark.parametrize(
    ("places", "value", "sentence"),
    [
        (["name"], LEFT_OUT, f"the field `name` is missing; see {HOW_TO}."),
        (["name"], None, f"the field `name` is empty: say something there; see {HOW_TO}."),
        (["name"], "", "field `name` is '': say something."),
        (["tone"], "  ", "field `tone` is '  ': say something."),
        (["name"], 2024, "field `name` is 2024: say text, in quotes where it looks like a number or a day."),
        (["owner"], LEFT_OUT, f"the field `owner` is missing; see {HOW_TO}."),
        (["review_by"], "soon", "field `review_by` is 'soon': say a day, such as 2024-03-31."),
        (["status"], "ready", "field `status` is 'ready': say 'draft', 'active' or 'retired'."),
        (["status"], "actve", "field `status` is 'actve': did you mean active? Else say 'draft', 'active' or 'retired'."),
        (["is_negative"], "maybe", "field `is_negative` is 'maybe': say true or false."),
        (["channels"], ["fax"], "field `channels` is 'fax': say 'email', 'sms', 'post' or 'push'."),
        (["needs"], "recipes", "field `needs` is 'recipes': say a list, such as [one, another]."),
        (["needs"], [], "field `needs` is []: say at least one."),
        (["needs"], [None], f"the field `needs` is empty: say something there; see {HOW_TO}."),
        (["pain_points", 0, "severity"], LEFT_OUT, f"the field `pain_points 1.severity` is missing; see {HOW_TO}."),
        (["journey", 0, "friction"], LEFT_OUT, f"the field `journey 1.friction` is missing; see {HOW_TO}."),
        (["quotes", 0, "source"], LEFT_OUT, f"the field `quotes 1.source` is missing; see {HOW_TO}."),
        (["quotes", 0, "source"], "", "field `quotes 1.source` is '': say something."),
        (["quotes", 0, "said_on"], LEFT_OUT, f"the field `quotes 1.said_on` is missing; see {HOW_TO}."),
        (["segments"], [], "field `segments` is []: say at least one."),
        (["segments"], ["food_lovers"], "field `segments` is 'food_lovers': say lines of the form `field: value`."),
        (["segments", 0, "role"], "proof", "field `segments 1.role` is 'proof': say 'evidence', 'target' or 'excluded'."),
        (["segments", 0, "role"], "target", "no segment has the role evidence: without one nothing can be tested."),
        (["segments", 1, "id"], "food_lovers", "the segment food_lovers is linked twice: keep one of them."),
        (["id"], "Gina!", "'Gina!' is no id: use lower-case letters, digits and _, at most 64."),
        (["id"], "greta", "its id is 'greta', and the file of a persona is named by its id: call it greta.yml."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_persona_is_said_with_its_remedy(
    home: Home, places: list[str | int], value: object, sentence: str
) -> None:
    assert wrong_with(home, changed(places, value)) == sentence


@pytest.mark.parametrize(
    ("places", "value", "sentence"),
    [
        (["claims"], [], "field `claims` is []: say at least one."),
        (["claims"], LEFT_OUT, f"the field `claims` is missing; see {HOW_TO}."),
        (["claims", 1, "id"], "spends_more", "two claims are called spends_more: call one otherwise."),
        ([*CLAIM, "id"], "Spends more", "field `claims 1.id` is 'Spends more': use lower-case letters, digits and _, at most 64."),
        ([*CLAIM, "text"], " ", "field `claims 1.text` is ' ': say something."),
        ([*CLAIM, "kind"], "guessed", "field `claims 1.kind` is 'guessed': say 'observed', 'inferred' or 'assumed'."),
        ([*CLAIM, "measure"], LEFT_OUT, "`claims 1`: the claim spends_more is observed and has no measure: say by what it is tested."),
        ([*CLAIM, "tolerance"], LEFT_OUT, "`claims 1`: the claim spends_more has no tolerance: say how far from 1.5 it may be before it is contradicted, 0 for not at all."),
        ([*CLAIM, "tolerance"], -1, "field `claims 1.tolerance` is -1: say 0 or more."),
        ([*CLAIM, "tolerance"], float("nan"), "field `claims 1.tolerance` is nan: say a number that has an end."),
        ([*CLAIM, "at_least"], "much", "field `claims 1.at_least` is 'much': say a number."),
        ([*CLAIM, "at_least"], LEFT_OUT, "`claims 1`: the claim spends_more needs either at_least or at_most: say one of them."),
        ([*CLAIM, "at_most"], 2, "`claims 1`: the claim spends_more needs either at_least or at_most: say one of them."),
        ([*CLAIM, "compared"], "times_another", "`claims 1`: the claim spends_more: another is the measure that times_another compares with: say both, or neither."),
        ([*CLAIM, "another"], {"of": "orders"}, "`claims 1`: the claim spends_more: another is the measure that times_the_rest compares with: say both, or neither."),
        (["claims", 1, "because"], LEFT_OUT, "`claims 2`: the claim cooks is inferred: say because of what."),
        (["claims", 2, "settled_by"], LEFT_OUT, "`claims 3`: the claim would_pay is assumed: say by what it would be settled (settled_by)."),
        (["claims", 1, "measure"], {"of": "spend"}, "`claims 2`: the claim cooks is inferred and has no use for measure, for only an observed one is tested: take it away."),
        (["claims", 2, "tolerance"], 0, "`claims 3`: the claim would_pay is assumed and has no use for tolerance, for only an observed one is tested: take it away."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_claim_is_said_with_its_remedy(
    home: Home, places: list[str | int], value: object, sentence: str
) -> None:
    assert wrong_with(home, changed(places, value)) == sentence


MEASURES_TO_SAY = "'spend', 'orders', 'ordered', 'order_value', 'discount_share', 'spend_on_weekdays', 'buyers_of', 'shopping_days_of', 'spend_share_of', 'answered', 'customers_with' or 'also_in'"


@pytest.mark.parametrize(
    ("measure", "sentence"),
    [
        ({"of": "joy"}, f"field `claims 1.measure.of` is 'joy': say {MEASURES_TO_SAY}."),
        ({"of": "spnd"}, f"field `claims 1.measure.of` is 'spnd': did you mean spend? Else say {MEASURES_TO_SAY}."),
        ({"in_last_days": 90}, f"the field `claims 1.measure.of` is missing; see {HOW_TO}."),
        ("spend", "field `claims 1.measure` is 'spend': say lines of the form `field: value`."),
        ({"of": "spend", "in_last_days": 0}, "field `claims 1.measure.in_last_days` is 0: say 1 or more."),
        ({"of": "spend", "in_last_days": 400}, "field `claims 1.measure.in_last_days` is 400: say 366 or less."),
        ({"of": "spend", "category": "BEEF"}, "`claims 1.measure`: spend has no use for category: take it away."),
        ({"of": "spend", "is": ["x"]}, "`claims 1.measure`: spend has no use for is: take it away."),
        ({"of": "also_in"}, "`claims 1.measure`: also_in needs segment: say it."),
        ({"of": "also_in", "segment": "at_risk", "in_last_days": 30}, "`claims 1.measure`: also_in is asked of a day: take in_last_days away."),
        ({"of": "buyers_of"}, "`claims 1.measure`: buyers_of needs either category or department: say it."),
        ({"of": "buyers_of", "category": "BEEF", "department": "MEAT"}, "`claims 1.measure`: buyers_of needs either category or department: say it."),
        ({"of": "spend_on_weekdays"}, "`claims 1.measure`: spend_on_weekdays needs weekdays, such as [saturday, sunday]: say it."),
        ({"of": "answered", "channel": "fax"}, "field `claims 1.measure.channel` is 'fax': say 'email', 'sms', 'post' or 'push'."),
        ({"of": "customers_with", "attribute": "gender"}, "`claims 1.measure`: customers_with gender needs a value: say is, such as [one, another], at_least or at_most."),
        ({"of": "customers_with", "attribute": "gender", "is": "male"}, "field `claims 1.measure.is` is 'male': say a list, such as [one, another]."),
    ],
)  # fmt: skip
def test_a_measure_that_there_is_not_or_that_lacks_something_is_told(
    home: Home, measure: object, sentence: str
) -> None:
    assert wrong_with(home, changed([*CLAIM, "measure"], measure)) == sentence


@pytest.mark.parametrize("segment", ["food_lovers", "lapsed"])
def test_a_claim_on_a_segment_that_the_persona_is_made_of_is_circular(home: Home, segment: str) -> None:
    measure = {"of": "also_in", "segment": segment}
    assert wrong_with(home, changed([*CLAIM, "measure"], measure)) == (
        f"the claim spends_more is circular: it asks who is in {segment}, and the persona is linked with that segment; measure something else."
    )


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", f" must have lines of the form `field: value`; see {HOW_TO}."),
        ("- a list\n", f" must have lines of the form `field: value`; see {HOW_TO}."),
        ("name: [", " is not valid YAML: while parsing a flow node"),
        ("name: \x00", " is not valid YAML: unacceptable character"),
        ("name: a\nname: b\n", "the field `name` stands twice, in lines 1 and 2: take one away."),
        ("claims:\n  - id: a\n    id: b\n", "the field `id` stands twice, in lines 2 and 3: take one away."),
        ("a: &a [*a]\n", "unknown field `a`; did you mean name?"),
    ],
)
def test_what_is_no_persona_at_all_is_said(home: Home, content: str, sentence: str) -> None:
    assert wrong_with(home, content).startswith(sentence)


@pytest.mark.parametrize("name", ["Gina", "gina the gourmet", "-gina", "_gina", "g" * 65, "gina.2024"])
def test_a_file_whose_name_can_be_no_id_is_wrong(home: Home, name: str) -> None:
    assert "is no id: use lower-case letters, digits and _" in wrong_with(home, GOOD, name)


def test_one_that_is_wrong_is_no_reason_to_leave_out_the_others(home: Home) -> None:
    persona_file(home)
    write(home, "name: [", "greta")
    files = read_personas(home, SETTINGS)
    assert list(files.personas) == ["gina"]
    assert list(files.wrong) == ["greta.yml"]


def test_a_file_of_another_ending_is_told_what_to_be_called(home: Home) -> None:
    file = persona_file(home)
    file.rename(file.with_suffix(".yaml"))
    assert "call it gina.yml" in read_personas(home, SETTINGS).wrong["gina.yaml"]


def test_an_unknown_persona_is_told_with_the_nearest(home: Home) -> None:
    persona_file(home)
    with pytest.raises(ConfigurationError, match=r"There is no persona ginna; did you mean gina\?"):
        read_personas(home, SETTINGS).named("ginna")


@pytest.mark.parametrize(
    ("places", "value", "sentence"),
    [
        (["segments", 0, "id"], "food_lover", "`segments` names the segment food_lover, which there is not; did you mean food_lovers?"),
        ([*CLAIM, "measure"], {"of": "also_in", "segment": "at_rosk"}, "the claim spends_more names the segment at_rosk, which there is not; did you mean at_risk?"),
    ],
)  # fmt: skip
def test_a_segment_that_there_is_not_is_told_with_the_nearest(
    home: Home, places: list[str | int], value: object, sentence: str
) -> None:
    file = write(home, changed(places, value))
    persona = read_personas(home, SETTINGS).named("gina")
    known = ["food_lovers", "lapsed", "at_risk"]
    assert unknown_segment(persona, file, known) == f"{file}: {sentence}"
    assert unknown_segment(persona, file, [*known, "food_lover", "at_rosk"]) is None


def test_a_setting_that_names_no_folder_is_told(home: Home) -> None:
    wrong = missing_folder(home, Settings(personas="peopel"))
    assert wrong is not None
    assert wrong.startswith("settings.yml: `personas` is peopel, and there is no folder ")
    assert missing_folder(home, Settings()) is None


def test_a_measure_that_is_written_down_can_be_read_again(home: Home) -> None:
    write(home, changed([*CLAIM, "measure"], {"of": "customers_with", "attribute": "gender", "is": ["female"]}))
    persona = read_personas(home, SETTINGS).named("gina")
    assert Persona.model_validate_json(persona.model_dump_json(by_alias=True)) == persona


def fields_of(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield field.alias or name
        for inside in _models_in(field.annotation):
            yield from fields_of(inside)


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def test_the_template_names_every_field_and_every_measure() -> None:
    fields = set(fields_of(Persona))
    assert {"severity", "said_on", "service_idea", "tolerance", "in_last_days", "is"} <= fields
    unnamed = {field for field in fields if not re.search(rf"\b{field}:", TEMPLATE)}
    assert unnamed == set()
    assert all(re.search(rf"\b{measure}\b", template()) for measure in MEASURES)


def test_every_word_at_the_beginning_of_a_line_of_the_template_is_a_field() -> None:
    named = re.findall(r"^[ #-]*(\w+):", TEMPLATE, re.MULTILINE)
    assert set(named) <= set(fields_of(Persona))


def test_the_template_is_no_persona_until_all_that_is_needed_is_said(home: Home) -> None:
    said = wrong_with(home, template())
    empty = re.findall(r"`([^`]+)`", said)
    assert {"name", "owner", "review_by", "segments 1.id", "needs", "pain_points 1.severity", "claims 1.measure.of"} <= set(empty)  # fmt: skip
    assert said.endswith(f"are empty: say something there; see {HOW_TO}.")
    filled = yaml.safe_load(template()) | {field: GOOD[field] for field in GOOD if field != "claims"}
    filled["claims"][0] |= {"id": "spends_more", "text": "She spends more"}
    filled["claims"][0]["measure"]["of"] = "spend"
    assert "needs either at_least or at_most" in wrong_with(home, filled)
    filled["claims"][0]["at_least"] = 1.5
    assert "has no tolerance" in wrong_with(home, filled)
    filled["claims"][0]["tolerance"] = 0.1
    write(home, filled)
    assert read_personas(home, SETTINGS).wrong == {}


def test_what_only_a_test_needs_is_a_field_of_a_claim_or_a_measure() -> None:
    assert set(OF_A_TEST) < set(Claim.model_fields)
    assert set(FIELDS_OF_NEEDS) < set(Measure.model_fields)


def test_the_page_shows_every_measure_and_its_examples_can_be_read() -> None:
    page = (ROOT / HOW_TO).read_text(encoding="utf-8")
    examples = [yaml.safe_load(said) for said in re.findall(r"`(\{of: .*?\})`", page)]
    assert {Measure.model_validate(said).of for said in examples} == set(MEASURES)


def test_the_persona_on_the_page_can_be_read(home: Home) -> None:
    page = (ROOT / HOW_TO).read_text(encoding="utf-8")
    [written] = re.findall(r"^```yaml\n(# personas/.*?)^```", page, re.MULTILINE | re.DOTALL)
    write(home, written, "gourmets")
    assert read_personas(home, SETTINGS).wrong == {}

"""What a campaign file may say, and the sentence for what it may not: the file, the field, the remedy."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from orchestration.campaigns.files import MAY_CHANGE, Campaign, digest, read_campaigns
from orchestration.errors import ConfigurationError
from orchestration.settings import Home
from tests.target.builders import MORNING, SETTINGS, campaign_file


def read(home: Home, **said: object) -> Campaign:
    campaign_file(home, **said)
    return read_campaigns(home, SETTINGS).named("spring")


def test_a_file_says_what_is_decided_and_the_rest_is_usual(home: Home) -> None:
    campaign = read(home)
    assert (campaign.id, campaign.currency, campaign.assigned_by, campaign.exclusive) == ("spring", "USD", "us", True)
    assert campaign.stratify_by == ("spend_last_365_days",)
    assert campaign.measured_until == date(2024, 3, 23)
    assert campaign.counts_from(MORNING - timedelta(1)) == MORNING
    assert campaign.counts_from(MORNING + timedelta(1)) == MORNING + timedelta(1)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"holdout": 0}, "holdout is 0: say the share that is not contacted, above 0 and below 1, such as 0.1, or `smallest`"),
        ({"holdout": 1}, "with all of it held out nothing is done"),
        ({"holdout": 100}, "holdout is 100: say the share"),
        ({"holdout": "20%"}, "holdout is '20%': say the share"),
        ({"holdout": "smallest"}, "the smallest holdout depends on the lift that it is to show: say lift_to_detect"),
        ({"ends_on": date(2024, 3, 1)}, "it ends on 2024-03-01, before it starts on 2024-03-10: turn the two round"),
        ({"currency": "EUR"}, "its costs are in EUR, and the orders in USD (settings.yml): say the costs in USD"),
        ({"primary_metric": "clicks"}, "field `primary_metric` is 'clicks'"),
        ({"secondary_metrics": ["spend"]}, "spend is the primary metric already: take it out of secondary_metrics"),
        ({"channel": "fax"}, "field `channel` is 'fax'"),
        ({"measured_days": -1}, "field `measured_days` is -1"),
        ({"segment": None}, "the field `segment` is missing; see docs/how_to/plan_a_campaign.md"),
        ({"segmnt": "active"}, "unknown field `segmnt`; did you mean segment?"),
        ({"segmnt": "active", "segment": None}, "unknown field `segmnt`; did you mean segment?"),
        ({"suppress": "complainers"}, "field `suppress` is 'complainers': say a list, such as [one, another]."),
        ({"secondary_metrics": ["clicks"]}, "field `secondary_metrics` is 'clicks': say 'spend', 'ordered', 'orders' or 'responded'."),
        ({"starts_on": "soon"}, "field `starts_on` is 'soon': say a day, such as 2024-03-31."),
        ({"ends_on": 20240331}, "field `ends_on` is 20240331: say a day, such as 2024-03-31."),
        ({"name": 2024}, "field `name` is 2024: say text, in quotes where it looks like a number or a day."),
        ({"name": ""}, "field `name` is '': say something."),
        ({"contact_cost": "cheap"}, "field `contact_cost` is 'cheap': say a number."),
        ({"contact_cost": -1}, "field `contact_cost` is -1: say 0 or more."),
        ({"margin": 28}, "field `margin` is 28: say 1 or less."),
        ({"margin": 0}, "field `margin` is 0: say more than 0."),
        ({"measured_days": 1.5}, "field `measured_days` is 1.5: say a whole number."),
        ({"exclusive": "often"}, "field `exclusive` is 'often': say true or false."),
        ({"assumed_lift": float("nan")}, "field `assumed_lift` is nan: say a number that has an end."),
        ({"id": "summer"}, "its id is 'summer', and the file of a campaign is named by its id: call it summer.yml"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_remedy(home: Home, said: dict[str, object], sentence: str) -> None:
    with pytest.raises(ConfigurationError) as wrong:
        read(home, **said)
    assert str(wrong.value).startswith(str(home.path / "plans" / "spring.yml"))
    assert sentence in str(wrong.value)


def test_a_field_that_stands_twice_is_refused_with_its_lines(home: Home) -> None:
    file = campaign_file(home)
    lines = file.read_text().splitlines()
    [first] = [number for number, line in enumerate(lines, 1) if line.startswith("holdout:")]
    file.write_text("\n".join([*lines, "holdout: 0.3"]))
    with pytest.raises(ConfigurationError) as wrong:
        read_campaigns(home, SETTINGS).named("spring")
    assert (
        str(wrong.value)
        == f"{file}: the field `holdout` stands twice, in lines {first} and {len(lines) + 1}: take one away."
    )


@pytest.mark.parametrize("content", ["", "- a list", "name: [", "name: \x00", "\ufeff: :"])
def test_what_is_no_campaign_at_all_is_said(home: Home, content: str) -> None:
    campaign_file(home).write_text(content)
    with pytest.raises(ConfigurationError, match=r"spring\.yml"):
        read_campaigns(home, SETTINGS).named("spring")


@pytest.mark.parametrize("name", ["Spring", "spring sale", "-spring", "x" * 65, "spring.2024"])
def test_a_file_whose_name_can_be_no_id_is_wrong(home: Home, name: str) -> None:
    campaign_file(home, name)
    files = read_campaigns(home, SETTINGS)
    assert files.campaigns == {}
    assert "is no id: use lower-case letters, digits, - and _" in files.wrong[f"{name}.yml"]


def test_an_id_used_twice_is_wrong_in_both_files(home: Home) -> None:
    file = campaign_file(home)
    file.with_suffix(".yaml").write_text(file.read_text())
    files = read_campaigns(home, SETTINGS)
    assert files.campaigns == {}
    assert "are two files of one campaign: keep one of them" in files.wrong["spring.yml"]
    assert "are two files of one campaign: keep one of them" in files.wrong["spring.yaml"]


def test_one_wrong_file_is_no_reason_not_to_read_the_others(home: Home) -> None:
    campaign_file(home)
    campaign_file(home, "summer", holdout=2)
    files = read_campaigns(home, SETTINGS)
    assert (list(files.campaigns), list(files.wrong)) == (["spring"], ["summer.yml"])


def test_the_nearest_id_is_named_where_there_is_no_such_campaign(home: Home) -> None:
    with pytest.raises(ConfigurationError, match=r"There is no campaign sprng; there are no campaign files in"):
        read_campaigns(home, SETTINGS).named("sprng")
    campaign_file(home)
    with pytest.raises(ConfigurationError, match=r"There is no campaign sprng; did you mean spring\?"):
        read_campaigns(home, SETTINGS).named("sprng")


def test_words_and_money_are_not_frozen_and_everything_else_is(home: Home) -> None:
    campaign = read(home)
    other = {
        "name": "N", "objective": "O", "segment": "s", "channel": "sms", "starts_on": MORNING.replace(day=9), "ends_on": MORNING.replace(day=30),
        "measured_days": 1, "holdout": 0.3, "lift_to_detect": 0.5, "stratify_by": ["age"], "primary_metric": "orders", "secondary_metrics": ["ordered"],
        "exclusive": False, "suppress": ["s"], "assigned_by": "sender", "contact_cost": 3, "fixed_cost": 4, "margin": 0.5, "value_of_an_answer": 6,
        "assumed_lift": 0.7,
    }  # fmt: skip
    assert other.keys() == Campaign.model_fields.keys() - {"id", "currency"}
    for field, value in other.items():
        edited = read(home, **{field: value})
        frozen = () if field in MAY_CHANGE else (field,)
        assert campaign.frozen_fields_unlike(edited) == frozen
        assert (digest(campaign.said()) != digest(edited.said())) == bool(frozen)


def test_the_campaigns_of_the_project_can_be_read() -> None:
    from pathlib import Path

    files = read_campaigns(Home(Path("nowhere")), SETTINGS.model_copy(update={"campaigns": ""}))
    assert files.wrong == {}
    assert "january_coupons" in files.campaigns

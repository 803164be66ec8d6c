"""``alerts.yml``: who hears of what, and a sentence with the remedy for each slip in it; never a secret."""

from __future__ import annotations

import pytest

from orchestration.alert.notices import failure_notice
from orchestration.alert.routes import Routes, demand_known_names, read_routes
from orchestration.errors import ConfigurationError
from orchestration.settings import Home, Settings
from tests.alert.builders import NOW, OWNERS, shift, write_alerts

SECRET = "s3cr3t-t0ken"


def routes(home: Home, text: str) -> Routes:
    write_alerts(home, text)
    read = read_routes(home)
    assert read is not None
    return read


def test_without_the_file_nobody_is_to_be_told(home: Home) -> None:
    assert read_routes(home) is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "has no receivers: name one under `receivers:`"),
        ("receivers:\n", "has no receivers"),
        ("weekly_limit: 3\n", "has no receivers"),
        ("- crm\n", "must have lines of the form `field: value`"),
        ("recievers: {}\n", "recievers is an unknown field; did you mean receivers?"),
        (
            "receivers:\n  crm: {url: json://h, owner: [crm]}\n",
            "receivers.crm.owner is an unknown field; did you mean owners?",
        ),
        ("receivers:\n  crm: {urls: json://h}\n", "receivers.crm.urls is an unknown field; did you mean url?"),
        ("receivers:\n  crm: {owners: [crm]}\n", "receivers.crm.url is missing"),
        (f"receivers:\n  crm: json://{SECRET}\n", "receivers.crm must have lines of the form `field: value`"),
        ("receivers:\n  crm: {url: json://h, owners: crm}\n", "receivers.crm.owners must be a list, such as [crm]"),
        ("receivers:\n  crm: {url: json://h, severities: [bad]}\n", "is not one of critical, warning or info"),
        ("weekly_limit: 0\nreceivers:\n  crm: {url: json://h}\n", "weekly_limit must be a whole number of 1 or more"),
        (
            "receivers:\n  crm: {url: json://h, weekly_limit: few}\n",
            "receivers.crm.weekly_limit must be a whole number",
        ),
        (
            f"receivers:\n  crm: {{url: slak://{SECRET}}}\n",
            "begins with slak://, and there is no such channel; did you mean slack?",
        ),
        (f"receivers:\n  crm: {{url: 'slack://{SECRET}'}}\n", "is not whole, or not as slack:// wants it"),
        (f"receivers:\n  crm: {{url: {SECRET}}}\n", "is not a URL that begins with a channel's name"),
        (f"receivers:\n  json://{SECRET}:\n    url: json://h\n", "a receiver's name has letters, digits and - only"),
        (f"receivers:\n  crm: {{url: [json://{SECRET}}}\n", "is not valid YAML in UTF-8 from line 2 on"),
        ("receivers:\n  crm: {url: json://h}\n  crm: {url: json://i}\n", "crm stands twice, again in line 3"),
        (
            "receivers:\n  crm: {url: 'json://${NO_SUCH_TOKEN}@h'}\n",
            "needs the environment variable NO_SUCH_TOKEN, which is not set",
        ),
        (
            f"receivers:\n  crm: {{url: 'mailto://u:{SECRET}@shop.example?to=a@shop.example,b@shop.example'}}\n",
            "names 2 targets: give each a receiver of its own",
        ),
    ],
)
def test_a_slip_is_a_sentence_that_names_the_field_and_no_secret(
    text: str, sentence: str, home: Home, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ConfigurationError) as told:
        routes(home, text)
    assert sentence in str(told.value)
    assert "alerts.yml" in str(told.value)
    printed = capfd.readouterr()
    assert SECRET not in f"{told.value!r} {told.value} {printed.out} {printed.err} {caplog.text}"


def test_a_secret_from_the_environment_is_in_the_url_and_in_no_words_about_it(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_TOKEN", SECRET)
    read = routes(home, "receivers:\n  crm: {url: 'json://crm:${HOOK_TOKEN}@127.0.0.1/hook'}\n")
    assert SECRET not in f"{read!r} {read} {read.receivers['crm'].channel!r}"
    assert SECRET not in (home.path / "alerts.yml").read_text()


@pytest.mark.parametrize(
    ("filters", "hears"),
    [
        ("", {"at_risk", "rfm_champions", "men_18_25", None}),
        (", owners: [crm]", {"at_risk", "rfm_champions"}),
        (", segments: [at_risk, 'men_*']", {"at_risk", "men_18_25"}),
        (", owners: [crm], segments: ['rfm_*']", {"rfm_champions"}),
        (", severities: [critical]", {"men_18_25", None}),
        (", severities: [critical], owners: [crm]", set()),
    ],
)
def test_a_receiver_hears_what_meets_all_its_filters(filters: str, hears: set[str | None], home: Home) -> None:
    [receiver] = routes(home, f"receivers:\n  crm: {{url: 'json://h'{filters}}}\n").receivers.values()
    notices = [
        shift("at_risk"),
        shift("rfm_champions"),
        shift("men_18_25", severity="critical"),
        failure_notice(None, Settings(), "It failed.", NOW),
    ]
    assert {notice.segment for notice in notices if receiver.wants(notice)} == hears


def test_the_limit_of_a_receiver_stands_in_the_place_of_the_general_one(home: Home) -> None:
    read = routes(home, "weekly_limit: 7\nreceivers:\n  a: {url: json://h}\n  b: {url: json://h, weekly_limit: 2}\n")
    assert (read.limit("a"), read.limit("b")) == (7, 2)


@pytest.mark.parametrize(
    ("filters", "sentence"),
    [
        ("owners: [crn]", "receivers.a.owners: no segment has the owner crn; did you mean crm?"),
        ("segments: [at_rosk]", "receivers.a.segments: no segment matches at_rosk; did you mean at_risk?"),
    ],
)
def test_a_filter_that_lets_nothing_pass_is_told(filters: str, sentence: str, home: Home) -> None:
    read = routes(home, f"receivers:\n  a: {{url: json://h, {filters}}}\n")
    with pytest.raises(ConfigurationError) as told:
        demand_known_names(read, sorted(set(OWNERS.values())), sorted(OWNERS))
    assert sentence in str(told.value)

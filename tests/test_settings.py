"""What settings.yml may say, and the one sentence with which a mistake is answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.errors import ConfigurationError
from orchestration.settings import Home, Settings, load_settings, locate_home


def load(home: Home, text: str) -> Settings:
    home.path.mkdir(parents=True, exist_ok=True)
    (home.path / "settings.yml").write_text(text, encoding="utf-8")
    return load_settings(home)


def sentence(home: Home, text: str) -> str:
    """The one sentence that refuses the settings; it says in which file they are."""
    with pytest.raises(ConfigurationError) as refusal:
        load(home, text)
    message = str(refusal.value)
    assert str(home.path / "settings.yml") in message
    assert message.endswith((".", "?"))
    assert "\n" not in message
    return message


def test_without_a_file_every_field_has_its_default(home: Home) -> None:
    settings = load_settings(home)
    assert (settings.business_timezone, settings.keep_releases, settings.refused_share_limit) == ("UTC", 14, 0.01)
    assert settings.threads >= 1


@pytest.mark.parametrize("text", ["", "# nothing yet\n"])
def test_an_empty_file_says_nothing(home: Home, text: str) -> None:
    assert load(home, text) == Settings()


def test_the_file_is_believed(home: Home) -> None:
    settings = load(home, "business_timezone: Europe/London\nkeep_releases: 3\nproduct_x: 1127831\n")
    assert (settings.business_timezone, settings.keep_releases, settings.product_x) == ("Europe/London", 3, "1127831")


def test_a_typo_suggests_the_field_that_was_meant(home: Home) -> None:
    assert "unknown field `bussiness_timezone`; did you mean `business_timezone`?" in sentence(
        home, "bussiness_timezone: UTC"
    )


@pytest.mark.parametrize(
    ("typo", "meant"), [("keep_release", "keep_releases"), ("timezone", "business_timezone"), ("productX", "product_x")]
)
def test_other_typos_find_their_fields_too(home: Home, typo: str, meant: str) -> None:
    assert f"unknown field `{typo}`; did you mean `{meant}`?" in sentence(home, f"{typo}: 1")


def test_a_field_like_no_other_gets_the_list_of_fields(home: Home) -> None:
    message = sentence(home, "zzz: 1")
    assert "unknown field `zzz`" in message
    assert "business_timezone" in message


def test_two_mistakes_are_both_named(home: Home) -> None:
    message = sentence(home, "currenzy: GBP\nkeep_releases: many\n")
    assert "currenzy" in message
    assert "keep_releases" in message


def test_a_zone_that_does_not_exist_is_refused_with_an_example(home: Home) -> None:
    message = sentence(home, "business_timezone: Mars/Olympus")
    assert "field `business_timezone` is 'Mars/Olympus'" in message
    assert "Europe/London" in message


@pytest.mark.parametrize("zone", ["''", "../UTC", "/etc/passwd"])
def test_a_zone_that_is_a_path_or_nothing_is_refused(home: Home, zone: str) -> None:
    assert "business_timezone" in sentence(home, f"business_timezone: {zone}")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("keep_releases", "many"),
        ("keep_releases", "0"),
        ("refused_share_limit", "2"),
        ("refused_share_limit", "-0.1"),
        ("threads", "0"),
        ("currency", "[GBP]"),
        ("product_x", "O'Brien"),
    ],
)
def test_a_value_that_the_field_cannot_have_is_refused_with_the_fields_name(home: Home, field: str, value: str) -> None:
    assert f"field `{field}` is" in sentence(home, f"{field}: {value!r}" if "'" in value else f"{field}: {value}")


def test_a_file_that_is_no_yaml_is_named(home: Home) -> None:
    home.path.mkdir(parents=True)
    (home.path / "settings.yml").write_text("currency: [GBP\n")
    with pytest.raises(ConfigurationError, match=r"settings\.yml is not valid YAML"):
        load_settings(home)


def test_a_file_that_is_a_list_is_refused(home: Home) -> None:
    assert "field: value" in sentence(home, "- currency\n")


def test_the_environment_wins_over_the_file(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGMENTS_KEEP_RELEASES", "5")
    assert load(home, "keep_releases: 3\ncurrency: USD\n").keep_releases == 5


def test_a_mistake_in_the_environment_is_blamed_on_the_environment(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is told to mend the file would look for the value in vain."""
    monkeypatch.setenv("SEGMENTS_KEEP_RELEASES", "many")
    with pytest.raises(ConfigurationError, match="SEGMENTS_KEEP_RELEASES"):
        load_settings(home)


def test_settings_cannot_change_during_a_run() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().currency = "EUR"  # type: ignore[misc]


def test_the_home_is_given_or_in_the_environment_or_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert locate_home().path == tmp_path / ".segments"
    monkeypatch.setenv("SEGMENTS_HOME", str(tmp_path / "elsewhere"))
    assert locate_home().path == tmp_path / "elsewhere"
    assert locate_home(tmp_path / "given").path == tmp_path / "given"

"""The ``segments`` command as people and other programs meet it: exit codes, one JSON document, one sentence for a failure."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from expectations.contracts import EXTRACT_TABLES
from orchestration.ingest.archive import partition
from orchestration.settings import Home
from tests.builders import CUSTOMERS, SHOP_DAYS, Refreshed, Stage, corner_shop


def segments(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "orchestration.cli", *arguments, "--home", str(home)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def refreshed_shop(stage: Stage, shop: Refreshed) -> Home:
    return stage.restore(shop.aside)


def test_status_prints_one_json_document_with_every_segment(refreshed_shop: Home, shop: Refreshed) -> None:
    told = segments("status", "--json", home=refreshed_shop.path)
    status = json.loads(told.stdout)
    assert told.returncode == 0
    assert status["release"] == shop.manifest.release
    assert len(status["segments"]) >= 24
    assert {"segment", "members", "entered", "exited", "state", "held_since", "held_because"} <= set(
        status["segments"][0]
    )


def test_status_for_people_names_every_segment_whole(refreshed_shop: Home) -> None:
    told = segments("status", home=refreshed_shop.path)
    assert "bought_product_x_3m_over_500" in told.stdout
    assert "segments.men_18_25" in told.stdout


def test_show_tells_the_rule_the_size_and_what_a_segment_depends_on(refreshed_shop: Home, shop: Refreshed) -> None:
    told = segments("show", "contactable_by_email", "--json", home=refreshed_shop.path)
    assert told.returncode == 0, told.stderr
    shown = json.loads(told.stdout)
    status = json.loads(segments("status", "--json", home=refreshed_shop.path).stdout)["segments"]
    assert next(one for one in status if one["segment"] == "contactable_by_email").items() <= shown.items()
    assert shown["release"] == shop.manifest.release
    assert "is_contactable_by_email" in shown["sql"]
    assert {"label", "description", "objective", "owner", "channel"} <= shown.keys()
    assert shown["raw_columns"] == [
        f"crm/customers.{column}" for column in ("customer_id", "email", "email_opt_in", "is_deleted")
    ]
    alike = [overlap["jaccard"] for overlap in shown["overlaps"]]
    assert alike == sorted(alike, reverse=True)
    assert 0 < len(alike) <= 5
    assert "contactable_by_any_channel" in [overlap["segment"] for overlap in shown["overlaps"]]


def test_show_for_people_has_the_rule_in_words_and_in_sql(refreshed_shop: Home) -> None:
    told = segments("show", "men_18_25", home=refreshed_shop.path)
    assert "Men aged 18 to 25" in told.stdout
    assert "gender = 'male'" in told.stdout
    assert "crm/customers.birth_date" in told.stdout


def test_impact_lists_exactly_the_segments_that_hang_on_a_column(refreshed_shop: Home) -> None:
    told = segments("impact", "crm/customers.email_opt_in", "--json", home=refreshed_shop.path)
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["segments"] == {
        "crm/customers.email_opt_in": ["contactable_by_any_channel", "contactable_by_email", "unreachable"]
    }
    assert "contactable_by_email" in segments("impact", "crm/customers.email_opt_in", home=refreshed_shop.path).stdout


def test_impact_of_a_table_goes_column_by_column_and_says_where_nothing_hangs(refreshed_shop: Home) -> None:
    impact = json.loads(segments("impact", "shop/products", "--json", home=refreshed_shop.path).stdout)["segments"]
    assert list(impact) == [
        f"shop/products.{column}" for column in ("product_id", "product_name", "category", "department", "brand")
    ]
    assert impact["shop/products.category"] == ["parents_of_babies"]
    assert impact["shop/products.brand"] == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["show", "men_18_26"], "no segment men_18_26 in release 2024-03-12-"),
        (["show", "men_18_26"], "did you mean men_18_25?"),
        (["impact", "crm/customer"], "no extract table crm/customer; did you mean crm/customers?"),
        (["impact", "crm/customers.emial"], "has no column emial; did you mean crm/customers.email?"),
        (["impact", "?"], "there are crm/customers, shop/order_lines"),
        (["refresh", "--select", "men_18_26"], "There is no segment men_18_26; did you mean men_18_25?"),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest(arguments: list[str], sentence: str, refreshed_shop: Home) -> None:
    told = segments(*arguments, home=refreshed_shop.path)
    assert (told.returncode, told.stdout) == (2, "")
    assert sentence in told.stderr


def test_refresh_without_a_day_takes_the_newest_and_answers_in_json(stage: Stage) -> None:
    home = stage.home(corner_shop())
    told = segments("refresh", "--json", home=home.path)
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["as_of_date"] == str(SHOP_DAYS[-1])
    again = segments("refresh", "--as-of", str(SHOP_DAYS[-1]), "--json", home=home.path)
    assert json.loads(again.stdout)["release"] == json.loads(told.stdout)["release"]
    assert len(json.loads(segments("releases", "--json", home=home.path).stdout)) == 1


def test_rebuild_makes_the_same_release_from_the_archive_alone(refreshed_shop: Home, shop: Refreshed) -> None:
    for extract in refreshed_shop.extracts.rglob("*.csv"):
        extract.unlink()
    refreshed_shop.warehouse.write_bytes(b"not a database")
    told = segments("rebuild", "--json", home=refreshed_shop.path)
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["release"] == shop.manifest.release


def test_a_rollback_is_seen_at_once(stage: Stage) -> None:
    home = stage.home(corner_shop())
    earlier = json.loads(segments("refresh", "--as-of", str(SHOP_DAYS[0]), "--json", home=home.path).stdout)["release"]
    segments("refresh", "--as-of", str(SHOP_DAYS[1]), home=home.path)
    told = segments("rollback", earlier, "--json", home=home.path)
    assert (told.returncode, json.loads(told.stdout)["release"]) == (0, earlier)
    assert json.loads(segments("status", "--json", home=home.path).stdout)["release"] == earlier


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["status"], 1, "There is no release"),
        (["show", "men_18_25"], 1, "There is no release"),
        (["impact", "crm/customers"], 1, "There is no release"),
        (["impact", "crm/customers.nothing_like_it"], 2, "has no column nothing_like_it"),
        (["refresh"], 1, "There are no extracts yet"),
        (["rebuild"], 1, "Nothing was ever published"),
        (["rollback", "2017-12-31-0000"], 2, "There is no release 2017-12-31-0000"),
        (["refresh", "--from", "2017-01-02", "--to", "2017-01-01"], 2, "after its end"),
        (["refresh", "--from", "2017-01-02"], 2, "needs both"),
        (["refresh", "--select", "men_18_25"], 1, "Nothing was ever published"),
        (["refresh", "--as-of", "31/12/2017"], 2, "write it as 2017-12-31"),
        (["new", "Not A Name"], 2, "cannot be a segment's name"),
        (["new", "men_18_25"], 2, "is taken"),
    ],
)
def test_a_failure_is_one_sentence_and_an_exit_code(arguments: list[str], code: int, sentence: str, home: Home) -> None:
    told = segments(*arguments, home=home.path)
    assert (told.returncode, told.stdout) == (code, "")
    assert sentence in told.stderr
    assert "Traceback" not in told.stderr


def test_a_wrong_setting_that_shows_only_within_a_run_is_wrong_use_too(refreshed_shop: Home) -> None:
    """The largest size that DuckDB takes is known to it alone."""
    (refreshed_shop.path / "settings.yml").write_text(
        "business_timezone: America/New_York\nmemory_limit: 9999999999TB\n"
    )
    told = segments("refresh", home=refreshed_shop.path)
    assert told.returncode == 2, told.stderr
    assert "memory_limit" in told.stderr


@pytest.mark.parametrize("limit", ["plenty", "4", "-1GB", "0%", "400%"])
def test_what_is_no_size_is_refused_with_what_to_say_instead(limit: str, refreshed_shop: Home) -> None:
    (refreshed_shop.path / "settings.yml").write_text(f"memory_limit: '{limit}'\n")
    told = segments("refresh", home=refreshed_shop.path)
    assert told.returncode == 2, told.stderr
    assert "a size such as 4GB, or a share of the machine's memory such as 60%" in told.stderr.replace("\n", " ")


def test_a_folder_in_the_place_of_a_file_is_named_and_nothing_is_claimed_of_what_is_published(
    refreshed_shop: Home,
) -> None:
    (refreshed_shop.path / "settings.yml").unlink()
    (refreshed_shop.path / "settings.yml").mkdir()
    told = segments("refresh", "--as-of", str(SHOP_DAYS[-1]), home=refreshed_shop.path)
    assert (told.returncode, told.stdout) == (1, "")
    assert (
        f"{refreshed_shop.path / 'settings.yml'} cannot be used (Is a directory): put it right and try again"
        in told.stderr.replace("\n", " ")
    )
    assert "nothing was published" not in told.stderr


def test_a_release_without_its_manifest_is_told_with_the_way_back(refreshed_shop: Home) -> None:
    (refreshed_shop.releases / "current" / "manifest.json").write_text("{")
    told = segments("status", home=refreshed_shop.path)
    assert (told.returncode, told.stdout) == (1, "")
    assert (
        "has no manifest.json that can be read (JSONDecodeError): go back to another with `segments rollback`"
        in told.stderr
    )


def test_a_release_with_a_held_segment_ends_with_a_code_of_its_own(refreshed_shop: Home) -> None:
    """The last day's CRM extract is withdrawn: the day cannot be evaluated again, and what stood before it stands."""
    (refreshed_shop.extracts / CUSTOMERS / f"{SHOP_DAYS[-1]}.csv").unlink()
    partition(refreshed_shop.archive, EXTRACT_TABLES[CUSTOMERS], SHOP_DAYS[-1]).unlink()
    told = segments("refresh", "--as-of", str(SHOP_DAYS[-2]), "--json", home=refreshed_shop.path)
    assert told.returncode == 3, told.stderr
    status = json.loads(told.stdout)
    assert status["as_of_date"] == str(SHOP_DAYS[-1])
    assert {segment["state"] for segment in status["segments"]} == {"held"}
    assert "crm/customers" in status["segments"][0]["held_because"]


def test_a_typo_in_the_settings_is_told_with_the_right_field(refreshed_shop: Home) -> None:
    (refreshed_shop.path / "settings.yml").write_text("busines_timezone: UTC\n")
    told = segments("refresh", home=refreshed_shop.path)
    assert told.returncode == 2
    assert "did you mean `business_timezone`?" in told.stderr


def test_show_tells_whom_each_clause_drops(refreshed_shop: Home) -> None:
    shown = json.loads(segments("show", "men_18_25", "--json", home=refreshed_shop.path).stdout)
    assert [step["clause"] for step in shown["waterfall"]["steps"]] == ["gender = 'male'", "age BETWEEN 18 AND 25"]
    assert shown["waterfall"]["steps"][-1]["left"] == shown["members"]
    assert "From everybody to the members" in segments("show", "men_18_25", home=refreshed_shop.path).stdout


def test_a_draft_is_tried_and_nothing_is_written(refreshed_shop: Home, tmp_path: Path) -> None:
    draft = tmp_path / "seniors.sql"
    draft.write_text("age >= 60\n")
    before = sorted(refreshed_shop.path.rglob("*"))
    tried = json.loads(segments("preview", str(draft), "--json", home=refreshed_shop.path).stdout)
    assert (tried["name"], tried["members"]) == ("seniors", tried["waterfall"]["steps"][0]["left"])
    assert tried["history"][-1]["members"] == tried["members"] > 0
    assert "From everybody to the members" in segments("preview", str(draft), home=refreshed_shop.path).stdout
    assert sorted(refreshed_shop.path.rglob("*")) == before


def test_a_broken_draft_is_wrong_use_and_shows_the_place(refreshed_shop: Home, tmp_path: Path) -> None:
    draft = tmp_path / "broken.sql"
    draft.write_text("age >= 60\n  and gendr = 'male'\n")
    told = segments("preview", str(draft), home=refreshed_shop.path)
    assert (told.returncode, told.stdout) == (2, "")
    assert "LINE 2:   and gendr = 'male'\n              ^^^^^" in told.stderr


def test_diff_of_an_unedited_segment_says_that_nothing_changes(refreshed_shop: Home) -> None:
    told = segments("diff", "men_18_25", "--markdown", home=refreshed_shop.path)
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("### Segment `men_18_25`, on 2024-03-12\n\nNothing changes: ")
    compared = json.loads(segments("diff", "men_18_25", "--json", home=refreshed_shop.path).stdout)
    assert (compared["enters"]["customers"], compared["leaves"]["customers"]) == (0, 0)


def test_a_customer_is_told_segment_by_segment(refreshed_shop: Home) -> None:
    told = json.loads(segments("customer", "C8", "--json", home=refreshed_shop.path).stdout)
    inside = [one["segment"] for one in told["standings"] if one["entered_on"]]
    assert inside
    page = segments("customer", "C8", home=refreshed_shop.path).stdout
    assert f"in {len(inside)} of {len(told['standings'])} segments" in page
    unknown = segments("customer", "nobody", home=refreshed_shop.path)
    assert (unknown.returncode, unknown.stderr.count("There is no customer nobody")) == (2, 1)

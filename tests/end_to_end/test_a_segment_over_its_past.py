"""A segment that is new, or missed some days, is given them alone: the release is then the one of a shop that had it all along."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from dagster_dbt.dbt_manifest import read_manifest_path

from orchestration import definitions
from orchestration.days import Days
from orchestration.errors import ConfigurationError
from orchestration.publish import assets as publishing
from orchestration.publish.releases import current_name
from orchestration.refresh import give_past
from orchestration.selection import Selection
from orchestration.settings import Home, load_settings
from orchestration.transform import assets, plan
from orchestration.transform.project import PROJECT_DIR, DbtProjectOfHome
from tests.builders import SHOP_DAYS, Company, Refreshed, Stage, current_contents, refreshed
from tests.end_to_end.test_holds import with_genders_missing

#: Of each kind one: of attributes, of a window of purchases, of ranks in an exclusive scheme, of ranks the day before too, of other segments.
NEW = (
    "men_18_25",
    "bought_product_x_3m_over_500",
    "rfm_loyal",
    "new_top_spenders",
    "vips_at_full_price",
    "contactable_by_email",
)
#: Is asked for by nobody, and has to be given its past with `vips_at_full_price`, which builds on it.
BENEATH = "discount_seekers"
FIRST, SECOND, THIRD, FOURTH = SHOP_DAYS
SHOP_CUSTOMERS = 25
PROJECT = PROJECT_DIR.parent

#: Gives segments their past and is killed when the first half of it is on record.
KILLED = f"""
import os, signal, sys
from pathlib import Path
from orchestration.refresh import give_past
from orchestration.selection import Selection
from orchestration.settings import Home, load_settings
from orchestration.transform import given_past, plan
plan.CUSTOMER_DAYS_OF_A_SELECTION = {2 * SHOP_CUSTOMERS}
given_past.chunk_built = lambda connection: (plan.chunk_built(connection), os.kill(os.getpid(), signal.SIGKILL))
home = Home(Path(sys.argv[1]))
give_past(home, load_settings(home), Selection(tuple(sys.argv[2:])))
"""


@pytest.fixture(scope="module")
def project_without(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dbt project as it was before the new segments were written."""
    project = Path(shutil.copytree(PROJECT_DIR, tmp_path_factory.mktemp("before") / "dbt_project"))
    listed = project / "models" / "metrics" / "segment_membership.sql"
    for name in (*NEW, BENEATH):
        for suffix in (".sql", ".yml"):
            (project / "models" / "segments" / name).with_suffix(suffix).unlink()
        listed.write_text(re.sub(rf"    '{name}',\n", "", listed.read_text()))
    return project


@pytest.fixture(scope="module")
def company() -> Company:
    """The corner shop, on whose third day everybody's gender goes missing: segments that ask for it are held."""
    return with_genders_missing(THIRD)


@pytest.fixture(scope="module")
def all_along(stage: Stage, company: Company, tmp_path_factory: pytest.TempPathFactory) -> Refreshed:
    """Its four days, with the segments from the start."""
    home = stage.home(company)
    manifest = refreshed(home, FIRST, FOURTH)
    return Refreshed(stage.set_aside(tmp_path_factory.mktemp("all_along") / "home"), manifest, current_contents(home))


@pytest.fixture(scope="module")
def before(stage: Stage, company: Company, project_without: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same days without them."""
    home = stage.home(company)
    with pytest.MonkeyPatch.context() as patched:
        for module in (definitions, assets, publishing):
            patched.setattr(module, "DbtProjectOfHome", partial(DbtProjectOfHome, project_dir=project_without))
        read_manifest_path.cache_clear()  # Dagster takes the manifest of a path for the one that it read there first
        refreshed(home, FIRST, FOURTH)
    read_manifest_path.cache_clear()
    return stage.set_aside(tmp_path_factory.mktemp("before") / "home")


@pytest.fixture
def in_two_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "CUSTOMER_DAYS_OF_A_SELECTION", 2 * SHOP_CUSTOMERS)


def given_past(home: Home, *names: str, days: Days | None = None) -> None:
    give_past(home, load_settings(home), Selection(names, days))


def is_as_if_they_had_been_there(home: Home, all_along: Refreshed) -> bool:
    """Says which table is not."""
    found = current_contents(home)
    for table, rows in all_along.contents.items():
        assert found[table] == rows, table
    return current_name(home) == all_along.manifest.release


@pytest.fixture(scope="module")
def after(stage: Stage, before: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The new segments are given their past, in a run that is killed half-way and in one to the end."""
    home = stage.restore(before)
    published = current_name(home)
    killed = subprocess.run([sys.executable, "-c", KILLED, str(home.path), *NEW], cwd=PROJECT, capture_output=True)
    assert (killed.returncode, current_name(home)) == (-signal.SIGKILL, published)
    given_past(home, *NEW)
    return stage.set_aside(tmp_path_factory.mktemp("after") / "home")


def test_new_segments_of_every_kind_get_the_past_that_they_would_have_had_although_the_first_run_was_killed(
    stage: Stage, after: Path, all_along: Refreshed
) -> None:
    assert is_as_if_they_had_been_there(stage.restore(after), all_along)


@pytest.mark.usefixtures("in_two_parts")
def test_a_part_of_it_once_more_changes_nothing(stage: Stage, after: Path, all_along: Refreshed) -> None:
    home = stage.restore(after)
    given_past(home, "men_18_25", "rfm_loyal", days=Days(SECOND, THIRD))
    assert is_as_if_they_had_been_there(home, all_along)


def test_what_a_new_segment_builds_on_gets_its_past_with_it_and_other_new_ones_are_asked_for(
    stage: Stage, before: Path
) -> None:
    home = stage.restore(before)
    known = current_contents(home)
    with pytest.raises(
        ConfigurationError, match=r"newest day either: bought_product_x_3m_over_500, .*\. Select them too"
    ):
        given_past(home, "vips_at_full_price")
    assert current_contents(home) == known

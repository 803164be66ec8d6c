"""What a flag says: of one customer as of many."""

from __future__ import annotations

import pytest

from orchestration.measure.campaigns.wording import COUNTED, PLAIN, TROUBLES, meaning


@pytest.mark.parametrize("name", COUNTED)
def test_a_flag_that_counts_one_speaks_of_one(name: str) -> None:
    one, many = meaning(f"{name}: 1"), meaning(f"{name}: 1200")
    what = COUNTED[name][0]
    assert one.startswith(f"1 {what} ")
    assert many.startswith(f"1,200 {what}s ")
    assert one.split(maxsplit=2)[2] == many.split(maxsplit=2)[2]
    assert not {"are", "is", "were", "was"} & {one.split()[2], many.split()[2]}


def test_every_trouble_and_every_other_flag_has_a_meaning() -> None:
    assert TROUBLES.keys() <= COUNTED.keys()
    assert all(meaning(name) for name in PLAIN)

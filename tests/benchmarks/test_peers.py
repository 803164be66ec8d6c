from pathlib import Path

from benchmarks.peers.rules import conditions

PROJECT = Path(__file__).parents[2] / "dbt_project"


def test_a_segment_comes_after_those_that_it_is_made_of_and_its_rule_knows_no_versions() -> None:
    rules = conditions(PROJECT, "P1")

    assert {file.stem for file in (PROJECT / "models" / "segments").glob("*.sql")} == set(rules)
    in_order = list(rules)
    assert in_order.index("top_spenders") < in_order.index("vips_at_full_price")
    assert rules["men_18_25"] == "gender = 'male' AND age BETWEEN 18 AND 25"
    assert "product_id = 'P1'" in rules["bought_product_x_3m_over_500"]
    assert "valid_from" not in rules["bought_product_x_3m_over_500"]

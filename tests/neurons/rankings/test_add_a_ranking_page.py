"""The ranking that docs/add-a-ranking.md builds is a real one, and its registry line and its test are right."""

import runpy
from pathlib import Path

import pytest
from page_code import blocks_of

from lit_probe.neurons import rankings

LAWS = runpy.run_path(str(Path(__file__).parent / "test_ranking_laws.py"))


@pytest.fixture
def page(monkeypatch):
    """The names of the page's code, with its ranking in the registry."""
    code, line, test = blocks_of("add-a-ranking.md")
    names: dict = {}
    exec(code, names)
    ((name, entry),) = eval(f"{{{line}}}", names | vars(rankings)).items()
    monkeypatch.setitem(rankings.RANKINGS, name, entry)
    exec(test, names)
    return names


def test_the_ranking_in_the_documentation_passes_its_own_test(page):
    page["test_correlation_is_numpys_for_each_class"]()


@pytest.mark.parametrize(
    ("law", "arguments"),
    [
        ("test_the_order_is_a_permutation_of_all_neurons_and_the_planted_one_comes_first", (130,)),
        ("test_the_planted_neuron_comes_first_among_all_layers", (3, "logistic")),
        ("test_three_runs_agree_to_the_last_bit", ()),
        ("test_scores_fall_along_the_order_and_equal_ones_stand_by_layer_and_index", ()),
        ("test_a_neuron_in_other_units_keeps_its_place", ()),
        ("test_a_constant_neuron_is_not_ranked_and_the_others_are_as_without_it", ()),
        ("test_the_result_is_json_best_first", ()),
    ],
)
def test_the_ranking_in_the_documentation_obeys_the_laws(page, law, arguments):
    LAWS[law]("class_correlation", *arguments)

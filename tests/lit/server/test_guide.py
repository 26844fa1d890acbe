"""The guide's table is what the self-test says today."""

import json

import pytest

from lit_probe.encoder.checkpoint import DEFAULT_MODEL, find_checkpoint
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import EncoderError
from lit_probe.lit.server import guide
from lit_probe.salience import EXPLAINING_METHODS
from lit_probe.salience.selftest.selftest import CASES, selftest


@pytest.fixture(scope="module")
def recorded() -> dict:
    [result] = json.loads(guide._SELFTEST.read_text("utf-8")).values()
    return result


def test_the_recorded_test_holds_every_method_and_every_case(recorded):
    assert [case["name"] for case in recorded["cases"]] == list(CASES)
    for case in recorded["cases"]:
        assert [method["method"] for method in case["methods"]] == list(EXPLAINING_METHODS)


def test_the_guide_shows_its_numbers(recorded):
    text = guide.reading_guide()
    for method in recorded["cases"][0]["methods"]:
        of_method = [one for case in recorded["cases"] for one in case["methods"] if one["method"] == method["method"]]
        precisions = " | ".join(f"{one['precision']:.2f}" for one in of_method)
        assert f"| {method['title']} | {precisions} |" in text


def test_a_part_of_it_measured_again_gives_the_recorded_numbers(recorded):
    try:
        find_checkpoint(DEFAULT_MODEL)
    except EncoderError as error:
        pytest.skip(f"the default model is not here: {error}")
    methods = ("gradient_l2", "integrated_gradients")
    [again] = selftest(load_encoder(DEFAULT_MODEL), cases=("one_word_probe",), methods=methods).cases
    [case] = [case for case in recorded["cases"] if case["name"] == "one_word_probe"]
    assert list(again.words) == case["words"]
    expected = {method["method"]: method["precision"] for method in case["methods"]}
    for method in again.methods:
        # Another processor rounds otherwise, which may move one text of thirty.
        assert method.precision == pytest.approx(expected[method.method], abs=0.04)

"""The line about other baselines, as the panel asks for it."""

from __future__ import annotations

import pytest
from neuron_answers import answer_of

from lit_probe.errors import LitProbeError
from lit_probe.lit.host.explaining import explainer_of, question_of
from lit_probe.lit.interpreters import INTERPRETERS
from lit_probe.lit.interpreters.salience import salience_rows
from lit_probe.probing.probe_forward import Target
from lit_probe.salience import SALIENCE_METHODS, SalienceOptions, explain
from lit_probe.salience.trust.other_baselines import compare_baselines

TEXT = "the qq was awful"
WITH_BASELINE = [name for name, method in SALIENCE_METHODS.items() if method.baseline]


def ask(model, dataset, *examples, **config):
    return answer_of("salience_baselines", model, dataset, *examples, **config)


@pytest.mark.parametrize("method", WITH_BASELINE)
def test_the_answer_has_the_digits_of_the_library(model, dataset, method):
    answer = ask(model, dataset, {"text": TEXT}, method=method, layer=2)
    expected = compare_baselines(explainer_of(model).forward(question_of({"layer": 2})), TEXT, method)
    assert answer == {"status": "ready", **expected.to_json(), "sentence": expected.sentence()}
    assert len(answer["others"]) >= 2 and (answer["baseline_class"] in answer["sentence"]) == (method != "occlusion")


def test_another_way_to_score_words_is_compared_in_that_way(model, dataset):
    forward = explainer_of(model).forward(question_of({"layer": 2}))
    for how in ("sum", "max"):
        answer = ask(model, dataset, {"text": TEXT}, method="occlusion", layer=2, unit="token", aggregation=how)
        expected = compare_baselines(forward, TEXT, "occlusion", options=SalienceOptions(unit="token"), how=how)
        assert answer["others"] == expected.to_json()["others"]


def test_the_maps_of_other_baselines_are_there_when_they_are_asked_for(model, dataset, monkeypatch):
    text = "nobody has asked for other baselines of this"
    ask(model, dataset, {"text": text}, method="integrated_gradients", layer=1)
    monkeypatch.setattr("lit_probe.lit.host.explaining.explain", None)
    for baseline in ("pad", "mask", "zero", "mean"):
        config = {"method": "integrated_gradients", "layer": 1, "baseline": baseline}
        assert INTERPRETERS["salience_map"].run([{"text": text}], model, dataset, config=config)["status"] == "ready"


def test_classes_have_the_names_that_the_page_shows(encoder, model, dataset):
    answer = ask(model, dataset, {"text": TEXT}, method="occlusion", target="class:negative")
    assert answer["class_name"] == "negative" and answer["baseline_class"] in ("negative", "positive")
    assert answer["same_class"] == (answer["baseline_class"] == "negative")


@pytest.mark.parametrize("method", [name for name in SALIENCE_METHODS if name not in WITH_BASELINE])
def test_a_method_without_a_baseline_has_no_line(model, dataset, method):
    answer = ask(model, dataset, {"text": TEXT}, method=method)
    assert answer["status"] == "failed" and answer["message"].endswith("depend on no baseline.")


def test_one_example_at_a_time(model, dataset):
    with pytest.raises(LitProbeError, match="one example at a time; 2 were sent"):
        ask(model, dataset, *[{"text": TEXT}] * 2, method="lime")


def test_a_map_that_is_not_exact_is_marked_in_the_answer_and_in_lits_row(model, dataset):
    # One step is never enough.
    settings = {"steps": 1, "growth": 1, "scalar": "margin", "baseline": "mask"}
    config = {"method": "integrated_gradients", **settings}
    answer = INTERPRETERS["salience_map"].run([{"text": TEXT}], model, dataset, config=config)
    forward = explainer_of(model).forward(question_of({}))
    expected = explain(
        forward, TEXT, "integrated_gradients", Target(**answer["target"]), SalienceOptions(steps=1, growth=1, baseline="mask")
    )
    assert answer["warning"] == expected.warning and expected.warning.startswith("Not exact: after 1 step the scores add up to ")
    row = salience_rows([model])["Integrated gradients"]
    (drawn,) = row.run(
        [{"text": TEXT}], model, dataset, config={"steps": 1, "most growth": 1, "number": "margin", "baseline": "mask"}
    )
    assert expected.warning in list(drawn)[1]

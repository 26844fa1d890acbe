import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from lit_nlp.api.dataset import Dataset, IndexedDataset
from lit_nlp.components.pca import PCAModel
from lit_nlp.lib import caching, serialize
from tiny_probing import computed, models_of, tiny_splits, worded_splits

from lit_probe.checks.baselines import BASELINES
from lit_probe.checks.battery import CHECKS, run_check
from lit_probe.checks.layer_comparison import compare_two_layers
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import LitProbeError, UnknownNameError
from lit_probe.lit.host.dataset import ProbeDataset
from lit_probe.lit.host.pending_checks import PendingChecks
from lit_probe.lit.host.pending_study import PendingStudy
from lit_probe.lit.interpreters import INTERPRETERS

interpreter = INTERPRETERS["probe_checks"]
PATIENCE_S = 60


def ask(model, dataset=None, **config):
    answer = interpreter.run([], model, model.dataset if dataset is None else dataset, config=config)
    return serialize.from_json(serialize.to_json(answer, simple=True, allow_nan=False))


def answer_of(model, dataset=None, **config):
    """The answer in the end, asked again and again as the panel does."""
    deadline = time.monotonic() + PATIENCE_S
    while (answer := ask(model, dataset, **config))["status"] == "computing":
        assert 0 <= answer["fraction"] <= 1 and answer["message"], answer
        assert time.monotonic() < deadline, answer
        time.sleep(0.01)
    return answer


@pytest.fixture(scope="module")
def worded(encoder):
    """A model of sentences with enough different words for a control task."""
    return models_of([computed(encoder, worded_splits())])[0]


@pytest.mark.parametrize("name", CHECKS)
def test_every_check_arrives_with_the_digits_of_the_library(worded, name):
    expected = run_check(name, worded.study.result()).to_json()
    answer = answer_of(worded, check=name)
    assert answer["status"] == "ready" and answer["check"] == name
    for key in ("layers", "baselines", "notes"):
        if key in expected:
            assert answer[key] == expected[key]


def test_each_baseline_is_asked_for_by_itself(model):
    for name in ("majority", "length"):
        answer = answer_of(model, check="baselines", baseline=name)
        assert answer["title"] == BASELINES[name].title and answer["metric"] == "accuracy"
        assert answer["low"] <= answer["score"] <= answer["high"]


def test_any_two_layers_are_compared(worded):
    answer = answer_of(worded, check="layer_comparison", layers=[3, 1])
    expected = compare_two_layers(worded.study.result(), 3, 1).to_json()
    assert {key: answer[key] for key in expected} == expected
    assert answer_of(worded, check="layer_comparison", layers=[1, 3])["difference"] == -answer["difference"]
    assert "Unknown layer 9" in answer_of(worded, check="layer_comparison", layers=[3, 9])["message"]


@pytest.mark.parametrize("config", [{"check": "layer_comparison", "layers": [1]}, {"check": "layer_comparison", "layers": "1,3"}])
def test_two_layers_must_be_two_numbers(model, config):
    with pytest.raises(LitProbeError, match="Two layers are named by two whole numbers"):
        ask(model, **config)


def test_another_control_is_another_answer(worded):
    by_word = answer_of(worded, check="selectivity")
    by_first_word = answer_of(worded, check="selectivity", control="first_word")
    assert by_word["control"] == "word" and by_first_word["control"] == "first_word"
    assert by_word["layers"] != by_first_word["layers"]


def test_a_control_by_a_column_is_named_as_lit_names_the_column(encoder):
    splits = tiny_splits(columns=lambda texts: {"first noun": np.array([text.split()[1] + text.split()[2] for text in texts])})
    (model,) = models_of([computed(encoder, splits)])
    assert model.dataset.columns == {"first_noun": "first noun"}
    answer = answer_of(model, check="selectivity", control="group:first_noun")
    assert answer["status"] == "ready" and answer["control"] == "group:first noun" and answer["n_types"] == 10
    assert "has no column 'second_noun'" in answer_of(model, check="selectivity", control="group:second_noun")["message"]


def test_what_cannot_be_computed_is_a_sentence(model):
    answer = answer_of(model, check="selectivity", control="group")
    assert answer["status"] == "failed" and "has no groups" in answer["message"]
    assert "Unknown control" in answer_of(model, check="selectivity", control="colour")["message"]


def test_nothing_is_computed_until_a_panel_asks_and_asking_does_not_wait(encoder, monkeypatch):
    go_on = threading.Event()

    def slow(name, study, cache, progress, variant):
        progress(1, 4)
        assert go_on.wait(PATIENCE_S)
        progress(2, 4)
        return SimpleNamespace(to_json=lambda: {"layers": [], "notes": [], "variant": variant})

    monkeypatch.setattr("lit_probe.lit.interpreters.probe_checks.run_check", slow)
    (model,) = models_of([computed(encoder, tiny_splits())])
    started = time.monotonic()
    first = ask(model, check="learning_curve")
    assert first["status"] == "computing" and first["message"].startswith("Learning curve of tiny-bert on tiny: ")
    assert time.monotonic() - started < 5
    assert ask(model, check="learning_curve", cancel=True)["status"] == "cancelled"
    assert ask(model, check="learning_curve")["status"] == "computing"
    go_on.set()
    assert answer_of(model, check="learning_curve")["status"] == "ready"
    assert ask(model, check="learning_curve", cancel=True)["status"] == "ready", "there is nothing left to cancel"


def test_results_are_read_from_the_cache_of_the_server_by_the_next_one(encoder, tmp_path, monkeypatch):
    study = computed(encoder, tiny_splits())
    (model,) = models_of([study])
    model.checks = PendingChecks(Cache(tmp_path))
    first = answer_of(model, check="description_length")
    monkeypatch.setattr("lit_probe.probing.layerwise.LayerwiseProbe.fit", None)
    model.checks = PendingChecks(Cache(tmp_path))
    assert answer_of(model, check="description_length") == first
    model.checks = PendingChecks()
    assert answer_of(model, check="description_length")["status"] == "failed", "sanity: computing it would fit probes"


def test_rows_are_positions_among_the_rows_that_lit_shows(tiny_folder):
    encoder = load_encoder(str(tiny_folder(n_classes=2)))
    study = computed(encoder, tiny_splits())
    (model,) = models_of([study], lambda splits: ProbeDataset(splits, max_shown=50))
    shown = IndexedDataset(base=model.dataset)
    everything = run_check("agreement", study.result()).to_json()
    assert everything["available"] and 0 < len(model.dataset.shown["dev"]) < len(study.splits.dev)
    answer = answer_of(model, shown, check="agreement")
    assert answer["layers"] == everything["layers"], "the counts are of all dev rows"
    dev_texts = list(study.splits.dev.texts)
    for layer, all_rows in zip(answer["rows"], everything["rows"], strict=True):
        assert layer["layer"] == all_rows["layer"]
        for cell in ("probe_only", "model_only", "both_wrong"):
            wanted = {dev_texts[row] for row in all_rows[cell]}
            found = {shown.examples[position]["text"] for position in layer[cell]}
            assert found == wanted & {example["text"] for example in shown.examples}
    assert sum(len(layer[cell]) for layer in answer["rows"] for cell in ("probe_only", "model_only", "both_wrong")) > 0


def test_there_are_no_rows_to_select_in_another_data_set(tiny_folder):
    encoder = load_encoder(str(tiny_folder(n_classes=2)))
    model, other = models_of([computed(encoder, tiny_splits()), computed(encoder, tiny_splits("other", start=-70))])
    answer = answer_of(model, IndexedDataset(base=other.dataset), check="agreement")
    assert answer["layers"] and all(not layer["probe_only"] and not layer["both_wrong"] for layer in answer["rows"])


def test_while_the_probes_are_computed_nothing_else_is(encoder):
    study = PendingStudy(encoder, tiny_splits())
    (model,) = models_of([study])
    study.report("Encoding tiny train", 20, 80, "texts")
    assert ask(model, check="calibration") == {
        "status": "computing",
        "message": "Encoding tiny train: 20 of 80 texts",
        "fraction": 0.25,
    }

    def fail(progress):
        raise LitProbeError("Layer 2: activations are not finite")

    study.compute(fail)
    assert ask(model, check="calibration")["status"] == "failed"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (None, "'check' must be named"),
        ({}, "'check' must be named"),
        (["calibration"], "must be an object"),
        ({"check": 3}, "'check' must be named"),
        ({"check": "calibraton"}, "Unknown check 'calibraton'. Choose one of: agreement, "),
        ({"check": "calibration", "control": "word"}, "takes cancel, check, but not control"),
        ({"check": "selectivity", "contol": "word"}, "takes cancel, check, control, but not contol"),
        ({"check": "selectivity", "control": ["word"]}, "'control' must be named by a string, not by list"),
    ],
)
def test_a_configuration_that_cannot_be_understood_is_refused(model, config, said):
    with pytest.raises(LitProbeError, match=said):
        interpreter.run([], model, model.dataset, config=config)


def test_an_unknown_check_is_refused_even_while_the_probes_are_computed(encoder):
    (model,) = models_of([PendingStudy(encoder, tiny_splits())])
    with pytest.raises(UnknownNameError):
        ask(model, check="nonsense")


def test_it_offers_itself_for_our_models_only(model, dataset):
    assert interpreter.is_compatible(caching.CachingModelWrapper(model, "m"), Dataset())
    assert not interpreter.is_compatible(PCAModel(n_components=2), dataset)
    spec = interpreter.config_spec()["check"]
    assert spec.vocab == list(CHECKS) and interpreter.meta_spec() == {} and "decodable" in interpreter.description()

"""What holds for every interpreter: how it refuses, waits, fails and is cancelled, and that its answers are JSON."""

from __future__ import annotations

import json
import threading

import pytest
from lit_nlp.api.dataset import IndexedDataset
from neuron_answers import PATIENCE_S, answer_of, ask, of_split
from tiny_probing import models_of

from lit_probe.data.asked import TEXT
from lit_probe.errors import LitProbeError
from lit_probe.lit.host.pending_study import PendingStudy
from lit_probe.lit.interpreters import INTERPRETERS
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter

# A question to each: how many dev rows are sent, and the values of keys.
QUESTIONS = {
    "layer_metrics": (12, {"metric": "auroc"}),
    "layer_predictions": (2, {}),
    "words_by_layer": (2, {}),
    "word_salience": (1, {"word": 1, "layer": 1}),
    "probe_checks": (0, {"check": "calibration"}),
    "concept_map": (0, {"targets": ["label", "surface:n_words"]}),
    "encoder_comparison": (0, {"other": "tiny-bert-on-tiny", "layer": 2}),
    "slice_comparison": (12, {"slices": [[0, 1, 2, 3, 4], [3, 4, 5, 6, 7, 8]], "layer": 1}),
    "transfer": (0, {}),
    "layer_similarity": (0, {"measure": "svcca", "other": "random weights"}),
    "row_splits": (3, {}),
    "provenance": (3, {"number": {"check": "layer_metrics", "layer": 1}}),
    "report": (0, {}),
    "probe_file": (0, {}),
    "kept_probe": (12, {"metric": "auroc"}),
    "salience_methods": (0, {}),
    "salience_map": (1, {"method": "integrated_gradients", "layer": 1, "steps": 500}),
    "salience_baselines": (1, {"method": "integrated_gradients", "layer": 1, "steps": 500}),
    "salience_checks": (4, {"check": "words", "method": "gradient_l2"}),
    "neuron_ranking": (0, {"method": "mean_gap", "layer": "all"}),
    "neuron_evidence": (0, {"part": "clusters", "layer": 2}),
    "neuron_ablation": (3, {"part": "curve", "layer": 1, "units": [1, 2], "n_random": 2}),
    "counterfactual_by_layer": (2, {"part": "trajectory"}),
    "counterfactual_pairs": (2, {"source": "sent"}),
    "attention": (2, {"part": "heads"}),
    "projections": (6, {"method": "pca"}),
    "lens": (0, {"part": "about"}),
    "computations": (0, {}),
}
NEVER_WAIT = {"salience_methods", "lens", "computations"}
IN_THE_BACKGROUND = {
    "probe_checks",
    "concept_map",
    "encoder_comparison",
    "slice_comparison",
    "transfer",
    "layer_similarity",
    "report",
    "salience_map",
    "salience_baselines",
    "salience_checks",
    "neuron_ranking",
    "neuron_evidence",
    "neuron_ablation",
    "counterfactual_pairs",
    "projections",
}
every_interpreter = pytest.mark.parametrize("name", INTERPRETERS)


def about_words(name):
    return TEXT not in INTERPRETERS[name].units


@pytest.fixture(scope="module", autouse=True)
def file_of_probes(models):
    """The question about kept probes needs some."""
    QUESTIONS["kept_probe"][1]["file"] = answer_of("probe_file", models[0], models[0].dataset)["file"]


@pytest.fixture
def model(request, name):
    """A model that the interpreter serves."""
    return request.getfixturevalue("word_model") if about_words(name) else request.getfixturevalue("models")[0]


@pytest.fixture
def dataset(model):
    """Its data set as LIT's components see it."""
    return IndexedDataset(base=model.dataset)


def rows_for(name, dataset):
    return of_split(dataset, "dev")[: QUESTIONS[name][0]]


def test_each_has_a_question_here():
    assert set(QUESTIONS) == set(INTERPRETERS)


@every_interpreter
def test_it_writes_one_answer_and_leaves_the_protocol_to_the_base_class(name):
    classes = type(INTERPRETERS[name]).__mro__
    own = classes[: classes.index(ProbeInterpreter)]
    assert sum("answer" in vars(one) for one in own) == 1
    assert not any("run" in vars(one) or "is_compatible" in vars(one) for one in own)


@every_interpreter
def test_an_unknown_key_is_refused_with_those_that_there_are(name, model, dataset):
    interpreter, (_, values) = INTERPRETERS[name], QUESTIONS[name]
    rows, config = rows_for(name, dataset), {**values, "colour": 1}
    if interpreter.keys is None:
        assert ask(name, model, dataset, *rows, **config) == ask(name, model, dataset, *rows)
        return
    with pytest.raises(LitProbeError, match=r"The configuration takes .*, but not colour\.") as told:
        ask(name, model, dataset, *rows, **config)
    assert all(key in str(told.value) for key in (*interpreter.keys, *values))


@every_interpreter
def test_an_example_without_a_text_is_refused_where_texts_are_read(name, model, dataset):
    if INTERPRETERS[name].reads_texts:
        with pytest.raises(LitProbeError, match="needs a string in its field 'text'"):
            ask(name, model, dataset, {"label": "positive"}, **QUESTIONS[name][1])


@every_interpreter
def test_it_waits_for_the_probes_and_answers_then(name, encoder, model):
    study = PendingStudy(encoder, model.study.splits)
    (waiting,) = models_of([study])
    dataset = IndexedDataset(base=waiting.dataset)
    rows, config = rows_for(name, dataset), QUESTIONS[name][1]
    study.report("Encoding train", 20, 80, "texts")
    first = ask(name, waiting, dataset, *rows, **config)
    if name not in NEVER_WAIT:
        assert first.items() >= {"status": "computing", "message": "Encoding train: 20 of 80 texts", "fraction": 0.25}.items()
    study.compute(lambda progress: model.study.result())
    assert answer_of(name, waiting, dataset, *rows, **config)["status"] == "ready"


@every_interpreter
def test_a_failed_study_is_told(name, encoder, model):
    study = PendingStudy(encoder, model.study.splits)
    (broken,) = models_of([study])
    dataset = IndexedDataset(base=broken.dataset)

    def fail(progress):
        raise LitProbeError("Layer 2: activations are not finite")

    study.compute(fail)
    answer = ask(name, broken, dataset, *rows_for(name, dataset), **QUESTIONS[name][1])
    if name not in NEVER_WAIT:
        assert "Layer 2: activations are not finite" in json.dumps(answer)
        # Transfer goes on without the data sets whose probes failed, and names them.
        assert answer["status"] == ("ready" if name == "transfer" else "failed")


@every_interpreter
def test_an_answer_survives_json(name, model, dataset):
    answer = answer_of(name, model, dataset, *rows_for(name, dataset), **QUESTIONS[name][1])
    assert answer["status"] == "ready" and len(answer) > 1
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer


def held_up(name, models, dataset):
    """A model of its own whose background is busy until the event is set, and a question that has to wait: model, rows,
    configuration, event."""
    model, _ = models_of([one.study for one in models])
    rows, config = rows_for(name, dataset), QUESTIONS[name][1]
    if name == "salience_map":
        rows = [{"text": "the film was good and slow " * 10}]
    go_on = threading.Event()
    for quick in (True, False):
        model.checks.ask(("before", quick), "Something else", lambda _: {"waited": go_on.wait(PATIENCE_S)}, quick=quick)
    return model, rows, config, go_on


@pytest.mark.parametrize("name", sorted(IN_THE_BACKGROUND))
def test_what_is_cancelled_ends_and_may_be_asked_again(name, models, dataset):
    model, rows, config, go_on = held_up(name, models, dataset)
    assert ask(name, model, dataset, *rows, **config)["status"] == "computing"
    assert ask(name, model, dataset, *rows, **config, cancel=True)["status"] == "cancelled"
    assert ask(name, model, dataset, *rows, **config)["status"] == "computing"
    go_on.set()
    ready = answer_of(name, model, dataset, *rows, **config)
    assert ready["status"] == "ready"
    assert ask(name, model, dataset, *rows, **config, cancel=True) == ready, "there is nothing left to cancel"


@pytest.mark.parametrize("name", sorted(IN_THE_BACKGROUND))
def test_what_only_a_page_that_has_been_left_waited_for_ends(name, models, dataset):
    model, rows, config, go_on = held_up(name, models, dataset)
    done = threading.Event()
    old, new = ({"page": letter * 32, "question": 1} for letter in "ab")
    for _ in range(2):
        assert ask(name, model, dataset, *rows, **config, asked_by=old)["status"] == "computing"
    model.checks.leave(old["page"])
    behind = model.checks.ask("behind", "Behind", lambda _: {"done": done.set()}, quick=False)
    assert behind["message"] == "Behind: waiting for 1 other computation", "only the one that is held"
    assert ask(name, model, dataset, *rows, **config, asked_by=old)["message"].endswith(": starting")
    assert model.checks.ask("last", "Last", lambda _: {}, quick=False)["message"] == "Last: waiting for 2 other computations"
    go_on.set()
    assert done.wait(PATIENCE_S)
    assert answer_of(name, model, dataset, *rows, **config, asked_by=new)["status"] == "ready"


@every_interpreter
def test_who_asks_must_be_a_page(name, model, dataset):
    for nobody in ("a page", {"page": "a page", "question": 1}, {"page": "a" * 32}):
        with pytest.raises(LitProbeError, match="An asker is"):
            ask(name, model, dataset, asked_by=nobody)


@every_interpreter
def test_lits_form_shows_declared_keys_with_a_default_that_is_a_choice(name):
    interpreter = INTERPRETERS[name]
    spec = interpreter.config_spec()
    assert list(spec) == list(interpreter.form)
    assert all(control.default in control.vocab for control in spec.values() if hasattr(control, "vocab"))

import numpy as np
import pytest
import torch
from lit_nlp.api.dataset import Dataset, IndexedDataset
from lit_nlp.components.pca import PCAModel
from lit_nlp.lib import caching
from neuron_answers import answer_of, ask, of_split
from tiny_probing import computed, edited, models_of, tiny_splits

from lit_probe.encoder.activations import extract_activations
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import LitProbeError
from lit_probe.lit.host.dataset import ProbeDataset
from lit_probe.lit.host.pending_checks import PendingChecks
from lit_probe.lit.host.pending_study import PendingStudy
from lit_probe.lit.interpreters import INTERPRETERS
from lit_probe.lit.interpreters.neuron_evidence import EVIDENCE_PARTS
from lit_probe.neurons.meaning.neuron_clusters import correlation_clusters
from lit_probe.neurons.meaning.neuron_evidence import activation_distribution, token_activations
from lit_probe.neurons.meaning.neuron_factors import neuron_factors
from lit_probe.neurons.meaning.top_words import top_words, with_surroundings
from lit_probe.neurons.rankings import rank_neurons

NAME = "neuron_evidence"
interpreter = INTERPRETERS[NAME]


@pytest.fixture(scope="module")
def study(model):
    return model.study.result()


@pytest.fixture
def edit(dataset):
    """A dev row and an edit of it."""
    row = of_split(dataset, "dev")[0]
    return row, edited(row, text=row["text"].replace("was", "was never").replace("is", "is never"))


# ---- distribution and column


def test_the_distribution_arrives_with_the_digits_of_the_library_and_marks_the_texts(model, dataset, study, edit):
    answer = ask(NAME, model, dataset, *edit, part="distribution", layer=2, unit=5)
    assert answer.items() >= activation_distribution(study, 2, 5).to_json().items() and answer["n"] == 40
    column = ask(NAME, model, dataset, *edit, part="column", layer=2, unit="2:5")
    assert answer["inputs"] == column["values"] and len(set(answer["inputs"])) == 2
    train = ask(NAME, model, dataset, part="distribution", layer=2, unit="5", split="train")
    assert train["n"] == 80 and train["inputs"] == []


def test_a_column_holds_the_neurons_activation_of_every_row_of_lit(model, dataset, study, edit):
    answer = ask(NAME, model, dataset, *dataset.examples, edit[1], part="column", unit=3)
    layer = study.best_layer
    texts = [row["text"] for row in dataset.examples] + [edit[1]["text"]]
    expected = extract_activations(model.encoder, texts, "mean").layer(layer)[:, 3]
    np.testing.assert_allclose(answer["values"], expected, rtol=1e-4, atol=1e-5)
    assert (answer["column"], answer["pooling"]) == (f"neuron_{layer}.3", "mean")
    assert ":" not in answer["column"], "LIT splits names of columns at colons"


# ---- tokens


def test_tokens_of_an_original_and_its_edit_stand_beside_each_other(model, dataset, edit):
    texts = [row["text"] for row in edit]
    answer = ask(NAME, model, dataset, *edit, part="tokens", layer=1, units=[4, "1:9"])
    expected = token_activations(model.encoder, texts, 1, [4, 9])
    for found, one in zip(answer["texts"], expected, strict=True):
        assert found.items() >= one.to_json().items()
        assert found["pooled"] == pytest.approx(one.values[:, ~np.array(one.special)].mean(axis=1), rel=1e-4)
    original, changed = answer["texts"]
    assert original["aligned"] is None
    assert [changed["tokens"][i] for i, place in enumerate(changed["aligned"]) if place is None] == ["never"]
    assert all(
        original["tokens"][place] == changed["tokens"][i] for i, place in enumerate(changed["aligned"]) if place is not None
    )
    sizes = [np.abs(one.values[:, ~np.array(one.special)]).max(axis=1) for one in expected]
    assert answer["largest"] == np.max(sizes, axis=0).tolist()


def test_one_neuron_may_be_named_alone(model, dataset, edit):
    alone = ask(NAME, model, dataset, edit[0], part="tokens", layer=1, unit=4)
    assert alone == ask(NAME, model, dataset, edit[0], part="tokens", layer=1, units=["4"])
    assert [neuron["name"] for neuron in alone["texts"][0]["neurons"]] == ["1:4"]


def test_a_text_without_words_has_tokens_all_the_same(model, dataset, edit):
    answer = ask(NAME, model, dataset, edited(edit[0], text=""), part="tokens", layer=1, unit=4)
    assert answer["texts"][0]["special"] == [True, True] and answer["largest"] == [0.0]


# ---- words


def test_top_words_of_every_neuron_of_a_layer_come_from_one_pass(model, dataset, study, monkeypatch):
    texts = study.splits.dev.texts
    expected = top_words(model.encoder, texts, 1, 4, min_count=3)
    config = {"part": "words", "layer": 1, "top": 4, "min_count": 3}
    assert ask(NAME, model, dataset, unit=7, **config)["status"] == "computing"
    answer = answer_of(NAME, model, dataset, unit=7, **config)
    wanted = with_surroundings(expected.of_unit(7), model.encoder, texts).to_json()
    assert answer["highest"]["words"] == wanted["highest"]["words"] and answer["n_texts"] == 40
    monkeypatch.setattr("lit_probe.lit.interpreters.neuron_evidence.top_words", None)
    other = ask(NAME, model, dataset, unit=8, **config)
    assert other["status"] == "ready" and other["name"] == "1:8"
    assert other["lowest"]["words"] == expected.of_unit(8).to_json()["lowest"]["words"]


def test_contexts_name_the_rows_that_lit_shows(encoder):
    study = computed(encoder, tiny_splits())
    (model,) = models_of([study], lambda splits: ProbeDataset(splits, max_shown=50))
    shown = IndexedDataset(base=model.dataset)
    texts = {row["_id"]: row["text"] for row in shown.examples}
    answer = answer_of(NAME, model, shown, part="words", layer=1, unit=7, split="train", top=30)
    contexts = [*answer["highest"]["contexts"], *answer["lowest"]["contexts"]]
    named = [context for context in contexts if context["id"] is not None]
    assert 0 < len(named) < len(contexts), "sanity: LIT shows some of the train rows"
    for context in named:
        text = texts[context["id"]]
        assert f"{context['before']}{context['shown']}{context['after']}" in text
        assert text == study.splits.train.texts[context["text"]]


def test_top_words_are_read_from_the_cache_by_the_next_server(encoder, tmp_path, monkeypatch):
    (model,) = models_of([computed(encoder, tiny_splits())])
    dataset = IndexedDataset(base=model.dataset)
    model.checks = PendingChecks(Cache(tmp_path))
    first = answer_of(NAME, model, dataset, part="words", layer=1, unit=7)
    monkeypatch.setattr("lit_probe.neurons.meaning.top_words._made", None)
    model.checks = PendingChecks(Cache(tmp_path))
    assert answer_of(NAME, model, dataset, part="words", layer=1, unit=7) == first


# ---- clusters


def test_clusters_are_those_of_the_train_rows_and_tell_which_one_a_neuron_is_in(model, dataset, study):
    train = study.activations["train"].layer(2)
    answer = answer_of(NAME, model, dataset, part="clusters", layer=2, threshold=0.6)
    assert answer.items() >= correlation_clusters(train, 0.6).to_json().items()
    assert (answer["n"], answer["cluster"]) == (80, None) and 1 < answer["n_clusters"] < 32
    for unit in (0, 31):
        found = ask(NAME, model, dataset, part="clusters", layer=2, threshold=0.6, unit=unit)
        assert unit in found["clusters"][found["cluster"]]["units"]
    ranked = answer_of(NAME, model, dataset, part="clusters", layer=2, threshold=0.6, method="mean_gap")
    order = rank_neurons(study, "mean_gap", 2).order
    assert ranked["independent"] == correlation_clusters(train, 0.6, order=order).independent.tolist()


# ---- factors


def test_factors_are_those_of_the_texts_that_are_sent(model, dataset, edit):
    answer = answer_of(NAME, model, dataset, *edit, part="factors", first=2, last="3", components=3, seed=1)
    expected = neuron_factors(model.encoder, [row["text"] for row in edit], (2, 3), 3, 1).to_json()
    first, second = (one.pop("aligned") for one in answer["texts"])
    assert answer.items() >= expected.items()
    tokens = [one["tokens"] for one in answer["texts"]]
    assert first is None and [None if at is None else tokens[0][at] for at in second] == [
        token if at is not None else None for token, at in zip(tokens[1], second, strict=True)
    ]
    assert second.count(None) < len(second)
    assert answer["rows"] == {"ids": [edit[0]["_id"], ""], "n_asked": 2, "source": "selection"}


@pytest.mark.parametrize(("text", "n"), [("good", 1), ("a good film", 2), ("a good film " * 3, 5), ("a good film " * 9, 10)])
def test_a_short_text_has_half_as_many_factors_as_tokens_where_no_number_is_asked_for(model, dataset, text, n):
    row = {**dataset.examples[0], "text": text}
    for asked in ({}, {"components": None}):
        answer = answer_of(NAME, model, dataset, row, part="factors", **asked)
        assert (answer["status"], len(answer["factors"]), answer["n_components"]) == ("ready", n, n)


def test_without_texts_the_factors_are_those_of_a_sample_of_dev_rows(model, dataset):
    answer = answer_of(NAME, model, dataset, part="factors", components=2, sample=6)
    assert answer["layers"] == [1, 2, 3] and answer["n_texts"] == 6
    assert answer["rows"]["source"] == "dev" and answer["rows"]["n_asked"] == 40
    assert set(answer["rows"]["ids"]) <= {row["_id"] for row in of_split(dataset, "dev")}


class _OwnLinear(torch.nn.Module):
    """A linear map that is no torch.nn.Linear, as quantised ones are."""

    def __init__(self, linear):
        super().__init__()
        self.weight, self.bias = linear.weight, linear.bias

    def forward(self, x):
        return torch.nn.functional.linear(x, self.weight, self.bias)


def test_a_block_without_a_feed_forward_part_is_a_sentence(tiny_folder):
    encoder = load_encoder(str(tiny_folder()))
    (model,) = models_of([computed(encoder, tiny_splits())])
    dataset = IndexedDataset(base=model.dataset)
    for part in (encoder.model.encoder.layer[1].intermediate, encoder.model.encoder.layer[1].output):
        part.dense = _OwnLinear(part.dense)
    answer = answer_of(NAME, model, dataset, dataset.examples[0], part="factors", components=2)
    assert answer["status"] == "failed" and "no feed-forward" in answer["message"]
    assert "encoder.layer.1.intermediate.dense" in answer["message"], "it says which module was expected"
    first_block = answer_of(NAME, model, dataset, dataset.examples[0], part="factors", components=2, last=1)
    assert first_block["status"] == "ready" and first_block["layers"] == [1]


# ---- bad input


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"part": "distribution", "layer": 9, "unit": 0}, "Unknown layer 9"),
        ({"part": "distribution", "layer": 1, "unit": 32}, "Unknown neuron 32. Layer 1 has neurons 0 to 31"),
        ({"part": "column", "layer": 1, "unit": "abc"}, "Layer 1 has no neuron 'abc'. Its neurons are 1:0 to 1:31."),
        ({"part": "tokens", "layer": 1, "units": [3, "2:3"]}, "Layer 1 has no neuron '2:3'"),
        ({"part": "tokens", "layer": 1, "units": ["x:3"]}, "Layer 1 has no neuron 'x:3'"),
        ({"part": "words", "layer": 1, "unit": -1}, "Unknown neuron -1"),
        ({"part": "words", "layer": 1, "unit": 1, "min_count": 1_000}, ""),
        ({"part": "clusters", "layer": 1, "unit": 99}, "Unknown neuron 99"),
        ({"part": "factors", "first": 0}, "There are no blocks 0 to 3"),
        ({"part": "factors", "components": 50}, "50 factors were asked for"),
    ],
)
def test_what_there_is_not_is_a_sentence(model, dataset, edit, config, said):
    answer = answer_of(NAME, model, dataset, edit[0], **config)
    if said:
        assert answer["status"] == "failed" and said in answer["message"], answer
    else:
        assert answer["highest"]["words"] == [] and answer["highest"]["contexts"]


def test_activations_that_are_not_finite_are_a_sentence(encoder):
    pending = computed(encoder, tiny_splits())
    (model,) = models_of([pending])
    dataset = IndexedDataset(base=model.dataset)
    for split in ("train", "dev"):
        pending.result().activations[split].blocks[0].values[2][0, 7] = np.nan
    for config in ({"part": "distribution", "unit": 7}, {"part": "column", "unit": 7}, {"part": "clusters"}):
        rows = of_split(dataset, "dev") if config["part"] == "column" else []
        answer = answer_of(NAME, model, dataset, *rows, layer=2, **config)
        assert answer["status"] == "failed" and "NaN or infin" in answer["message"]
    assert ask(NAME, model, dataset, part="distribution", layer=2, unit=8)["status"] == "ready"


def test_more_texts_than_can_be_answered_at_once_are_a_sentence(model, dataset):
    for rows, n in ((dataset.examples[:21], "21"), ([], "0")):
        answer = ask(NAME, model, dataset, *rows, part="tokens", layer=1, unit=1)
        assert answer["status"] == "failed" and f"1 to 20 texts are shown at a time; {n} were sent." in answer["message"]


def test_it_waits_for_the_probes(encoder):
    (model,) = models_of([PendingStudy(encoder, tiny_splits())])
    assert ask(NAME, model, model.dataset, part="distribution", unit=1)["status"] == "computing"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, "'part' must be named"),
        ({"part": "dreams"}, "Unknown part 'dreams'. Choose one of: clusters, column, "),
        ({"part": "distribution"}, "'unit' must name a neuron"),
        ({"part": "distribution", "unit": 1.5}, "'unit' must name a neuron"),
        ({"part": "distribution", "unit": True}, "'unit' must name a neuron"),
        ({"part": "distribution", "unit": 1, "split": "test"}, "Unknown split 'test'"),
        ({"part": "distribution", "unit": 1, "top": 3}, "but not top"),
        ({"part": "column", "unit": 1, "layer": "all"}, "'layer' must be a whole number"),
        ({"part": "tokens"}, "Name one neuron as 'unit', or several as 'units'"),
        ({"part": "tokens", "unit": 1, "units": [1]}, "Name one neuron as 'unit', or several as 'units'"),
        ({"part": "tokens", "units": "1"}, "'units' must be a list of neurons"),
        ({"part": "tokens", "units": []}, "Name 1 to 20 neurons; 0 were named"),
        ({"part": "words", "unit": 1, "top": 0}, "'top' must be a whole number from 1 to 100"),
        ({"part": "clusters", "threshold": 2}, "'threshold' must be a number from 0 to 1"),
        ({"part": "factors", "layer": 1}, "but not layer"),
        ({"part": "factors", "components": 51}, "'components' must be a whole number from 1 to 50"),
    ],
)
def test_a_question_that_cannot_be_understood_is_refused(model, dataset, config, said):
    with pytest.raises(LitProbeError, match=said):
        interpreter.run([], model, dataset, config=config)


def test_it_offers_itself_for_our_models_only(model, dataset):
    assert interpreter.is_compatible(caching.CachingModelWrapper(model, "m"), dataset)
    assert not interpreter.is_compatible(PCAModel(n_components=2), Dataset())
    assert interpreter.config_spec()["part"].vocab == list(EVIDENCE_PARTS) and "decodable" in interpreter.description()

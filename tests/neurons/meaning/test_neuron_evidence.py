"""One neuron's activations: by class against scikit-learn, on every token against an ordinary pass."""

import dataclasses
import json

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from lit_probe.data import split_texts
from lit_probe.encoder.activations import Activations
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import LitProbeError, UnknownNameError
from lit_probe.neurons.meaning.neuron_evidence import ActivationDistribution, activation_distribution, token_activations
from lit_probe.probing.study import LayerStudy, probe_layers


@pytest.fixture(scope="module")
def study(tiny_folder):
    """Probes of a tiny encoder for which of three words stands at the end."""
    random = np.random.default_rng(0)
    words = "the a film plot story acting music slow fast is was very more".split()
    labels = [i % 3 for i in range(240)]
    texts = [f"{' '.join(random.choice(words, size=6))} {('great', 'bad', 'dull')[label]}" for label in labels]
    return probe_layers(load_encoder(str(tiny_folder())), split_texts(texts, labels))


def with_dev(study, values, labels=None):
    """The study with other dev activations of neuron 4 at layer 2, and other dev labels."""
    array = study.activations["dev"].values.copy()
    array[:, 2, 4] = values
    splits = study.splits
    if labels is not None:
        splits = dataclasses.replace(splits, dev=dataclasses.replace(splits.dev, labels=np.asarray(labels)))
    return LayerStudy(study.encoder, splits, {**study.activations, "dev": Activations.from_array(array)}, study.layerwise, 0)


def test_the_distribution_of_each_class_agrees_with_the_activations(study):
    answer = activation_distribution(study, 2, 4)
    written = answer.to_json()
    again = ActivationDistribution.from_json(json.loads(json.dumps(written, allow_nan=False)))
    assert again.to_json() == written
    values, labels = study.activations["dev"].layer(2)[:, 4].astype(float), study.splits.dev.labels
    assert (answer.name, answer.split, answer.pooling, answer.n) == ("2:4", "dev", "mean", len(labels))
    assert len(answer.edges) == 31
    assert answer.edges[0] == values.min()
    assert answer.edges[-1] == values.max()
    for c, row in enumerate(answer.classes):
        mine = labels == c
        assert sum(row.counts) == row.n == mine.sum()
        assert row.counts.tolist() == np.histogram(values[mine], answer.edges)[0].tolist()
        assert row.mean == pytest.approx(values[mine].mean())
        assert row.std == pytest.approx(values[mine].std())
        assert row.auroc == pytest.approx(roc_auc_score(mine, values))
        assert row.auroc_low <= row.auroc <= row.auroc_high
        assert 0 < row.overlap < 1
    train = activation_distribution(study, 2, 4, "train", n_bins=7)
    assert [len(row.counts) for row in train.classes] == [7, 7, 7]
    assert train.n == len(study.splits.train)


def test_a_neuron_that_separates_a_class_shares_nothing_with_the_rest(study):
    labels = study.splits.dev.labels
    row = activation_distribution(with_dev(study, np.where(labels == 1, 10.0, 0.0)), 2, 4).classes[1]
    assert (row.auroc, row.overlap) == (1.0, 0.0)
    constant = activation_distribution(with_dev(study, 3.0), 2, 4).classes[1]
    assert (constant.auroc, constant.overlap) == (0.5, 1.0)


def test_a_class_without_rows_has_no_numbers(study):
    labels = np.arange(len(study.splits.dev)) % 2
    rows = activation_distribution(with_dev(study, study.activations["dev"].layer(2)[:, 4], labels), 2, 4).classes
    assert [row.n > 0 for row in rows] == [True, True, False]
    assert sum(rows[2].counts) == 0
    assert {getattr(rows[2], name) for name in ("mean", "std", "overlap", "auroc", "auroc_low", "auroc_high")} == {None}


def test_what_has_no_distribution_is_told(study):
    with pytest.raises(UnknownNameError, match="Unknown neuron 99"):
        activation_distribution(study, 2, 99)
    with pytest.raises(UnknownNameError, match="Unknown layer -1"):
        activation_distribution(study, -1, 0)
    with pytest.raises(UnknownNameError, match="Unknown split 'valid'"):
        activation_distribution(study, 2, 4, "valid")
    with pytest.raises(LitProbeError, match="one bin or more; got 0"):
        activation_distribution(study, 2, 4, n_bins=0)
    broken = with_dev(study, study.activations["dev"].layer(2)[:, 4])
    broken.activations["dev"].blocks[0].values[2][:3, 4] = np.nan
    with pytest.raises(LitProbeError, match=r"Neuron 2:4: 3 of \d+ dev activations are NaN"):
        activation_distribution(broken, 2, 4)


def test_every_token_has_the_value_of_an_ordinary_pass_whatever_stands_beside_it(tiny_encoder):
    texts = ["A great film, zq!", "the plot is slow and the acting is bad but we loved the music", ""]
    found = token_activations(tiny_encoder, texts, 2, [30, 1])
    for text, one in zip(texts, found, strict=True):
        hidden = tiny_encoder.forward(tiny_encoder.encode([text])).layers[2][0].numpy()
        np.testing.assert_allclose(one.values, hidden[:, [30, 1]].T, atol=1e-5)
        assert one.special == (True, *[False] * (len(one.tokens) - 2), True)
        (alone,) = token_activations(tiny_encoder, text, 2, [30, 1])
        np.testing.assert_allclose(alone.values, one.values, atol=1e-5)
    first = found[0]
    assert first.tokens == ("[CLS]", "a", "great", "film", ",", "z", "##q", "!", "[SEP]")
    assert first.words == (None, 0, 1, 2, 3, 4, 4, 5, None)
    assert first.word_texts == ("A", "great", "film", ",", "zq", "!")
    answer = first.to_json()
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    assert [neuron["name"] for neuron in answer["neurons"]] == ["2:30", "2:1"]
    assert [len(neuron["values"]) for neuron in answer["neurons"]] == [9, 9]
    assert found[2].tokens == ("[CLS]", "[SEP]")


def test_words_that_were_not_read_are_told(tiny_folder):
    encoder = load_encoder(str(tiny_folder()), max_length=4)
    (one,) = token_activations(encoder, "a very good film", 1, [0])
    assert one.words_beyond_limit == ("good", "film")
    assert one.values.shape == (1, 4)


def test_neurons_and_texts_must_be_there(tiny_encoder):
    with pytest.raises(UnknownNameError, match="Unknown neuron -1"):
        token_activations(tiny_encoder, "good", 1, [-1])
    with pytest.raises(LitProbeError, match="no neuron to show"):
        token_activations(tiny_encoder, "good", 1, [])
    with pytest.raises(LitProbeError, match="no text to show"):
        token_activations(tiny_encoder, [], 1, [0])

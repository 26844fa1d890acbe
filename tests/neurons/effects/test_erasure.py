"""After LEACE nothing linear is left on the rows it was fitted to; random directions of the same rank leave the concept."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from lit_probe.data import split_texts
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import CancelledError
from lit_probe.neurons.effects.erasure import Erasure, erase_concept, leace
from lit_probe.probing.probes.training_data import standardisation, standardised
from lit_probe.probing.study import probe_layers


@pytest.fixture(scope="module")
def study(tiny_folder):
    random = np.random.default_rng(0)
    words = "the a film plot story acting music slow fast is was very more".split()
    texts = [" ".join(random.choice(words, size=6)) for _ in range(400)]
    labels = [int(i % 2 == 0) for i in range(400)]
    return probe_layers(
        load_encoder(str(tiny_folder())),
        split_texts([f"{text} great" if label else text for text, label in zip(texts, labels, strict=True)], labels),
    )


def train_accuracy(rows, labels):
    return LogisticRegression(C=np.inf, max_iter=5_000, tol=1e-8).fit(rows, labels).score(rows, labels)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_after_leace_an_unregularised_probe_falls_to_the_majority_rate_on_train(n_classes):
    random = np.random.default_rng(1)
    labels = random.choice(n_classes, size=900, p=[0.6, 0.4] if n_classes == 2 else [0.5, 0.3, 0.2])
    x = random.normal(size=(900, 12)) @ random.normal(size=(12, 12))
    x[:, :n_classes] += 3 * np.eye(n_classes)[labels]
    majority = np.bincount(labels).max() / len(labels)

    assert train_accuracy(x, labels) > majority + 0.2
    erased = leace(x, labels, n_classes)(x)
    assert train_accuracy(erased, labels) == pytest.approx(majority, abs=0.01)
    # It changes no more than it must: what is far from the concept stays.
    assert np.square(erased - x).sum() < np.square(x - x.mean(axis=0)).sum()


@pytest.mark.parametrize("layer", range(4))
def test_at_every_layer_of_a_study_too_nothing_linear_is_left_on_train(study, layer):
    train = study.splits.train
    majority = np.bincount(train.labels).max() / len(train)
    x = study.activations["train"].layer(layer)
    rows = standardised(x, *standardisation(x))
    if layer:
        assert train_accuracy(rows, train.labels) == 1.0
    erased = leace(rows, train.labels, 2)(rows)
    assert train_accuracy(erased, train.labels) == pytest.approx(majority, abs=0.02)


def test_the_concept_goes_with_leace_and_stays_without_random_directions(study):
    answer = erase_concept(study)
    assert answer.rank == 1
    assert Erasure.from_json(answer.to_json()) == answer
    assert [row.layer for row in answer.layers] == [0, 1, 2, 3]
    for row in answer.layers[1:]:
        assert row.before == 1.0
        assert row.after < 0.7
        assert row.random > 0.95
        assert row.after_low <= row.after <= row.after_high


def test_progress_is_told_and_can_cancel(study):
    told = []
    erase_concept(study, lambda done, total: told.append(done / total))
    assert told == sorted(told)
    assert told[-1] == 1.0

    def stop(done, total):
        raise CancelledError("enough")

    with pytest.raises(CancelledError):
        erase_concept(study, stop)

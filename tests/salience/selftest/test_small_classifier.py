"""The small transformer learns what it is shown, is a `Forward` like any other, and stops when told to."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.errors import CancelledError
from lit_probe.salience.selftest.small_classifier import BATCH_SIZE, train_small_classifier

COMMON = "the movie plot story scene music a was is of and".split()


def drawing(seed: int, decides: bool = True):
    """Texts of common words; those of class 1 hold one word more, unless it decides nothing."""
    random = np.random.default_rng(seed)

    def draw(n: int):
        labels = random.integers(2, size=n)
        shown = labels if decides else random.integers(2, size=n)
        texts = [" ".join(random.permutation([*random.choice(COMMON, 7), "awful" if one else "fine"])) for one in shown]
        return texts, labels

    return draw


def accuracy(classifier, encoder, seed: int = 9) -> float:
    texts, labels = drawing(seed)(400)
    return float((classifier.logits_of(encoder.encode(texts)).argmax(axis=1) == labels).mean())


@pytest.fixture
def trained(tiny_encoder):
    return train_small_classifier(tiny_encoder, drawing(0), ("no", "yes"), max_steps=300)


def test_it_learns_one_word_and_stops_when_it_has(trained, tiny_encoder):
    assert trained.n_steps < 300
    assert accuracy(trained, tiny_encoder) >= 0.99


def test_it_stays_at_chance_where_nothing_decides(tiny_encoder):
    classifier = train_small_classifier(tiny_encoder, drawing(0, decides=False), ("no", "yes"), max_steps=40)
    assert classifier.n_steps == 40
    assert abs(accuracy(classifier, tiny_encoder) - 0.5) < 0.25


def test_its_logits_are_opposite_and_the_same_alone_as_in_a_batch(trained, tiny_encoder):
    texts = tiny_encoder.encode(["awful", "the movie was awful and the plot of it was fine", "fine plot"])
    together = trained.logits_of(texts)
    assert np.array_equal(together[:, 0], -together[:, 1])
    assert np.allclose(together, [trained.logits_of([text])[0] for text in texts], atol=1e-5)


def test_its_differentiable_path_gives_the_same_logits_and_a_gradient(trained, tiny_encoder):
    [text] = tiny_encoder.encode(["the movie was awful"])

    def both():
        embeddings = trained.embeddings(text).unsqueeze(0).clone().requires_grad_()
        logits = trained.of_text(text)(embeddings)
        logits[0, 1].backward()
        return logits.detach().numpy(), embeddings.grad

    logits, gradient = on_encoder_thread(both)
    assert np.allclose(logits, trained.logits_of([text]), atol=1e-5)
    assert gradient.abs().sum() > 0


def test_the_same_seed_gives_the_same_classifier_and_torchs_own_seed_stays(tiny_encoder):
    [text] = tiny_encoder.encode(["the movie was awful"])
    before = on_encoder_thread(torch.random.get_rng_state)
    logits = [
        train_small_classifier(tiny_encoder, drawing(0), ("no", "yes"), seed, max_steps=3).logits_of([text]) for seed in (1, 1, 2)
    ]
    assert torch.equal(on_encoder_thread(torch.random.get_rng_state), before)
    assert np.array_equal(logits[0], logits[1]) and not np.allclose(logits[0], logits[2])


def test_training_ends_when_told_to(tiny_encoder):
    drawn = []

    def draw(n: int):
        drawn.append(n)
        return drawing(0)(n)

    def stop() -> None:
        if len(drawn) == 2:
            raise CancelledError("no longer wanted")

    with pytest.raises(CancelledError):
        train_small_classifier(tiny_encoder, draw, ("no", "yes"), check=stop)
    assert drawn == [BATCH_SIZE] * 2

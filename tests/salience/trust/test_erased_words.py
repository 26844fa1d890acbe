"""On a model whose words have known weights: the oracle's ranking is the best there is, and no ranking passes the limits."""

import itertools

import numpy as np
import pytest
from explained_words import BagOfWords, planted_forward

from lit_probe.encoder.encoder import load_encoder
from lit_probe.probing.probe_forward import Target
from lit_probe.salience.trust.erased_words import SHARES, ErasedWords, top_sizes
from lit_probe.salience.trust.judged_texts import judged_texts
from lit_probe.salience.trust.remembered_forward import RememberedForward

WEIGHTS = {"great": 2.0, "good": 1.1, "fine": 0.6, "dull": -0.7, "awful": -2.0, "movie": 0.15, "the": -0.05, "slow": -0.3}
SHORT = "the movie was great but slow"
LONG = "the movie was good and the acting is fine but the plot is slow , never great"


@pytest.fixture(scope="module")
def encoder(tiny_folder):
    return load_encoder(str(tiny_folder()))


def erased(forward, text: str, replace: str = "mask", scalar: str = "logit", map_scalar: str = "logit") -> ErasedWords:
    [judged], _ = judged_texts(forward, [text])
    return ErasedWords(forward, judged, replace, scalar, map_scalar)


def oracle(text: str) -> np.ndarray:
    return np.array([WEIGHTS.get(word, 0.0) for word in text.split()])


def random() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("replace", ["mask", "unk", "delete"])
@pytest.mark.parametrize("text", [SHORT, LONG])
def test_the_oracle_attains_the_best_limits_and_its_opposite_the_worst(encoder, text, replace):
    one = erased(BagOfWords(encoder, WEIGHTS), text, replace)
    limits, best, worst = one.limits(), one.quality(oracle(text), random()), one.quality(-oracle(text), random())
    assert limits.exhaustive == (text == SHORT)
    assert (best.comprehensiveness, worst.comprehensiveness) == pytest.approx(limits.comprehensiveness)
    assert (best.sufficiency, worst.sufficiency) == pytest.approx(limits.sufficiency)
    assert limits.comprehensiveness[0] > limits.comprehensiveness[1] + 0.5
    assert limits.sufficiency[0] < limits.sufficiency[1] - 0.5
    assert best.tau_loo == 1 and worst.tau_loo == -1


def test_the_measures_are_the_areas_that_the_weights_give(encoder):
    words = LONG.split()
    order = np.argsort(-oracle(LONG) - np.arange(len(words)) * 1e-6)
    falls = [oracle(LONG)[order[:size]].sum() for size in top_sizes(len(words))]
    one = erased(BagOfWords(encoder, WEIGHTS), LONG).quality(oracle(LONG), random())
    assert one.comprehensiveness == pytest.approx(np.mean(falls))
    assert one.sufficiency == pytest.approx(oracle(LONG).sum() - np.mean(falls))
    assert one.logits[:, 1] == pytest.approx(oracle(LONG).sum() - np.array(falls))
    assert len(one.logits) == len(SHARES)


def test_on_average_a_random_ranking_takes_its_share_of_the_words(encoder):
    one, n = erased(BagOfWords(encoder, WEIGHTS), LONG), len(LONG.split())
    draws = random()
    qualities = [one.quality(draws.permutation(n).astype(float), draws) for _ in range(600)]
    falls = np.array([quality.comprehensiveness for quality in qualities])
    expected = oracle(LONG).sum() * np.mean(top_sizes(n)) / n
    assert abs(falls.mean() - expected) < 4 * falls.std() / np.sqrt(len(falls))
    assert abs(np.mean([quality.tau_loo for quality in qualities])) < 0.05
    assert falls.mean() < one.limits().comprehensiveness[0] / 2


@pytest.mark.parametrize("scalar", ["logit", "probability", "margin"])
def test_for_few_words_no_order_at_all_passes_the_limits(encoder, scalar):
    text = "the plot was great never"
    one = erased(RememberedForward(planted_forward(encoder, "great", layer=2)), text, scalar=scalar)
    limits = one.limits()
    found = [one.quality(np.array(order, dtype=float), random()) for order in itertools.permutations(range(5))]
    comprehensiveness = [quality.comprehensiveness for quality in found]
    sufficiency = [quality.sufficiency for quality in found]
    assert (max(comprehensiveness), min(comprehensiveness)) == pytest.approx(limits.comprehensiveness)
    assert (min(sufficiency), max(sufficiency)) == pytest.approx(limits.sufficiency)
    assert np.ptp(comprehensiveness) > 1e-3


def test_only_the_ids_of_erased_words_change(encoder):
    class Watched(BagOfWords):
        def logits_of(self, texts, check=None):
            seen.extend(texts)
            return super().logits_of(texts, check)

    seen = []
    text = "the zqx-music wasn't great"  # words of several tokens, which decoding would change
    one = erased(Watched(encoder, WEIGHTS), text)
    one.quality(np.array([3.0, 2.0, 1.0, 0.0]), random())
    [original] = encoder.encode([text])
    mask = encoder.tokenizer.mask_token_id
    assert any(mask in row.ids for row in seen)
    for row in seen:
        assert all(new in (old, mask) for new, old in zip(row.ids, original.ids, strict=True))
        assert [row.ids[0], row.ids[-1]] == [original.ids[0], original.ids[-1]]


def test_words_of_equal_score_stand_in_an_order_that_the_seed_decides(encoder):
    one = erased(BagOfWords(encoder, WEIGHTS), LONG)
    nothing = np.zeros(one.n_words)
    first, again = (one.quality(nothing, np.random.default_rng(5)).comprehensiveness for _ in range(2))
    others = {one.quality(nothing, np.random.default_rng(seed)).comprehensiveness for seed in range(20)}
    assert first == again
    assert len(others) > 10
    assert np.isnan(one.quality(nothing, random()).tau_loo), "equal scores order nothing"


def test_leave_one_out_falls_are_the_weights(encoder):
    assert erased(BagOfWords(encoder, WEIGHTS), SHORT).leave_one_out() == pytest.approx(oracle(SHORT))


def test_a_remembered_forward_says_the_same_and_runs_each_row_once(encoder):
    counted = BagOfWords(encoder, WEIGHTS)
    forward = RememberedForward(counted)
    rows = encoder.encode([SHORT, LONG, SHORT])
    np.testing.assert_array_equal(forward.logits_of(rows), BagOfWords(encoder, WEIGHTS).logits_of(rows))
    calls = counted.n_calls
    forward.logits_of(rows[::-1])
    assert counted.n_calls == calls == 1
    assert forward.logits_of([]).shape == (0, 2)
    real = planted_forward(encoder, "great")
    remembered = RememberedForward(real)
    assert remembered.name == real.name and remembered.layer == real.layer
    np.testing.assert_allclose(
        remembered.scalar_of(remembered.logits_of(rows[:1]), Target(1)), real.scalar_of(real.logits_of(rows[:1]), Target(1))
    )

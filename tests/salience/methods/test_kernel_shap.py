"""KernelSHAP gives Shapley values where all texts are read, always adds up, and equals captum's for the same masks."""

import itertools
import math

import numpy as np
import pytest
import torch
from captum.attr import KernelShap
from explained_words import BagOfWords, by_word, planted_forward, read

from lit_probe.encoder.tokens import EncodedText
from lit_probe.probing.probe_forward import Target
from lit_probe.salience.methods.kernel_shap import compute, shap_masks, shapley_kernel, shapley_regression
from lit_probe.salience.methods.perturbations import AskedText, all_masks
from lit_probe.salience.options import SalienceOptions

LONG = "the movie was slow and the plot was dull , but it was not awful : we loved the music and the ending"
SIZES = list(itertools.product([1, 2, 3, 8, 9, 20, 62, 63, 64, 300, 2000], [2, 3, 255, 256]))
TWELVE = "the plot was dull and it was not awful , we loved"


def tangled(encoder) -> BagOfWords:
    """A model whose words work together and against each other."""
    together = {("not", "awful"): -3.0, ("plot", "dull"): 1.0, ("x", "awful"): 0.5}
    return BagOfWords(encoder, {"awful": 2.0, "dull": 1.0, "loved": -2.0}, together, torch.tanh)


def brute_force(forward, text, words, target) -> list[float]:
    """Shapley values as they are defined: the mean rise over all orders, grouped by who joined before."""
    n = len(words.texts)
    mask_id = forward.encoder.tokenizer.mask_token_id

    def number(coalition):
        ids = [i if word is None or word in coalition else mask_id for i, word in zip(text.ids, words.of_token, strict=True)]
        return float(forward.scalar_of(forward.logits_of([EncodedText(ids, text.special, [], [], False)]), target)[0])

    subsets = [frozenset(c) for size in range(n + 1) for c in itertools.combinations(range(n), size)]
    numbers = {coalition: number(coalition) for coalition in subsets}
    orders = {coalition: math.factorial(len(coalition)) * math.factorial(n - 1 - len(coalition)) for coalition in subsets[:-1]}
    return [
        sum(orders[c] * (numbers[c | {word}] - numbers[c]) for c in subsets if word not in c) / math.factorial(n)
        for word in range(n)
    ]


@pytest.mark.parametrize("text", ["awful", "not awful", "a plot so dull", "xyz was not awful , dull"])
@pytest.mark.parametrize("scalar", ["logit", "probability"])
def test_scores_are_shapley_values_where_all_texts_are_read(tiny_encoder, text, scalar):
    forward, target = tangled(tiny_encoder), Target(1, scalar)
    text, words = read(tiny_encoder, text)
    assert len(words.texts) <= 6
    made = compute(AskedText(forward, text, words, target), SalienceOptions())
    assert by_word(made.scores, words) == pytest.approx(brute_force(forward, text, words, target), abs=1e-9)
    assert made.diagnostics["enumerated"] == 1 and made.diagnostics["n_samples"] == 2 ** len(words.texts)


def test_scores_of_a_real_encoders_probe_are_shapley_values(tiny_encoder):
    forward, target = planted_forward(tiny_encoder, "awful"), Target(1)
    text, words = read(tiny_encoder, "an awful xyz movie")
    made = compute(AskedText(forward, text, words, target), SalienceOptions())
    found = by_word(made.scores, words)
    assert found == pytest.approx(brute_force(forward, text, words, target), abs=1e-5)
    assert words.texts[int(np.argmax(found))] == "awful"


@pytest.mark.parametrize("replace", ["mask", "unk", "delete"])
@pytest.mark.parametrize("samples", [2, 3, 30, 256])
def test_scores_always_sum_to_what_all_words_change(tiny_encoder, samples, replace):
    forward, target = tangled(tiny_encoder), Target(1)
    text, words = read(tiny_encoder, LONG)
    empty = EncodedText([text.ids[0], text.ids[-1]], [True, True], [], [], False)
    full_and_empty = forward.scalar_of(forward.logits_of([text, empty]), target)
    made = compute(AskedText(forward, text, words, target), SalienceOptions(samples=samples, replace=replace))
    assert made.scores.sum() == pytest.approx(full_and_empty[0] - full_and_empty[1], abs=1e-9)
    assert abs(made.scores.sum()) > 0.5
    assert made.scores[[0, -1]].tolist() == [0, 0]


def captums_values(forward, text, words, target):
    """``number(masks)`` for captum: it gets masks as its input, ones and zeros, and its own ids to put in."""
    word_of_token = torch.tensor([-1 if word is None else word for word in words.of_token])
    mask_id = forward.encoder.tokenizer.mask_token_id
    seen = []

    def number(masks):
        seen.append(masks.bool().numpy())
        out = (masks[:, word_of_token.clamp(min=0)] == 0) & (word_of_token >= 0)
        ids = torch.tensor([text.ids]).expand(len(masks), -1).masked_fill(out, mask_id)
        rows = [EncodedText(row, text.special, [], [], False) for row in ids.tolist()]
        return torch.from_numpy(forward.scalar_of(forward.logits_of(rows), target))

    return number, seen


def test_scores_equal_captums_for_the_masks_and_weights_that_captum_draws(tiny_encoder):
    forward, target = planted_forward(tiny_encoder, "awful"), Target(1)
    text, words = read(tiny_encoder, TWELVE)
    number, seen = captums_values(forward, text, words, target)
    torch.manual_seed(0)
    n = len(words.texts)
    expected = KernelShap(number).attribute(torch.ones(1, n), baselines=0.0, n_samples=150)[0].tolist()
    # captum draws with repetition, gives every mask one weight, and begins with the full and the empty one.
    masks = np.concatenate(seen)[[0, *range(2, 150), 1]]
    assert masks[0].all() and not masks[-1].any()
    values = number(torch.from_numpy(masks).float()).numpy()
    scores, _ = shapley_regression(masks, values, np.ones(148))
    # captum's arithmetic is in single precision, and its constraint a weight of a million.
    assert scores == pytest.approx(expected, abs=1e-3 * np.abs(expected).max())


@pytest.mark.parametrize("text", ["the plot was not awful", TWELVE])
def test_scores_equal_captums_for_our_masks_and_weights(tiny_encoder, text):
    forward, target, options = planted_forward(tiny_encoder, "awful"), Target(1), SalienceOptions(samples=150)
    text, words = read(tiny_encoder, text)
    n = len(words.texts)
    masks = shap_masks(n, options.samples, options.seed)
    weights = shapley_kernel(masks)
    weight_of = {mask.tobytes(): weight / weights.mean() for mask, weight in zip(masks[1:-1], weights, strict=True)}

    def perturb(_, **__):
        yield from torch.from_numpy(masks).long().unsqueeze(1)

    shap = KernelShap(captums_values(forward, text, words, target)[0])
    shap.perturb_func = perturb
    shap.similarity_func = lambda _, __, mask, **___: torch.tensor(
        [weight_of.get(mask.bool().numpy().tobytes(), shap.inf_weight)]
    )
    expected = shap.attribute(torch.ones(1, n), baselines=0.0, n_samples=len(masks))[0].tolist()
    made = compute(AskedText(forward, text, words, target), options)
    assert by_word(made.scores, words) == pytest.approx(expected, abs=1e-3 * np.abs(expected).max())


@pytest.mark.parametrize("n_words", [2, 3, 6, 9])
def test_the_kernel_of_all_masks_is_shapleys(n_words):
    sizes = all_masks(n_words)[1:-1].sum(axis=1)
    expected = [(n_words - 1) / (math.comb(n_words, k) * k * (n_words - k)) for k in sizes.tolist()]
    assert shapley_kernel(all_masks(n_words)) == pytest.approx(expected)


@pytest.mark.parametrize("n_words", [10, 11, 40, 300])
def test_the_kernel_of_drawn_masks_has_the_whole_mass(n_words):
    masks = shap_masks(n_words, 256, 0)
    mass = sum((n_words - 1) / (k * (n_words - k)) for k in range(1, n_words))
    assert shapley_kernel(masks).sum() == pytest.approx(mass)


@pytest.mark.parametrize(("n_words", "n_samples"), SIZES)
def test_no_mask_comes_twice_and_each_comes_with_its_complement(n_words, n_samples):
    masks = shap_masks(n_words, n_samples, 0)
    found = {row.tobytes() for row in masks}
    assert len(found) == len(masks) == min(2**n_words, n_samples // 2 * 2)
    assert found == {row.tobytes() for row in ~masks}
    assert masks[0].all() and not masks[-1].any()


def test_drawn_masks_come_near_to_the_exact_scores(tiny_encoder):
    forward, target = tangled(tiny_encoder), Target(1)
    text, words = read(tiny_encoder, TWELVE)
    exact = compute(AskedText(forward, text, words, target), SalienceOptions(samples=4096))
    assert len(words.texts) == 12 and exact.diagnostics["enumerated"] == 1
    drawn = [compute(AskedText(forward, text, words, target), SalienceOptions(seed=seed)) for seed in range(20)]
    errors = np.array([one.scores - exact.scores for one in drawn])
    largest = np.abs(exact.scores).max()
    assert np.abs(errors).max() < 0.2 * largest
    assert np.abs(errors.mean(axis=0)).max() < 0.02 * largest
    assert np.abs(errors).max() > 1e-6 and drawn[0].diagnostics["n_samples"] == 256


def test_an_additive_models_weights_are_found_exactly_also_from_drawn_masks(tiny_encoder):
    weights = {"awful": 3.0, "dull": 1.0, "loved": -2.0}
    text, words = read(tiny_encoder, LONG)
    made = compute(AskedText(BagOfWords(tiny_encoder, weights), text, words, Target(1)), SalienceOptions())
    assert by_word(made.scores, words) == pytest.approx([weights.get(word, 0.0) for word in words.texts], abs=1e-9)
    assert made.diagnostics["r2"] == pytest.approx(1)
    assert 22 < made.diagnostics["effective_samples"] <= 254


def test_more_words_than_samples_still_treat_all_words_alike(tiny_encoder):
    text, words = read(tiny_encoder, LONG)
    forward = BagOfWords(tiny_encoder, dict.fromkeys(words.texts, 1.0))
    made = compute(AskedText(forward, text, words, Target(1)), SalienceOptions(samples=12))
    assert by_word(made.scores, words) == pytest.approx([1.0] * len(words.texts), abs=1e-9)
    assert made.diagnostics["effective_samples"] < made.diagnostics["n_words"]


def test_a_seed_decides_what_is_drawn_and_all_texts_are_read_in_one_call(tiny_encoder):
    forward = tangled(tiny_encoder)

    def scores(text, seed):
        asked = AskedText(forward, *read(tiny_encoder, text), Target(1))
        return compute(asked, SalienceOptions(samples=64, seed=seed)).scores.tolist()

    first = scores(LONG, 0)
    assert forward.n_calls == 1
    assert first == scores(LONG, 0) != scores(LONG, 1)
    assert scores("not awful", 0) == scores("not awful", 1)

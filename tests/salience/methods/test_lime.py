"""LIME equals captum's for the same masks, kernel and surrogate; no text is read twice; planted words are found."""

import itertools

import numpy as np
import pytest
import torch
from captum._utils.models.linear_model import SkLearnRidge
from captum.attr import LimeBase
from captum.attr._core.lime import get_exp_kernel_similarity_function
from explained_words import BagOfWords, by_word, planted_forward, read
from lime.lime_text import LimeTextExplainer
from sklearn.linear_model import Ridge

from lit_probe.encoder.tokens import EncodedText
from lit_probe.errors import LitProbeError
from lit_probe.probing.probe_forward import Target
from lit_probe.salience.methods.lime import compute, kernel, lime_masks, ridge_alpha, surrogate, width_in
from lit_probe.salience.methods.perturbations import AskedText
from lit_probe.salience.options import SalienceOptions

SHORT = "an awful xyz movie"
SIZES = list(itertools.product([1, 2, 3, 8, 9, 20, 62, 63, 64, 300, 2000], [2, 3, 255, 256]))
LONG = "the movie was slow and the plot was dull , but it was not awful : we loved the music and the ending"


def captums_lime(forward, text, words, target, masks, alpha, width):
    """LimeBase of captum with the masks as its perturbations, on ids that captum's side replaces by itself."""
    ids = torch.tensor([text.ids])
    word_of_token = torch.tensor([-1 if word is None else word for word in words.of_token])
    mask_id = forward.encoder.tokenizer.mask_token_id

    def perturb(_, **__):
        yield from torch.from_numpy(masks).unsqueeze(1)

    def with_words_out(mask, original, **_):
        out = (~mask[0])[word_of_token.clamp(min=0)] & (word_of_token >= 0)
        return original.masked_fill(out, mask_id)

    def similarity(_, __, mask, **___):
        distance = 1 - torch.cosine_similarity(torch.ones(mask.shape[1]), mask[0].float(), dim=0)
        return torch.exp(-(distance**2) / width**2)

    def number(rows):
        texts = [EncodedText(row, text.special, [], [], False) for row in rows.tolist()]
        return torch.from_numpy(forward.scalar_of(forward.logits_of(texts), target))

    lime = LimeBase(number, SkLearnRidge(alpha=alpha), similarity, perturb, True, with_words_out, None)
    return lime.attribute(ids, n_samples=len(masks)).flatten().tolist()


@pytest.mark.parametrize(("text", "scalar"), [(SHORT, "logit"), (SHORT, "probability"), (LONG, "logit")])
def test_scores_equal_captums_lime_base(tiny_encoder, text, scalar):
    forward, target, options = planted_forward(tiny_encoder, "awful"), Target(1, scalar), SalienceOptions(samples=120, seed=3)
    text, words = read(tiny_encoder, text)
    made = compute(AskedText(forward, text, words, target), options)
    masks = lime_masks(len(words.texts), options.samples, options.seed)
    expected = captums_lime(forward, text, words, target, masks, made.diagnostics["ridge_alpha"], options.kernel_width)
    assert made.diagnostics["n_samples"] == len(masks)
    assert by_word(made.scores, words) == pytest.approx(expected, abs=1e-5)
    assert words.texts[int(np.argmax(expected))] == "awful"


def test_the_kernel_is_captums_up_to_the_meaning_of_its_width():
    masks = lime_masks(12, 60, 0)[1:]
    theirs = get_exp_kernel_similarity_function("cosine", 0.4 / np.sqrt(2))
    expected = [theirs(torch.ones(12), torch.from_numpy(mask).float(), None) for mask in masks]
    assert kernel(masks, 0.4) == pytest.approx(expected, abs=1e-6)


def test_scores_equal_those_of_the_lime_package_in_its_own_neighbourhood(tiny_encoder):
    """The package draws the texts, weighs them and fits; ours weighs and fits the same ones. Its default width is 25 of 100."""
    forward, target = planted_forward(tiny_encoder, "awful"), Target(1, "probability")
    mask = tiny_encoder.tokenizer.mask_token
    asked = []

    def classifier(texts):
        asked.extend(texts)
        logits = forward.logits_of(tiny_encoder.encode([text.replace("MASKED", mask) for text in texts]))
        values = forward.scalar_of(logits, target)
        return np.column_stack([1 - values, values])

    package = LimeTextExplainer(
        bow=False, split_expression=r"\s+", mask_string="MASKED", feature_selection="none", random_state=0
    )
    n_words, alpha = len(LONG.split()), 0.5
    found = package.explain_instance(LONG, classifier, num_features=n_words, num_samples=200, model_regressor=Ridge(alpha=alpha))
    theirs = [score for _, score in sorted(found.local_exp[1])]
    masks = np.array([[word != "MASKED" for word in text.split()] for text in asked])
    values = classifier(list(asked))[:, 1]
    ours, _ = surrogate(masks, values, kernel(masks, 0.25, "package"), alpha)
    assert len(theirs) == n_words and np.abs(theirs).max() > 1e-3
    assert ours == pytest.approx(theirs, abs=1e-9)
    # The paper's convention at the same number is another kernel, and at the number that is told with the map the same one.
    other, _ = surrogate(masks, values, kernel(masks, 0.25), alpha)
    assert np.abs(other - theirs).max() > 0.01 * np.abs(theirs).max()
    same, _ = surrogate(masks, values, kernel(masks, width_in("paper", 0.25, "package")), alpha)
    assert same == pytest.approx(theirs, abs=1e-9)


def test_a_whole_map_equals_the_packages_surrogate_of_our_neighbourhood(tiny_encoder):
    forward, target = planted_forward(tiny_encoder, "awful"), Target(1)
    options = SalienceOptions(samples=120, seed=3, kernel="package")
    text, words = read(tiny_encoder, LONG)
    asked = AskedText(forward, text, words, target)
    made = compute(asked, options)
    masks = lime_masks(len(words.texts), options.samples, options.seed)
    values = asked.values(asked.perturbed("mask"), masks)
    distances = 100 * (1 - np.sqrt(masks.mean(axis=1)))
    ridge = Ridge(alpha=made.diagnostics["ridge_alpha"])
    _, local, r2, _ = LimeTextExplainer(random_state=0).base.explain_instance_with_data(
        masks.astype(float), values[:, None], distances, 0, masks.shape[1], "none", ridge
    )
    assert by_word(made.scores, words) == pytest.approx([score for _, score in sorted(local)], abs=1e-9)
    assert made.diagnostics["r2"] == pytest.approx(r2)
    assert words.texts[int(np.argmax(by_word(made.scores, words)))] == "awful"


@pytest.mark.parametrize(("given", "other"), [("paper", "package"), ("package", "paper")])
def test_a_map_says_the_width_in_both_conventions_and_either_gives_the_same_map(tiny_encoder, given, other):
    asked = AskedText(BagOfWords(tiny_encoder, {"awful": 4.0}, curve=torch.tanh), *read(tiny_encoder, LONG), Target(1))
    made = compute(asked, SalienceOptions(kernel=given, kernel_width=0.3))
    assert made.diagnostics[f"width_in_{given}"] == pytest.approx(0.3)
    assert made.diagnostics["width_in_paper"] == pytest.approx(np.sqrt(2) * made.diagnostics["width_in_package"])
    again = compute(asked, SalienceOptions(kernel=other, kernel_width=made.diagnostics[f"width_in_{other}"]))
    assert again.scores == pytest.approx(made.scores, abs=1e-12)
    same_number = compute(asked, SalienceOptions(kernel=other, kernel_width=0.3))
    assert same_number.scores != pytest.approx(made.scores, abs=1e-5)


def test_the_kernel_falls_with_every_word_out_and_a_wide_one_does_not():
    masks = np.tri(7, 6, -1, dtype=bool)[::-1]
    weights = kernel(masks, 0.25)
    assert weights[0] == 1 and weights[-1] == pytest.approx(np.exp(-16))
    assert (np.diff(weights) < 0).all()
    assert kernel(masks, 1e9) == pytest.approx(1)
    assert kernel(masks, 1e-9).tolist() == [1, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(("n_words", "n_samples"), SIZES)
def test_no_mask_comes_twice_and_all_are_used_where_they_are_few(n_words, n_samples):
    masks = lime_masks(n_words, n_samples, 0)
    assert masks.shape == (min(2**n_words, n_samples), n_words)
    assert len({row.tobytes() for row in masks}) == len(masks)
    assert masks[0].all()


def test_as_many_masks_with_few_words_out_as_with_many():
    n_out = (~lime_masks(20, 256, 0)).sum(axis=1)
    counts = np.bincount(n_out, minlength=21)
    assert counts[0] == counts[20] == 1
    # 254 masks over 19 sizes, and no fewer where only one word is out or left.
    assert set(counts[1:20].tolist()) == {13, 14}


def test_an_additive_models_weights_are_found_in_texts_of_any_length(tiny_encoder):
    vocabulary = LONG.split()
    random = np.random.default_rng(0)
    weights = {word: float(random.normal()) for word in sorted(set(vocabulary))}
    forward = BagOfWords(tiny_encoder, weights)
    for n_words in (2, 5, len(vocabulary)):
        text, words = read(tiny_encoder, " ".join(vocabulary[:n_words]))
        made = compute(AskedText(forward, text, words, Target(1)), SalienceOptions())
        true = np.array([weights[word] for word in words.texts])
        assert by_word(made.scores, words) == pytest.approx(true, abs=0.03 * np.abs(true).max())
        assert made.diagnostics["r2"] > 0.999
        assert made.scores[[0, -1]].tolist() == [0, 0]


@pytest.mark.parametrize("replace", ["mask", "unk", "delete"])
def test_a_planted_word_scores_highest_and_a_word_of_no_influence_nothing(tiny_encoder, replace):
    forward = BagOfWords(tiny_encoder, {"awful": 4.0, "music": 0.5}, {("plot", "dull"): 1.0}, torch.tanh)
    text, words = read(tiny_encoder, "the plot is dull and the music awful")
    made = compute(AskedText(forward, text, words, Target(1)), SalienceOptions(replace=replace))
    found = dict(zip(words.texts, by_word(made.scores, words), strict=True))
    assert max(found, key=found.get) == "awful"
    assert [found[word] for word in ("the", "is", "and")] == pytest.approx([0, 0, 0], abs=0.01 * found["awful"])
    assert min(found["plot"], found["dull"], found["music"]) > 0.01 * found["awful"]
    assert made.diagnostics["r2"] < 0.999, "the curve cannot be told by a line"


def test_with_a_wide_kernel_and_no_penalty_the_surrogate_is_ordinary_least_squares():
    masks = lime_masks(6, 64, 0)
    values = np.random.default_rng(0).normal(size=64)
    weights = kernel(masks, 1e9)
    scores, _ = surrogate(masks, values, weights, 1e-9)
    expected = np.linalg.lstsq(np.column_stack([masks, np.ones(64)]), values, rcond=None)[0][:-1]
    assert scores == pytest.approx(expected)
    assert ridge_alpha(masks, weights) == pytest.approx(0.01 * 64 / 4)


def test_a_narrow_kernel_is_refused_before_it_leaves_nothing_to_fit(tiny_encoder):
    text, words = read(tiny_encoder, SHORT)
    forward = BagOfWords(tiny_encoder, {"awful": 2.0})
    with pytest.raises(LitProbeError, match=r"kernel_width is 0\.001: no perturbed text has any weight"):
        compute(AskedText(forward, text, words, Target(1)), SalienceOptions(kernel_width=0.001))
    made = compute(AskedText(forward, text, words, Target(1)), SalienceOptions(kernel_width=0.02))
    assert by_word(made.scores, words) == pytest.approx([0, 2, 0, 0], abs=0.05)
    assert made.diagnostics["effective_samples"] == pytest.approx(1)


def test_a_seed_decides_what_is_drawn_and_nothing_where_all_is_used(tiny_encoder):
    forward = BagOfWords(tiny_encoder, {"awful": 4.0}, {("plot", "dull"): 2.0, ("not", "awful"): -5.0}, torch.tanh)

    def scores(text, seed):
        asked = AskedText(forward, *read(tiny_encoder, text), Target(1))
        return compute(asked, SalienceOptions(samples=64, seed=seed)).scores.tolist()

    assert scores(LONG, 0) == scores(LONG, 0) != scores(LONG, 1)
    assert scores(SHORT, 0) == scores(SHORT, 1)


def test_all_perturbed_texts_are_read_in_one_call(tiny_encoder):
    forward = BagOfWords(tiny_encoder, {"awful": 4.0})
    made = compute(AskedText(forward, *read(tiny_encoder, LONG), Target(1)), SalienceOptions())
    assert forward.n_calls == 1
    assert made.diagnostics["n_samples"] == 256 and made.diagnostics["enumerated"] == 0
    assert 22 < made.diagnostics["effective_samples"] < 256


def test_a_text_of_one_word_gets_what_the_word_changes(tiny_encoder):
    text, words = read(tiny_encoder, "awful")
    made = compute(AskedText(BagOfWords(tiny_encoder, {"awful": 3.0}), text, words, Target(1)), SalienceOptions())
    assert by_word(made.scores, words) == pytest.approx([3], rel=0.011)
    assert made.diagnostics["n_samples"] == 2 and made.diagnostics["enumerated"] == 1

"""The words that decide come first in their class, with means, intervals and positions that can be worked out by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from explained_words import BagOfWords, planted_forward
from scipy import stats

from lit_probe.errors import CancelledError, LitProbeError, UnknownNameError
from lit_probe.probing.probe_forward import Target
from lit_probe.salience import EXPLAINING_METHODS, SalienceOptions, explain
from lit_probe.salience.salient_words import LeftOutText, SalientWord, SalientWords, salient_words

WEIGHTS = {"good": 1.0, "best": 2.0, "bad": -1.0, "awful": -3.0}
TEXTS = [
    "Good movie , good plot",
    "the best film and a good scene",
    "a bad story",
    "an awful awful plot , bad music",
    "",
    "GOOD fun in the best scene",
    "awful",
]


@pytest.fixture
def bag(tiny_encoder) -> BagOfWords:
    return BagOfWords(tiny_encoder, WEIGHTS)


def words_by_class(result: SalientWords) -> dict[str, dict[str, SalientWord]]:
    return {one.class_name: {word.word: word for word in one.words} for one in result.classes}


def test_means_counts_and_positions_are_those_of_known_weights(bag):
    result = salient_words(bag, TEXTS, "occlusion")
    found = words_by_class(result)
    assert [word.word for word in result.classes[1].words][:2] == ["best", "good"]
    good = found["yes"]["good"]
    # The logit of class 1 is the sum of the weights: taking a word out costs its weight.
    assert good.mean == pytest.approx(1) and (good.low, good.high) == pytest.approx((1, 1))
    assert good.positions == (0, 1, 5) and good.count == 3 and good.n_occurrences == 4
    assert found["yes"]["best"].mean == pytest.approx(2)
    # Class 0's logit is the opposite, so what speaks against class 1 speaks for it.
    assert found["no"]["awful"].mean == pytest.approx(3) and found["no"]["awful"].positions == (3, 6)
    assert found["no"]["bad"].mean == pytest.approx(1)
    assert [one.n_texts for one in result.classes] == [3, 3]


def test_a_words_mean_and_interval_are_taken_over_texts_not_occurrences(tiny_encoder):
    forward = planted_forward(tiny_encoder, "xyz")
    texts = ["good plot and good music", "good", "a good slow scene", "the plot was dull"]
    result = salient_words(forward, texts, "input_x_gradient", target="1", min_count=2)
    per_text = []
    for text in texts[:3]:
        words, scores = explain(forward, text, "input_x_gradient", Target(1)).by_word()
        per_text.append(np.mean([score for word, score in zip(words, scores, strict=True) if word == "good"]))
    good = words_by_class(result)["1"]["good"]
    low, high = stats.t.interval(0.95, 2, np.mean(per_text), stats.sem(per_text))
    assert (good.mean, good.low, good.high) == pytest.approx((np.mean(per_text), low, high))
    assert good.count == 3 and good.n_occurrences == 4


def test_a_planted_word_leads_its_class_and_no_other_word_comes_near(tiny_encoder):
    forward = planted_forward(tiny_encoder, "awful")
    random = np.random.default_rng(1)
    common = "the movie plot story scene music a was is of and".split()
    texts = [" ".join([*random.choice(common, size=6), *(["awful"] if i % 2 else [])]) for i in range(30)]
    [_, spoken_for] = salient_words(forward, texts, "integrated_gradients", SalienceOptions(steps=10)).classes
    first, second = spoken_for.words[:2]
    assert first.word == "awful" and first.low > second.high
    assert set(first.positions) == set(range(1, 30, 2))


def test_gold_classes_group_the_texts_and_those_without_are_left_out_and_counted(bag):
    labels = [0, 0, 1, None, 1, 1, None]
    result = salient_words(bag, TEXTS, "occlusion", target="gold", labels=labels)
    assert [one.n_texts for one in result.classes] == [2, 2]
    assert words_by_class(result)["no"]["good"].mean == pytest.approx(-1)
    assert result.left_out == (
        LeftOutText(3, "has no gold label"),
        LeftOutText(4, "has no word to explain"),
        LeftOutText(6, "has no gold label"),
    )
    assert result.n_texts == 7 and result.n_explained == 4
    assert "2 texts left out: has no gold label." in result.notes


def test_one_named_class_explains_every_text_for_it(bag):
    [only] = salient_words(bag, TEXTS, "occlusion", target="no").classes
    assert only.class_name == "no" and only.n_texts == 6
    assert only.words[0].word == "awful"
    assert next(word for word in only.words if word.word == "best").mean == pytest.approx(-2)


def test_rare_words_are_left_out_and_only_the_first_are_kept(bag):
    everything = salient_words(bag, TEXTS, "occlusion", target="yes", top=100).classes[0]
    assert all(word.count >= 2 for word in everything.words)
    assert everything.n_words == len(everything.words) > 3
    three = salient_words(bag, TEXTS, "occlusion", target="yes", min_count=3, top=1).classes[0]
    assert [word.word for word in three.words] == ["good"] and three.n_words < everything.n_words


def test_pieces_of_a_word_are_one_word_whose_signed_scores_add_up(bag):
    # The tiny tokenizer spells what it does not know: "goodish" is many tokens, "good" one.
    texts = ["goodish plot", "goodish movie"]
    word = words_by_class(salient_words(bag, texts, "occlusion", target="yes"))["yes"]["goodish"]
    assert word.count == 2 and word.mean == pytest.approx(1)


@pytest.mark.parametrize("method", EXPLAINING_METHODS)
def test_every_method_gives_finite_json_and_says_what_was_explained(tiny_encoder, method):
    forward = planted_forward(tiny_encoder, "awful")
    options = SalienceOptions(steps=5, samples=16, noise_samples=2)
    result = salient_words(forward, TEXTS[:4], method, options, scalar="margin")
    assert SalientWords.from_json(json.loads(json.dumps(result.to_json(), allow_nan=False))) == result
    assert (result.explained, result.layer, result.scalar) == ("probe at layer 1", 1, "margin")
    assert result.options == {name: getattr(options, name) for name in EXPLAINING_METHODS[method].uses}
    assert any("not whether" in note for note in result.notes) == (not EXPLAINING_METHODS[method].signed)
    for word in (word for one in result.classes for word in one.words):
        assert word.low <= word.mean <= word.high


def test_the_scalar_that_was_asked_for_is_the_one_explained(bag):
    margin = words_by_class(salient_words(bag, TEXTS, "occlusion", scalar="margin"))["yes"]["best"].mean
    probability = words_by_class(salient_words(bag, TEXTS, "occlusion", scalar="probability"))["yes"]["best"].mean
    assert margin == pytest.approx(4) and 0 < probability < 1


def test_progress_counts_texts_and_may_end_the_work(bag):
    seen = []
    salient_words(bag, TEXTS, "occlusion", progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, 7) and seen[-1] == (7, 7) and seen == sorted(seen)

    def stop_at(done: int, total: int) -> None:
        if done == 3:
            raise CancelledError("no longer wanted")

    with pytest.raises(CancelledError, match="no longer wanted"):
        salient_words(bag, TEXTS, "occlusion", progress=stop_at)


def test_no_text_gives_classes_without_words(bag):
    for texts in ([], ["", "  "]):
        result = salient_words(bag, texts, "lime")
        assert result.n_explained == 0 and [one.words for one in result.classes] == [(), ()]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"target": "maybe"}, UnknownNameError, "Unknown target 'maybe'. Choose one of: gold, no, predicted, yes."),
        ({"target": "gold"}, LitProbeError, "give their labels"),
        ({"target": "gold", "labels": [0]}, LitProbeError, "7 texts, but 1 labels"),
        ({"target": "gold", "labels": [2] * 7}, LitProbeError, r"Labels must lie in 0\.\.1; found 2"),
        ({"scalar": "odds"}, UnknownNameError, "Unknown scalar 'odds'"),
        ({"min_count": 1}, LitProbeError, "2 texts or more"),
        ({"top": 0}, LitProbeError, "1 or more be shown"),
    ],
)
def test_what_cannot_be_is_said(bag, options, error, message):
    with pytest.raises(error, match=message):
        salient_words(bag, TEXTS, "occlusion", **options)


def test_maps_that_are_not_exact_are_counted_and_the_baseline_is_told(tiny_encoder):
    forward = planted_forward(tiny_encoder, "awful")
    texts = ["an awful plot", "the film was slow but fine", "", "a good scene"]
    options = SalienceOptions(steps=1, growth=1, baseline="mean")
    maps = [explain(forward, text, "integrated_gradients", None, options) for text in texts if text]
    n = sum(bool(one.warning) for one in maps)
    result = salient_words(forward, texts, "integrated_gradients", options)
    assert 0 < n == result.n_inexact <= result.n_explained == 3
    assert result.notes[0].startswith(f"{n} of 3 maps of Integrated gradients {'is' if n == 1 else 'are'} not exact: ")
    assert "start from “mean” (the mean of the embedding table); another choice gives other maps" in result.notes[-1]
    exact = salient_words(forward, texts, "gradient_l2")
    assert exact.n_inexact == 0 and not any("not exact" in note or "another choice" in note for note in exact.notes)

"""Words are taken out on token ids, no choice of words comes twice, and what a surrogate is worth is told as defined."""

import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from explained_words import BagOfWords, read
from sklearn.metrics import r2_score
from tokenizers import processors

from lit_probe.errors import LitProbeError
from lit_probe.probing.probe_forward import Target
from lit_probe.salience.methods.perturbations import (
    AskedText,
    PerturbedText,
    all_masks,
    draw_subsets,
    fit_quality,
    fitting,
    n_subsets,
    quotas,
)
from lit_probe.salience.options import SalienceOptions

# "ghi" and "xyz" are no words of the tokenizer: three tokens each.
TEXT = "ghi the movie, xyz good"


def perturbed(encoder, text=TEXT, replace="mask", unit="word"):
    return PerturbedText.of(BagOfWords(encoder, {}), *read(encoder, text), replace, unit)


def distinct(masks) -> int:
    return len({row.tobytes() for row in masks})


@pytest.mark.parametrize("replace", ["mask", "unk", "delete"])
def test_ids_that_are_not_taken_out_stay_as_they_are(tiny_encoder, replace):
    encoded, words = read(tiny_encoder, TEXT)
    assert words.texts == ("ghi", "the", "movie", ",", "xyz", "good")
    assert words.of_token.count(0) == words.of_token.count(4) == 3
    masks = all_masks(len(words.texts))
    rows = perturbed(tiny_encoder, replace=replace).rows(masks)
    stands_for = {"mask": [tiny_encoder.tokenizer.mask_token_id], "unk": [tiny_encoder.tokenizer.unk_token_id], "delete": []}
    for mask, row in zip(masks, rows, strict=True):
        expected = []
        for token_id, word in zip(encoded.ids, words.of_token, strict=True):
            expected += [token_id] if word is None or mask[word] else stands_for[replace]
        assert row.ids == expected
        assert len(row.special) == len(row.ids)
        assert [i for i, special in zip(row.ids, row.special, strict=True) if special] == [encoded.ids[0], encoded.ids[-1]]
    assert rows[0].ids == encoded.ids


def test_single_tokens_can_be_units(tiny_encoder):
    encoded, _ = read(tiny_encoder, TEXT)
    one = perturbed(tiny_encoder, unit="token")
    assert one.n_units == len(encoded.ids) - 2
    [row] = one.rows(np.arange(one.n_units)[None] != 1)
    assert [i for i, (a, b) in enumerate(zip(row.ids, encoded.ids, strict=True)) if a != b] == [2]


def test_a_words_score_is_divided_equally_over_its_tokens(tiny_encoder):
    scores = perturbed(tiny_encoder).over_tokens(np.array([3.0, 1, 2, -1, 6, 5]))
    assert scores.tolist() == [0, 1, 1, 1, 1, 2, -1, 2, 2, 2, 5, 0]


def test_values_are_those_of_the_perturbed_texts(tiny_encoder):
    forward = BagOfWords(tiny_encoder, {"good": 2.0, "the": 0.5})
    text = read(tiny_encoder, "the good the")
    masks = np.array([[True, True, True], [False, True, True], [True, False, False]])
    for target, expected in ((Target(1), [3.0, 2.5, 0.5]), (Target(0, "margin"), [-6.0, -5.0, -1.0])):
        asked = AskedText(forward, *text, target)
        assert asked.values(asked.perturbed("mask"), masks).tolist() == expected


@pytest.mark.parametrize("text", ["", "   "])
def test_a_text_without_words_is_refused(tiny_encoder, text):
    with pytest.raises(LitProbeError, match="no word to explain"):
        perturbed(tiny_encoder, text)


def test_a_token_that_the_tokenizer_lacks_is_refused_with_what_it_has(tiny_encoder):
    tiny_encoder.tokenizer.mask_token = None
    with pytest.raises(LitProbeError, match=r"has no mask token to put in place of words\. Choose instead: unk, delete\."):
        perturbed(tiny_encoder)
    assert perturbed(tiny_encoder, replace="unk").n_units == 6


def test_the_unknown_token_stands_in_for_a_mask_token_that_is_not_there_and_else_deletion(tiny_encoder):
    asked = SalienceOptions(samples=7)
    assert fitting(asked, tiny_encoder) is asked
    tiny_encoder.tokenizer.mask_token = None
    assert fitting(asked, tiny_encoder) == replace(asked, replace="unk")
    tiny_encoder.tokenizer.unk_token = None
    assert fitting(asked, tiny_encoder) == replace(asked, replace="delete")
    for given in ("unk", "delete"):
        assert fitting(SalienceOptions(replace=given), tiny_encoder).replace == given


def test_where_nothing_would_be_left_a_text_begins_and_ends(tiny_encoder):
    tokenizer = tiny_encoder.tokenizer
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(single="$A", special_tokens=[])
    with pytest.raises(LitProbeError, match="nothing is left to read"):
        perturbed(tiny_encoder, replace="delete")
    for name, token_id in (("eos_token", 3), ("bos_token", 2)):
        setattr(tokenizer, name, tokenizer.convert_ids_to_tokens(token_id))
        [nothing, something] = perturbed(tiny_encoder, replace="delete").rows(np.eye(6, dtype=bool)[[0, 1]] & [[False], [True]])
        assert (nothing.ids, nothing.special) == ([token_id], [True])
        assert something.ids == [tokenizer.convert_tokens_to_ids("the")]
    assert perturbed(tiny_encoder, replace="mask").rows(np.zeros((1, 6), dtype=bool))[0].ids == [4] * 10


def test_all_masks_are_all_there_are():
    masks = all_masks(5)
    assert masks.shape == (32, 5) and distinct(masks) == 32
    assert masks[0].all() and not masks[-1].any()


@pytest.mark.parametrize("n", [1, 2, 7, 20, 63, 64, 100, 1500])
def test_subsets_are_counted_up_to_the_limit(n):
    sizes = np.arange(n + 1)
    assert n_subsets(n, sizes, limit=5000).tolist() == [min(math.comb(n, k), 5000) for k in range(n + 1)]


@pytest.mark.parametrize("total", [0, 1, 7, 40, 63, 100])
def test_quotas_use_all_draws_and_no_more_room_than_there_is(total):
    random = np.random.default_rng(0)
    room = np.array([1, 30, 2, 30])
    counts = quotas(np.array([5.0, 1.0, 4.0, 0.5]), room, total, random)
    assert counts.sum() == min(total, 63)
    assert (counts <= room).all() and (counts >= 0).all()


def test_quotas_are_proportional_to_their_shares_on_average():
    share = np.array([5.0, 0.3, 0.2, 0.5])
    mean = np.mean([quotas(share, np.full(4, 99), 3, np.random.default_rng(seed)) for seed in range(4000)], axis=0)
    assert mean == pytest.approx(share / share.sum() * 3, abs=0.03)


@pytest.mark.parametrize("n_units", [1, 2, 5, 8, 20, 62, 63, 64, 300])
@pytest.mark.parametrize("wanted", [1, 3, 200])
def test_drawn_subsets_are_distinct_and_of_the_sizes_asked_for(n_units, wanted):
    sizes = np.arange(n_units + 1)
    counts = n_subsets(n_units, sizes, wanted)
    masks = draw_subsets(n_units, sizes, counts, np.random.default_rng(0))
    assert distinct(masks) == len(masks) == counts.sum()
    assert np.bincount(masks.sum(axis=1), minlength=n_units + 1).tolist() == counts.tolist()


@pytest.mark.parametrize(("n_units", "size", "count"), [(6, 3, 2), (6, 3, 7), (6, 4, 14), (6, 5, 1)])
def test_every_subset_is_drawn_equally_often(n_units, size, count):
    seen = dict.fromkeys(combinations(range(n_units), size), 0)
    n_draws = 3000
    for seed in range(n_draws):
        for mask in draw_subsets(n_units, np.array([size]), np.array([count]), np.random.default_rng(seed)):
            seen[tuple(np.flatnonzero(mask).tolist())] += 1
    expected = count / len(seen)
    deviation = 5 * math.sqrt(expected * (1 - expected) / n_draws)
    assert np.array(list(seen.values())) / n_draws == pytest.approx(expected, abs=deviation)


def test_fit_quality_is_the_weighted_r2_and_kishs_sample_size():
    random = np.random.default_rng(0)
    values, weights = random.normal(size=50), random.uniform(size=50)
    fitted = values + random.normal(size=50)
    quality = fit_quality(values, fitted, weights)
    assert quality["r2"] == pytest.approx(r2_score(values, fitted, sample_weight=weights))
    assert quality["effective_samples"] == pytest.approx(weights.sum() ** 2 / (weights**2).sum())
    assert fit_quality(values, fitted, np.full(50, 0.3))["effective_samples"] == pytest.approx(50)
    one_heavy = fit_quality(values, fitted, np.r_[1.0, np.full(49, 1e-9)])
    assert one_heavy["effective_samples"] == pytest.approx(1)


def test_fit_quality_where_there_is_nothing_to_tell():
    ones = np.ones(3)
    assert fit_quality(ones, ones, ones) == {"r2": 1.0, "effective_samples": 3.0}
    assert fit_quality(np.zeros(0), np.zeros(0), np.zeros(0)) == {"r2": 1.0, "effective_samples": 0.0}

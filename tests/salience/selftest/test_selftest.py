"""The self-test finds planted words where they decide, and does no better than chance where they do not."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tiny_encoders

from lit_probe.data import load_dataset
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import CancelledError, LitProbeError, UnknownNameError
from lit_probe.salience import EXPLAINING_METHODS, SalienceOptions
from lit_probe.salience.selftest.selftest import CaseResult, Selftest, precision_at_k, selftest, selftest_table

# Fewer passes than by default, so that the tests are quick.
OPTIONS = SalienceOptions(steps=20, samples=96, noise_samples=8)

TRAINED = ("one_word", "both_words", "order")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """A tiny encoder that knows the demo's words."""
    texts = [text for _, part in load_dataset("demo").items() for text in part.texts]
    folder = tmp_path_factory.mktemp("demo_words") / "tiny-demo-words"
    return load_encoder(str(tiny_encoders.build(folder, words=tiny_encoders.words_of(texts))))


@pytest.fixture(scope="module")
def result(encoder):
    return selftest(encoder, n_texts=20, options=OPTIONS, cases=TRAINED)


def precisions(case: CaseResult, by_size: bool = False) -> dict[str, float]:
    return {one.method: (one.by_size if by_size else one).precision for one in case.methods}


def test_every_classifier_learns_its_shortcut(result):
    assert [case.name for case in result.cases] == list(TRAINED)
    for case in result.cases:
        assert case.accuracy >= result.required_accuracy == 0.99 and case.reliable, case.name
    assert {case.explained for case in result.cases} == {"small transformer"}
    assert result.notes == ()


def test_every_method_is_there_with_its_interval_beside_a_random_ranking(result):
    for case in result.cases:
        assert [one.method for one in case.methods] == list(EXPLAINING_METHODS)
        assert 0.04 * case.k < case.random < 0.13 * case.k
        for one in (row for method in case.methods for row in (method, method.by_size)):
            assert 0 <= one.low <= one.precision <= one.high <= 1 and one.low < one.high


@pytest.mark.parametrize("method", EXPLAINING_METHODS)
def test_planted_words_come_first(result, method):
    one_word, both_words, order = result.cases
    assert precisions(both_words)[method] >= 0.9
    # By size: of two words whose order decides, one may speak against the class.
    assert precisions(order, by_size=True)[method] > order.random + 0.3
    # A bare gradient tells what a change would do, which need not be what the word has done.
    least = 0.9 if EXPLAINING_METHODS[method].signed else one_word.random + 0.1
    assert precisions(one_word)[method] >= least


def test_where_plants_are_shuffled_nothing_is_learnt_and_precision_falls_to_random(encoder):
    twin = selftest(encoder, n_texts=30, options=OPTIONS, cases=["one_word", "order", "one_word_probe"], shuffled=True)
    for case in twin.cases:
        assert abs(case.accuracy - 0.5) < 0.06 and not case.reliable
        for by_size in (False, True):
            assert np.mean(list(precisions(case, by_size).values())) == pytest.approx(case.random, abs=0.12)
    assert "decide nothing" in twin.notes[0]
    assert "Planted: other words in each text." in selftest_table(twin)


@pytest.mark.parametrize("case", ["order", "one_word_probe"])
def test_the_same_seed_gives_the_same_numbers_and_another_others(encoder, case):
    options = {"n_texts": 2, "cases": [case], "methods": ["occlusion", "lime"], "options": OPTIONS, "shuffled": True}
    first, again, other = (selftest(encoder, seed, **options) for seed in (0, 0, 1))
    assert first == again
    assert first.cases != other.cases


def test_a_perfect_ranking_scores_one_its_reverse_zero_and_no_ranking_what_chance_would():
    planted = np.array([False, True, False, True, False])
    assert precision_at_k(planted.astype(float), planted) == 1
    assert precision_at_k(-planted.astype(float), planted) == 0
    assert precision_at_k(-planted.astype(float), planted, by_size=True) == 1
    assert precision_at_k(np.zeros(5), planted) == pytest.approx(2 / 5)


def test_ties_at_the_edge_count_as_random_orders_of_them_do():
    random = np.random.default_rng(0)
    scores, planted = np.array([3.0, 1, 1, 1, 0, 1]), np.array([True, True, False, False, False, True])
    draws = [precision_at_k(scores + random.random(6) / 100, planted) for _ in range(4000)]
    assert precision_at_k(scores, planted) == pytest.approx(np.mean(draws), abs=0.01)


def test_progress_counts_maps_and_may_end_the_test_while_a_classifier_learns_or_is_explained(encoder):
    options = {"n_texts": 2, "cases": ["both_words"], "methods": ["occlusion", "gradient_l2"], "shuffled": True}
    seen = []
    selftest(encoder, **options, progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, 4) and seen[-1] == (4, 4) and seen == sorted(seen)

    def stopping(at: int, call: int):
        calls = []

        def progress(done: int, total: int) -> None:
            calls.append(done)
            if done == at and len(calls) >= call:
                raise CancelledError("no longer wanted")

        return progress

    for at, call in ((0, 10), (3, 1)):
        with pytest.raises(CancelledError):
            selftest(encoder, **options, progress=stopping(at, call))


def test_the_result_is_json_and_its_table_names_all_that_was_measured(result):
    assert Selftest.from_json(json.loads(json.dumps(result.to_json(), allow_nan=False))) == result
    printed = selftest_table(result)
    for case in result.cases:
        assert f"Planted: {', '.join(case.words)}." in printed and case.rule in printed
        assert f"Accuracy {case.accuracy:.1%} on 1,000 held-out texts; 20 explained." in printed
    for method in EXPLAINING_METHODS.values():
        assert printed.count(f"{method.title}  ") == len(TRAINED)
    assert printed.count("random ranking") == len(TRAINED)
    assert max(len(line) for line in printed.splitlines()) <= 130


def test_a_classifier_that_did_not_learn_enough_is_named(tiny_folder):
    # This encoder spells nearly every word, so the mean over tokens hardly knows one.
    speller = load_encoder(str(tiny_folder()))
    weak = selftest(speller, n_texts=2, cases=["one_word_probe"], methods=["occlusion"])
    [case] = weak.cases
    assert case.accuracy < 0.99 and not case.reliable
    [note] = weak.notes
    assert "one word (probe at layer 1)" in note and "fewer than 99%" in note
    assert "(below 99%)" in selftest_table(weak) and note in selftest_table(weak)


def test_what_cannot_be_is_said(encoder, tiny_folder):
    with pytest.raises(UnknownNameError, match="Unknown case of the self-test 'colour'"):
        selftest(encoder, cases=["colour"])
    with pytest.raises(UnknownNameError, match="Unknown salience method 'colour'"):
        selftest(encoder, methods=["colour"])
    with pytest.raises(LitProbeError, match="2 texts or more; got n_texts = 1"):
        selftest(encoder, n_texts=1)
    short = load_encoder(str(encoder.checkpoint.folder), max_length=6)
    with pytest.raises(LitProbeError, match="Use a larger max_length"):
        selftest(short, n_texts=5, cases=["both_words"], methods=["occlusion"], shuffled=True)

"""Methods that find the words a model reads are told from those that do not, and every number stands beside its measure."""

import json
import math

import numpy as np
import pytest
from explained_words import BagOfWords, planted_forward

from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import CancelledError, LitProbeError, UnknownNameError
from lit_probe.salience import SALIENCE_METHODS, SalienceOptions
from lit_probe.salience.trust.faithfulness import Faithfulness, Limit, Measures, faithfulness
from lit_probe.salience.trust.judged_texts import OverTexts

QUICK = SalienceOptions(steps=8, samples=24, noise_samples=4)
WEIGHTS = {"great": 2.0, "good": 1.2, "fine": 0.7, "dull": -0.8, "awful": -2.1, "movie": 0.1, "slow": -0.3}
MEASURES = (
    "comprehensiveness",
    "comprehensiveness_normalised",
    "sufficiency",
    "sufficiency_normalised",
    "tau_loo",
    "macro_f1_masked",
)
PERTURBATIONS = ["occlusion", "lime", "kernel_shap"]


def sentences(n: int, seed: int = 0) -> tuple[list[str], list[int]]:
    """Texts of 4 to 14 words, and whether their words speak for class 1."""
    random = np.random.default_rng(seed)
    words = [*WEIGHTS, *"the a was of music scene plot story and it".split()]
    texts = [" ".join(random.choice(words, size=random.integers(4, 15))) for _ in range(n)]
    return texts, [int(sum(WEIGHTS.get(word, 0.0) for word in text.split()) > 0) for text in texts]


@pytest.fixture(scope="module")
def encoder(tiny_folder):
    return load_encoder(str(tiny_folder()))


@pytest.fixture(scope="module")
def on_bag_of_words(encoder):
    texts, labels = sentences(40)
    return faithfulness(BagOfWords(encoder, WEIGHTS), texts, labels, PERTURBATIONS, QUICK, scalar="logit")


@pytest.fixture(scope="module")
def on_a_probe(encoder):
    """A probe of the mean of the embedding layer: a bag of words by nature."""
    texts = [text.replace("good", "great") for text in sentences(12, seed=3)[0]]
    labels = [int("great" in text.split()) for text in texts]
    return faithfulness(planted_forward(encoder, "great", layer=0), texts, labels, None, QUICK, scalar="logit")


def row(result: Faithfulness, method: str) -> Measures:
    return next(each.measures for each in result.methods if each.method == method)


def test_the_oracle_is_normalised_to_1_and_beats_random(on_bag_of_words):
    # Leaving one word out of a sum gives its weight: occlusion is the oracle here, and exact Shapley values are too.
    oracle, chance = row(on_bag_of_words, "occlusion"), on_bag_of_words.random
    assert oracle.comprehensiveness_normalised.mean == pytest.approx(1)
    assert oracle.sufficiency_normalised.mean == pytest.approx(1)
    assert oracle.comprehensiveness.low > chance.comprehensiveness.high
    assert oracle.sufficiency.high < chance.sufficiency.low
    assert oracle.macro_f1_masked.high < chance.macro_f1_masked.low
    assert oracle.tau_loo.low is None and oracle.tau_loo.mean == 1


def test_random_rankings_are_near_what_is_expected_of_them(on_bag_of_words):
    chance = on_bag_of_words.random
    assert chance.tau_loo.low < 0 < chance.tau_loo.high
    # Of a sum, the fall without some words and the fall with only the others make up the whole: both areas are normalised alike.
    for measure in ("comprehensiveness_normalised", "sufficiency_normalised"):
        assert 0.35 < getattr(chance, measure).mean < 0.65


def test_the_limits_hold_every_mean_and_the_oracle_reaches_them(on_bag_of_words):
    limits = on_bag_of_words.limits
    for each in [*(one.measures for one in on_bag_of_words.methods), on_bag_of_words.random]:
        low, high = limits.comprehensiveness.worst, limits.comprehensiveness.best
        assert low - 1e-9 <= each.comprehensiveness.mean <= high + 1e-9
        low, high = limits.sufficiency.best, limits.sufficiency.worst
        assert low - 1e-9 <= each.sufficiency.mean <= high + 1e-9
    assert row(on_bag_of_words, "occlusion").comprehensiveness.mean == pytest.approx(limits.comprehensiveness.best)
    assert row(on_bag_of_words, "occlusion").macro_f1_masked.mean == pytest.approx(limits.macro_f1_masked.best)
    assert limits.macro_f1_masked.best < on_bag_of_words.macro_f1.mean == 1
    assert 0 < on_bag_of_words.n_exhaustive < on_bag_of_words.n_texts


@pytest.mark.parametrize("layer", [0, 2])
@pytest.mark.parametrize("replace", ["mask", "unk", "delete"])
def test_occlusion_agrees_with_leave_one_out_exactly(encoder, layer, replace):
    options = SalienceOptions(replace=replace)
    result = faithfulness(planted_forward(encoder, "great", layer), sentences(8)[0], methods=["occlusion"], options=options)
    assert row(result, "occlusion").tau_loo.mean == 1
    assert abs(result.random.tau_loo.mean) < 0.5


def test_on_a_real_probe_methods_that_read_it_beat_random(on_a_probe):
    chance = on_a_probe.random
    for method in ("input_x_gradient", "integrated_gradients", "gradient_shap", "kernel_shap"):
        cells = row(on_a_probe, method)
        assert cells.comprehensiveness_normalised.low > chance.comprehensiveness_normalised.high
        assert cells.sufficiency_normalised.low > chance.sufficiency_normalised.high
    assert row(on_a_probe, "occlusion").comprehensiveness_normalised.mean == pytest.approx(1, abs=1e-3)
    assert 0.35 < chance.comprehensiveness_normalised.mean < 0.65
    assert row(on_a_probe, "gradient_l2").comprehensiveness_normalised.mean < 0.65, "sizes alone know no direction"


def test_the_result_is_the_same_each_time_and_is_plain_json(encoder, on_a_probe):
    for each in [*(one.measures for one in on_a_probe.methods), on_a_probe.random]:
        for measure in MEASURES:
            cell = getattr(each, measure)
            assert set(cell.to_json()) == {"mean", "low", "high", "n"}
            assert cell.mean is None or (cell.low is None) or cell.low <= cell.mean <= cell.high
            if measure.endswith("normalised"):
                assert 0 <= cell.mean <= 1
    assert [each.method for each in on_a_probe.methods] == list(SALIENCE_METHODS)
    assert all(each.reason == "" for each in on_a_probe.methods)
    assert Faithfulness.from_json(json.loads(json.dumps(on_a_probe.to_json(), allow_nan=False))) == on_a_probe
    forward, (texts, labels) = BagOfWords(encoder, WEIGHTS), sentences(5)
    one, two, other = (faithfulness(forward, texts, labels, ["lime"], QUICK, seed=seed) for seed in (0, 0, 1))
    assert one == two
    assert one.random != other.random


def test_a_texts_numbers_do_not_depend_on_its_neighbours(encoder):
    forward, texts = BagOfWords(encoder, WEIGHTS), sentences(3)[0]
    alone = [faithfulness(forward, [text], None, ["lime"], QUICK) for text in texts]
    together = faithfulness(forward, texts, None, ["lime"], QUICK)
    for pick in (lambda result: row(result, "lime"), lambda result: result.random):
        for measure in ("comprehensiveness", "sufficiency", "tau_loo"):
            expected = np.mean([getattr(pick(result), measure).mean for result in alone])
            assert getattr(pick(together), measure).mean == pytest.approx(expected)


def test_searched_limits_are_said_to_depend_on_the_methods(encoder):
    short, long = "the plot was great", "the plot of it was great but the music and the story was awful"
    notes = [" ".join(faithfulness(BagOfWords(encoder, WEIGHTS), [text], None, ["occlusion"]).notes) for text in (short, long)]
    assert "normalised numbers may change with the methods that are compared" in notes[1]
    assert "may change with the methods" not in notes[0]


def test_texts_without_two_words_are_left_out_and_counted(encoder):
    forward, (texts, labels) = BagOfWords(encoder, WEIGHTS), sentences(4)
    plain = faithfulness(forward, texts, labels, ["occlusion"])
    mixed = faithfulness(forward, ["", *texts, "great", "  "], [0, *labels, 1, None], ["occlusion"])
    assert mixed.n_left_out == 3
    assert {each.reason.split(",")[0]: each.n for each in mixed.left_out} == {
        "it has no word": 2,
        "it has one word only": 1,
    }
    for name in ("n_texts", "methods", "random", "limits", "macro_f1"):
        assert getattr(mixed, name) == getattr(plain, name)
    assert plain.n_left_out == 0 and plain.left_out == ()


@pytest.mark.parametrize("texts", [[], ["", "great"]])
def test_without_a_text_to_rank_it_says_so(encoder, texts):
    with pytest.raises(LitProbeError, match="two words"):
        faithfulness(BagOfWords(encoder, WEIGHTS), texts)


def test_macro_f1_is_over_texts_with_a_known_class(encoder):
    forward, (texts, labels) = BagOfWords(encoder, WEIGHTS), sentences(12)
    none = faithfulness(forward, texts, None, ["occlusion"])
    assert none.macro_f1 == OverTexts(None, None, None, 0) == none.random.macro_f1_masked
    assert none.limits.macro_f1_masked == Limit(None, None)
    some = faithfulness(forward, texts, [*labels[:8], *[None] * 4], ["occlusion"])
    assert some.macro_f1.n == 8
    expected = faithfulness(forward, texts[:8], labels[:8], ["occlusion"])
    assert some.macro_f1.mean == expected.macro_f1.mean
    assert any("8 of 12" in note for note in some.notes)


def test_masking_the_words_that_decide_brings_macro_f1_down_by_a_known_amount(encoder):
    # One word decides; without it class 0 wins the tie. It is among the top words at every share: F1 of class 1 falls to 0.
    forward = BagOfWords(encoder, {"great": 1.0, "awful": -1.0})
    texts = ["the plot was great", "a great scene of it", "the plot was awful", "an awful scene of it"]
    result = faithfulness(forward, texts, [1, 1, 0, 0], ["occlusion"])
    assert result.macro_f1.mean == 1
    assert row(result, "occlusion").macro_f1_masked.mean == pytest.approx((0 + 2 / 3) / 2)
    assert result.random.macro_f1_masked.mean > 0.4


def test_a_model_that_reads_no_word_leaves_nothing_to_normalise(encoder):
    result = faithfulness(BagOfWords(encoder, {}), sentences(4)[0], None, ["occlusion"])
    cells = row(result, "occlusion")
    assert cells.comprehensiveness.mean == 0
    for measure in ("comprehensiveness_normalised", "sufficiency_normalised", "tau_loo"):
        assert getattr(cells, measure) == OverTexts(None, None, None, 0)


def test_a_saturated_prediction_leaves_no_room_to_normalise(encoder):
    # So sure that no half of the words changes the probability by more than rounding; the logit still tells.
    forward, texts = (
        BagOfWords(encoder, {"great": 40.0, "movie": 1.0, "awful": -1.0}),
        ["great great great movie awful great great"],
    )
    cells = {scalar: faithfulness(forward, texts, None, ["occlusion"], scalar=scalar) for scalar in ("probability", "logit")}
    assert row(cells["probability"], "occlusion").comprehensiveness_normalised.n == 0
    assert row(cells["logit"], "occlusion").comprehensiveness_normalised.mean == pytest.approx(1)
    assert any("sure of" in note for note in cells["probability"].notes)


def test_a_method_that_fails_says_why_and_the_others_go_on(encoder):
    # These known weights are read from ids: there is no path for a gradient.
    result = faithfulness(BagOfWords(encoder, WEIGHTS), sentences(3)[0], None, ["gradient_l2", "occlusion"])
    failed = result.methods[0]
    assert failed.method == "gradient_l2" and "word embeddings" in failed.reason
    assert all(getattr(failed.measures, measure) is None for measure in MEASURES)
    assert row(result, "occlusion").tau_loo.mean == 1


def test_progress_rises_to_the_end_and_may_cancel(encoder):
    heard = []
    faithfulness(
        BagOfWords(encoder, WEIGHTS), sentences(3)[0], None, ["occlusion", "lime"], QUICK, progress=lambda *a: heard.append(a)
    )
    assert list(dict.fromkeys(heard)) == [(done, 9) for done in range(10)] and len(heard) > len(set(heard)), (
        "also between the passes of a map"
    )

    def cancel(done: int, total: int) -> None:
        if done == 2:
            raise CancelledError("no longer wanted")

    forward = BagOfWords(encoder, WEIGHTS)
    with pytest.raises(CancelledError):
        faithfulness(forward, sentences(50)[0], None, PERTURBATIONS, QUICK, progress=cancel)
    assert forward.n_calls < 60, "only the first text's rows were asked about"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"methods": ["magic"]}, UnknownNameError, "Unknown salience method 'magic'"),
        ({"methods": []}, LitProbeError, "No salience method"),
        ({"labels": [0]}, LitProbeError, "2 texts, but 1 labels"),
        ({"labels": [0, 5]}, LitProbeError, "no class 5"),
        ({"scalar": "loudness"}, UnknownNameError, "Unknown scalar 'loudness'"),
        ({"map_scalar": "loudness"}, UnknownNameError, "Unknown scalar 'loudness'"),
    ],
)
def test_bad_requests_get_a_sentence(encoder, arguments, error, message):
    with pytest.raises(error, match=message):
        faithfulness(BagOfWords(encoder, WEIGHTS), ["a great movie", "a dull plot"], **arguments)


def test_a_text_over_the_limit_is_judged_by_what_is_read(tiny_folder):
    encoder = load_encoder(str(tiny_folder()), max_length=8)
    result = faithfulness(BagOfWords(encoder, WEIGHTS), ["the great movie was fine " * 5], None, ["occlusion"])
    assert any("longer than the encoder reads" in note for note in result.notes)
    assert math.isfinite(row(result, "occlusion").comprehensiveness.mean)

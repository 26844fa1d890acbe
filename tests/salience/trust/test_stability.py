"""Maps that no seed decides agree exactly, maps that follow the model move with it, and insertions shift no word."""

import dataclasses
import json

import numpy as np
import pytest
from explained_words import BagOfWords, planted_forward

from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import CancelledError, LitProbeError, UnknownNameError
from lit_probe.salience import SALIENCE_METHODS, SalienceMethod, SalienceOptions, explain
from lit_probe.salience.token_scores import MethodScores
from lit_probe.salience.trust.faithfulness import faithfulness
from lit_probe.salience.trust.judged_texts import OverTexts
from lit_probe.salience.trust.stability import (
    SMALL_EDITS,
    MethodStability,
    SalienceStability,
    map_change,
    salience_stability,
    spearman,
)

QUICK = SalienceOptions(steps=6, samples=16, noise_samples=3)
TEXTS = [
    "the acting was great and the plot is not slow .",
    "we loved the music , but the story is awful and it was never fun",
    "a fine little film about more than one sad scene with fast music !",
]
RANDOM = [name for name, method in SALIENCE_METHODS.items() if not method.deterministic]
# Of the words that the edits bring, too.
WEIGHTS = {"great": 2.0, "fine": 0.7, "awful": -2.1, ".": 0.4, ",": -0.25, "we": 0.9, "b": -0.6, "!": 0.15}


@pytest.fixture(scope="module")
def encoder(tiny_folder):
    return load_encoder(str(tiny_folder()))


@pytest.fixture(scope="module")
def on_a_probe(encoder):
    return salience_stability(planted_forward(encoder, "great", layer=2), TEXTS, None, QUICK, n_seeds=3)


def rows(result: SalienceStability) -> dict[str, MethodStability]:
    return {each.method: each for each in result.methods}


def replaced(monkeypatch, compute) -> None:
    """Occlusion with other scores, as a method of one's own would have."""
    method = dataclasses.replace(SALIENCE_METHODS["occlusion"], compute=compute)
    monkeypatch.setitem(SALIENCE_METHODS, "occlusion", method)


@pytest.mark.parametrize("method", SALIENCE_METHODS.values(), ids=lambda method: method.name)
def test_across_seeds_deterministic_methods_agree_exactly_and_random_ones_do_not(encoder, on_a_probe, method: SalienceMethod):
    seeds = rows(on_a_probe)[method.name].seeds
    assert seeds.n == len(TEXTS)
    assert seeds.mean == 1 if method.deterministic else seeds.mean < 1
    # What the result takes on trust of a deterministic method: two seeds give one map.
    forward = planted_forward(encoder, "great", layer=2)
    maps = [explain(forward, TEXTS[0], method.name, None, dataclasses.replace(QUICK, seed=seed)).scores for seed in (1, 2)]
    assert np.array_equal(*maps) == method.deterministic


def test_more_samples_make_lime_more_stable(encoder):
    forward = BagOfWords(encoder, WEIGHTS, {("the", "great"): 1.5})
    few, many = (
        rows(salience_stability(forward, TEXTS, ["lime"], SalienceOptions(samples=samples), n_seeds=3))["lime"].seeds.mean
        for samples in (16, 400)
    )
    assert few < many < 1


def test_a_short_text_whose_masks_are_all_read_needs_no_seed(encoder):
    result = salience_stability(
        BagOfWords(encoder, WEIGHTS), ["a great plot .", "the awful music"], ["lime", "kernel_shap"], n_seeds=3
    )
    assert [each.seeds.mean for each in result.methods] == [1, 1]


def test_a_map_that_follows_the_model_moves_exactly_as_it_does(encoder):
    # In a sum, a word that an edit brings or takes moves the number by its weight, and the map by its score.
    weights = {**WEIGHTS, ".": 0.0, ",": 0.0}
    result = salience_stability(BagOfWords(encoder, weights), TEXTS, ["occlusion"])
    cells = rows(result)["occlusion"]
    assert cells.edits.mean == 1, "paired words keep their scores"
    assert cells.edit_correlation.mean == pytest.approx(1)
    edits = {edit.name: edit.mean_change for edit in result.edits}
    assert edits == {
        "append_bye": pytest.approx(abs(weights["b"])),
        "prepend_well": pytest.approx(abs(weights["we"])),
        "final_sign": pytest.approx(weights["!"] / len(TEXTS)),
        "first_letter": None,
        "double_space": None,
    }


def test_a_map_that_no_edit_moves_has_no_correlation(monkeypatch, encoder):
    def by_id(text, options):
        ids = zip(text.encoded.ids, text.encoded.special, strict=True)
        return MethodScores(np.array([0.0 if special else (7 * i) % 31 + 1.0 for i, special in ids]))

    def constant(text, options):
        return MethodScores(np.where(text.encoded.special, 0.0, 1e-12) * 0)

    replaced(monkeypatch, by_id)
    insensitive = rows(salience_stability(BagOfWords(encoder, WEIGHTS), TEXTS, ["occlusion"]))["occlusion"]
    assert insensitive.edits.mean == 1
    replaced(monkeypatch, constant)
    nothing = rows(salience_stability(BagOfWords(encoder, WEIGHTS), TEXTS, ["occlusion"]))["occlusion"]
    assert nothing.edit_correlation == OverTexts(None, None, None, len(TEXTS))
    assert nothing.edits == OverTexts(None, None, None, 0)


def test_a_map_of_positions_is_found_out_by_an_insertion_in_front(monkeypatch, encoder):
    def by_place(text, options):
        encoded = text.encoded
        return MethodScores(np.where(encoded.special, 0.0, np.arange(len(encoded.ids)) % 3 + 1.0))

    replaced(monkeypatch, by_place)
    cells = rows(salience_stability(BagOfWords(encoder, WEIGHTS), TEXTS, ["occlusion"]))["occlusion"]
    assert cells.seeds.mean == 1
    assert cells.edits.mean < 0.9


def test_words_after_an_insertion_in_front_are_compared_with_themselves(encoder):
    forward = BagOfWords(encoder, WEIGHTS)
    [before, after] = [explain(forward, text, "occlusion").by_word() for text in (TEXTS[1], "Well, " + TEXTS[1])]
    alike, moved = map_change(*before, *after)
    assert alike == 1
    assert moved == pytest.approx(np.linalg.norm(after[1][:2])), "all that moved is what came in front"
    n = len(before[1])
    assert spearman(before[1], after[1][:n]) < 0.9, "place by place they would have been compared with other words"


def test_edits_that_the_encoder_does_not_see_are_not_counted(on_a_probe):
    edits = {edit.name: edit for edit in on_a_probe.edits}
    assert list(edits) == list(SMALL_EDITS)
    for name in ("first_letter", "double_space"):  # the tiny tokenizer folds case and spaces
        assert (edits[name].n, edits[name].n_unseen, edits[name].mean_change) == (0, len(TEXTS), None)
    for name in ("append_bye", "prepend_well", "final_sign"):
        assert (edits[name].n, edits[name].n_unseen) == (len(TEXTS), 0)
        assert edits[name].mean_change > 0


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("append_bye", "it's fine ! Bye."),
        ("prepend_well", "Well, it's fine !"),
        ("final_sign", "it's fine"),
        ("first_letter", "It's fine !"),
        ("double_space", "it's  fine !"),
    ],
)
def test_what_each_edit_does(name, expected):
    assert SMALL_EDITS[name].apply("it's fine !") == expected
    assert isinstance(SMALL_EDITS[name].apply(""), str)


def test_the_final_sign_is_added_where_there_is_none():
    assert SMALL_EDITS["final_sign"].apply("it's fine ") == "it's fine."


def test_texts_of_signs_alone_whose_edit_leaves_no_word_are_no_failure(encoder):
    result = salience_stability(BagOfWords(encoder, WEIGHTS), ["! .", *TEXTS], ["occlusion"])
    assert rows(result)["occlusion"].reason == ""
    assert {edit.name: edit.n for edit in result.edits}["final_sign"] == len(TEXTS)


def test_the_result_is_plain_json_and_the_same_each_time(encoder, on_a_probe):
    assert SalienceStability.from_json(json.loads(json.dumps(on_a_probe.to_json(), allow_nan=False))) == on_a_probe
    for each in on_a_probe.methods:
        for measure in ("seeds", "edits", "edit_correlation"):
            cell = getattr(each, measure)
            assert -1 <= cell.mean <= 1
            assert cell.low is None or cell.low <= cell.mean <= cell.high
    forward = BagOfWords(encoder, WEIGHTS)
    one, two, other = (
        salience_stability(forward, TEXTS, ["lime"], dataclasses.replace(QUICK, seed=seed), n_seeds=2) for seed in (0, 0, 9)
    )
    assert one == two
    assert rows(one)["lime"] != rows(other)["lime"]


def test_texts_without_two_words_are_left_out_and_counted(encoder):
    forward = BagOfWords(encoder, WEIGHTS)
    plain, mixed = (salience_stability(forward, texts, ["occlusion"]) for texts in (TEXTS, ["", *TEXTS, "great"]))
    assert mixed.n_left_out == 2 and len(mixed.left_out) == 2
    assert (mixed.n_texts, mixed.methods, mixed.edits) == (plain.n_texts, plain.methods, plain.edits)


def test_a_method_that_fails_says_why_and_the_others_go_on(encoder):
    result = rows(salience_stability(BagOfWords(encoder, WEIGHTS), TEXTS, ["smoothgrad", "occlusion"]))
    assert "word embeddings" in result["smoothgrad"].reason and result["smoothgrad"].seeds is None
    assert result["occlusion"].reason == "" and result["occlusion"].seeds.mean == 1


def test_progress_rises_to_the_end_and_may_cancel(encoder):
    heard = []
    salience_stability(BagOfWords(encoder, WEIGHTS), TEXTS, ["occlusion", "lime"], QUICK, progress=lambda *a: heard.append(a))
    assert list(dict.fromkeys(heard)) == [(done, 6) for done in range(7)] and len(heard) > len(set(heard)), (
        "also between the passes of a map"
    )

    def cancel(done: int, total: int) -> None:
        if done == 1:
            raise CancelledError("no longer wanted")

    with pytest.raises(CancelledError):
        salience_stability(BagOfWords(encoder, WEIGHTS), TEXTS * 20, ["occlusion", "lime"], QUICK, progress=cancel)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n_seeds": 1}, LitProbeError, "n_seeds is 1"),
        ({"methods": ["magic"]}, UnknownNameError, "Unknown salience method"),
        ({"scalar": "loudness"}, UnknownNameError, "Unknown scalar"),
    ],
)
def test_bad_requests_get_a_sentence(encoder, arguments, error, message):
    with pytest.raises(error, match=message):
        salience_stability(BagOfWords(encoder, WEIGHTS), TEXTS, **arguments)


@pytest.mark.parametrize("check", [faithfulness, salience_stability])
def test_maps_that_are_not_exact_are_counted_by_method_and_the_baselines_are_told(encoder, check):
    """One step is too few on the way from padding, and input x gradient shares nothing out."""
    forward = planted_forward(encoder, "awful")
    texts = ["an awful plot", "the film was slow but fine"]
    options = SalienceOptions(steps=1, growth=1, samples=16)
    result = check(forward, texts, methods=["integrated_gradients", "input_x_gradient", "lime"], options=options)
    by_name = {one.method: one for one in result.methods}
    inexact = by_name["integrated_gradients"]
    assert 0 < inexact.n_inexact <= inexact.n_maps and by_name["lime"].n_inexact == by_name["input_x_gradient"].n_inexact == 0
    assert inexact.to_json()["n_inexact"] == inexact.n_inexact
    assert min(one.n_maps for one in result.methods) >= len(texts)
    verb = "is" if inexact.n_inexact == 1 else "are"
    assert result.notes[0].startswith(f"{inexact.n_inexact} of {inexact.n_maps} maps of Integrated gradients {verb} not exact: ")
    assert sum("not exact" in note for note in result.notes) == 1
    assert [note.split(":")[0] for note in result.notes if "another choice" in note] == ["Integrated gradients", "LIME"]

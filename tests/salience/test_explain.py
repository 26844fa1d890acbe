"""What holds for the maps of every salience method."""

from __future__ import annotations

import json
import math
from copy import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_encoders import ARCHITECTURES

from lit_probe.encoder import thread as thread_module
from lit_probe.encoder.encoder import load_encoder
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.errors import CancelledError, EncoderError, LitProbeError, UnknownNameError
from lit_probe.probing.probe_forward import Target, forward_of_model, forward_of_probe
from lit_probe.probing.probes.fitted import FittedProbe
from lit_probe.salience import SALIENCE_METHODS, SalienceOptions, explain, tokens_read
from lit_probe.scores.decision import Decision

TEXT = "The acting isn't great, but we loved the zqx-music"
GRADIENT_METHODS = [name for name, method in SALIENCE_METHODS.items() if method.gradient]
SIGNED_METHODS = [name for name, method in SALIENCE_METHODS.items() if method.signed]
RANDOM_METHODS = [name for name, method in SALIENCE_METHODS.items() if not method.deterministic]
QUICK = SalienceOptions(steps=12, samples=40, noise_samples=9)
FIXED = replace(QUICK, growth=1)


def hooks_of(model) -> int:
    return sum(
        len(module._forward_hooks) + len(module._forward_pre_hooks) + len(module._backward_hooks) for module in model.modules()
    )


def assert_untouched(model, n_hooks: int) -> None:
    assert hooks_of(model) == n_hooks
    assert not any(parameter.requires_grad or parameter.grad is not None for parameter in model.parameters())


@pytest.mark.parametrize("method", SALIENCE_METHODS)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_special_tokens_score_exactly_0_and_words_do_not(tiny_folder, architecture, method):
    encoder = load_encoder(str(tiny_folder(architecture, n_classes=3)))
    scores = explain(forward_of_model(encoder), TEXT, method, options=QUICK)
    special = np.array([word is None for word in scores.words])
    assert special[[0, -1]].all() and special.sum() == 2
    assert (scores.scores[special] == 0).all() and not np.signbit(scores.scores[special]).any()
    assert np.abs(scores.scores[~special]).max() > 0
    assert np.isfinite(scores.scores).all()
    assert SALIENCE_METHODS[method].signed or (scores.scores >= 0).all()


@pytest.mark.parametrize("method", SALIENCE_METHODS)
def test_a_map_says_what_it_explains_and_how_it_was_made(planted, method):
    forward = planted.forward()
    scores = explain(forward, TEXT, method, options=QUICK)
    [encoded] = planted.encoder.encode([TEXT], with_tokens=True)
    logits = forward.logits_of([encoded])[0]
    assert scores.explained == "probe at layer 2"
    assert scores.target == Target(int(logits.argmax()), "logit")
    assert scores.class_name == ("without", "with")[logits.argmax()]
    assert scores.value == pytest.approx(logits.max(), abs=1e-5)
    assert list(scores.tokens) == encoded.tokens
    for name in SALIENCE_METHODS[method].uses:
        assert scores.diagnostics[name] == getattr(QUICK, name)
    assert all(not isinstance(value, float) or math.isfinite(value) for value in scores.diagnostics.values())
    assert json.loads(json.dumps(scores.to_json(), allow_nan=False))["method"] == method


@pytest.mark.parametrize("method", SALIENCE_METHODS)
@pytest.mark.parametrize("scalar", ["logit", "probability", "margin"])
def test_asking_for_a_target_explains_that_one(planted, method, scalar):
    forward = planted.forward()
    scores = explain(forward, TEXT, method, Target(0, scalar), QUICK)
    [encoded] = planted.encoder.encode([TEXT])
    assert scores.value == pytest.approx(forward.scalar_of(forward.logits_of([encoded]), Target(0, scalar))[0], abs=1e-5)
    assert scores.class_name == "without"


@pytest.mark.parametrize("method", SIGNED_METHODS)
def test_maps_of_opposite_logits_are_opposite(planted, method):
    for_, against = (explain(planted.forward(), TEXT, method, Target(index), QUICK).scores for index in (1, 0))
    assert np.abs(for_).max() > 1e-3
    np.testing.assert_allclose(for_, -against, atol=1e-5 * np.abs(for_).max())


@pytest.mark.parametrize("layer", [1, 2, 3])
@pytest.mark.parametrize("method", SIGNED_METHODS)
def test_the_planted_word_speaks_most_for_its_class(planted, method, layer):
    text, options = "the plot was slow but great we loved it", SalienceOptions(baseline="mean")
    words, scores = explain(planted.forward(layer), text, method, Target(1), options).by_word()
    assert words[scores.argmax()] == "great"


@pytest.mark.parametrize("method", SALIENCE_METHODS)
def test_scores_of_words_gather_those_of_their_tokens(planted, method):
    scores = explain(planted.forward(), TEXT, method, options=QUICK)
    words, sums = scores.by_word("sum")
    assert words == ("The", "acting", "isn't", "great", ",", "but", "we", "loved", "the", "zqx-music")
    assert sums.sum() == pytest.approx(scores.scores.sum())
    members = [[i for i, word in enumerate(scores.words) if word == index] for index in range(len(words))]
    assert len(members[-1]) > 3, "one word should have several tokens"
    assert sums == pytest.approx([scores.scores[tokens].sum() for tokens in members])
    assert scores.by_word("l2")[1] == pytest.approx([np.linalg.norm(scores.scores[tokens]) for tokens in members])
    assert np.abs(scores.by_word("max")[1]) == pytest.approx([np.abs(scores.scores[tokens]).max() for tokens in members])
    default = "sum" if scores.signed else "l2"
    assert scores.by_word()[1].tolist() == scores.by_word(default)[1].tolist()


@pytest.mark.parametrize("method", SALIENCE_METHODS)
def test_a_repeated_map_has_the_same_digits_whatever_the_global_generators_hold(planted, method):
    first = explain(planted.forward(), TEXT, method, options=QUICK)
    np.random.random()
    torch.rand(1)
    numpy_before, torch_before = np.random.get_state(), torch.get_rng_state()
    again = explain(planted.forward(), TEXT, method, options=QUICK)
    assert first.scores.tolist() == again.scores.tolist()
    assert first.to_json() == again.to_json()
    numpy_after = np.random.get_state()
    assert numpy_before[0] == numpy_after[0] and (numpy_before[1] == numpy_after[1]).all()
    assert numpy_before[2:] == numpy_after[2:]
    assert torch.equal(torch_before, torch.get_rng_state())


@pytest.mark.parametrize("method", RANDOM_METHODS)
def test_what_others_draw_in_between_changes_nothing(planted, method):
    def others():
        np.random.seed(len(TEXT))
        torch.manual_seed(1)

    with torch.random.fork_rng(devices=[]):
        state = np.random.get_state()
        undisturbed, disturbed = (explain(planted.forward(), TEXT, method, options=QUICK, check=one) for one in (None, others))
        np.random.set_state(state)
    assert undisturbed.scores.tolist() == disturbed.scores.tolist()


@pytest.mark.parametrize("method", SALIENCE_METHODS)
def test_the_seed_matters_exactly_for_random_methods(planted, method):
    maps = [explain(planted.forward(), TEXT, method, options=SalienceOptions(steps=5, samples=20, seed=seed)) for seed in (0, 1)]
    same = maps[0].scores.tolist() == maps[1].scores.tolist()
    assert same == SALIENCE_METHODS[method].deterministic


@pytest.mark.parametrize("method", SALIENCE_METHODS)
def test_nothing_is_left_behind_after_success_failure_and_cancellation(tiny_folder, method):
    encoder = load_encoder(str(tiny_folder(n_classes=2)))
    forward = forward_of_model(encoder)
    encoder.forward(encoder.encode(["a film"]))
    n_hooks = hooks_of(encoder.model)
    numpy_before, torch_before = np.random.get_state()[1].copy(), torch.get_rng_state()

    explain(forward, TEXT, method, options=QUICK)
    assert_untouched(encoder.model, n_hooks)

    calls = []

    def cancel_at(number):
        def check():
            calls.append(number)
            if calls.count(number) == number:
                raise CancelledError("no longer wanted")

        return check

    for number in (1, 2):
        if number == 2 and SALIENCE_METHODS[method].cheap:
            continue  # one pass, and so one check
        with pytest.raises(CancelledError, match="no longer wanted"):
            explain(forward, TEXT, method, options=QUICK, check=cancel_at(number))
        assert_untouched(encoder.model, n_hooks)

    def broken(*_):
        raise RuntimeError("a broken block")

    handle = list(encoder.model.modules())[-1].register_forward_hook(broken)
    try:
        with pytest.raises(RuntimeError, match="a broken block"):
            explain(forward, TEXT, method, options=QUICK)
    finally:
        handle.remove()
    assert_untouched(encoder.model, n_hooks)
    assert (numpy_before == np.random.get_state()[1]).all() and torch.equal(torch_before, torch.get_rng_state())
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("method", GRADIENT_METHODS)
def test_an_edited_text_in_between_changes_nothing(planted, method):
    forward = planted.forward()
    before = explain(forward, TEXT, method, options=QUICK).scores
    explain(forward, "awful", method, options=QUICK)
    forward.logits_of(planted.encoder.encode(["a dull film"]))
    assert explain(forward, TEXT, method, options=QUICK).scores.tolist() == before.tolist()


@pytest.mark.parametrize("method", SALIENCE_METHODS)
@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_a_text_without_words_is_refused(planted, method, text):
    with pytest.raises(LitProbeError, match="no word to explain"):
        explain(planted.forward(), text, method)


@pytest.mark.parametrize("method", SALIENCE_METHODS)
@pytest.mark.parametrize("text", ["great", "!", "great " * 60, "\ud800 great"])
def test_a_single_token_a_full_window_and_odd_characters_work(planted, method, text):
    scores = explain(planted.forward(), text, method, Target(1), QUICK)
    assert np.isfinite(scores.scores).all()
    assert len(scores.scores) == len(scores.tokens) == len(scores.words)


@pytest.mark.parametrize("method", SALIENCE_METHODS)
def test_words_beyond_the_limit_are_named(tiny_folder, method):
    encoder = load_encoder(str(tiny_folder(n_classes=2)), max_length=6)
    scores = explain(forward_of_model(encoder), "the film was very good and great", method, options=QUICK)
    assert scores.word_texts == ("the", "film", "was", "very")
    assert scores.words_beyond_limit == ("good", "and", "great")
    assert scores.to_json()["words_beyond_limit"] == ["good", "and", "great"]


@pytest.mark.parametrize("method", SALIENCE_METHODS)
def test_a_class_that_does_not_exist_is_refused(planted, method):
    for index in (2, -1):
        with pytest.raises(LitProbeError, match="class"):
            explain(planted.forward(), TEXT, method, Target(index))


def test_an_unknown_method_is_refused_with_the_choices(planted):
    with pytest.raises(
        UnknownNameError, match=r"Unknown salience method 'attention'\. Choose one of: attention_rollout, gradient_l2"
    ):
        explain(planted.forward(), TEXT, "attention")


@pytest.mark.parametrize("method", GRADIENT_METHODS)
def test_a_model_that_passes_no_gradient_says_so(tiny_folder, method):
    encoder = load_encoder(str(tiny_folder(n_classes=2)))
    handle = encoder.model.classifier.register_forward_hook(lambda _, __, output: output.detach())
    try:
        with pytest.raises(EncoderError, match=r"passes no gradient.*LIME"):
            explain(forward_of_model(encoder), TEXT, method, options=QUICK)
        assert np.abs(explain(forward_of_model(encoder), TEXT, "occlusion").scores).max() > 0
    finally:
        handle.remove()


@pytest.mark.parametrize("method", SALIENCE_METHODS)
def test_no_pass_is_larger_than_the_token_budget(planted, method, monkeypatch):
    text = "great " + "the film was slow " * 5
    rows = []
    handle = planted.encoder.model.get_input_embeddings().register_forward_hook(lambda _, __, out: rows.append(out.shape[:2]))
    unlimited = explain(planted.forward(), text, method, Target(1), QUICK).scores
    largest = max(n * n_tokens for n, n_tokens in rows)
    budget = 3 * len(unlimited) + 1
    monkeypatch.setattr("lit_probe.encoder.encoder._CPU_TOKEN_BUDGET", budget)
    rows.clear()
    try:
        limited = explain(planted.forward(), text, method, Target(1), QUICK).scores
    finally:
        handle.remove()
    assert max(n * n_tokens for n, n_tokens in rows) <= budget
    if not SALIENCE_METHODS[method].cheap:
        assert largest > budget, "the budget should have bitten"
    if method != "smoothgrad":  # which draws in another order
        np.testing.assert_allclose(limited, unlimited, atol=1e-5 * np.abs(unlimited).max())


def test_at_a_probability_near_1_the_logits_gradient_still_speaks(planted):
    probe = planted.probes[2]
    [(weight, bias)] = probe.layers
    [encoded] = planted.encoder.encode(["a great film"])
    logit = planted.forward().logits_of([encoded])[0, 1]
    # Steeper by as much as brings the planted text to p = 0.999 (the two logits are opposite).
    factor = math.log(0.999 / 0.001) / (2 * logit)
    steep = FittedProbe(probe.kind, probe.classes_, probe.mean, probe.scale, ((factor * weight, factor * bias),), True)
    forward = forward_of_probe(planted.encoder, "mean", 2, steep)
    maps = {scalar: explain(forward, "a great film", "gradient_l2", Target(1, scalar)) for scalar in ("logit", "probability")}
    assert maps["probability"].value == pytest.approx(0.999, abs=1e-5)
    assert maps["logit"].scores.max() > 1
    # d p = 2 p (1 - p) d logit
    np.testing.assert_allclose(maps["probability"].scores, 2 * 0.999 * 0.001 * maps["logit"].scores, rtol=1e-3)


@pytest.mark.parametrize("method", [name for name, method in SALIENCE_METHODS.items() if not method.cheap])
def test_others_use_the_encoder_between_the_passes_of_a_map_and_every_pass_asks_whether_to_go_on(planted, method, monkeypatch):
    monkeypatch.setattr("lit_probe.encoder.encoder._CPU_TOKEN_BUDGET", 40)
    events, checks = [], []

    def note(_, __, ___):
        events.append("pass")
        if len(events) == 2:
            thread_module._encoder_thread.submit(events.append, "other")

    forward = planted.forward()
    explain(forward, "great", "gradient_l2")  # the encoder is loaded, and its layers are known
    handle = planted.encoder.model.encoder.layer[0].register_forward_hook(note)
    try:
        explain(forward, "the film was slow but great", method, Target(1), QUICK, check=lambda: checks.append(1))
    finally:
        handle.remove()
    on_encoder_thread(lambda: None)
    assert "other" in events and events.index("other") < len(events) - 1, events
    assert len(checks) >= events.count("pass") >= 3


@pytest.mark.parametrize("method", SALIENCE_METHODS)
@pytest.mark.parametrize("text", ["great", TEXT])
def test_the_tokens_that_a_map_costs_are_told_beforehand(planted, method, text):
    rows = []
    forward = planted.forward()
    explain(forward, "great", "gradient_l2")
    told = tokens_read(forward, text, method, FIXED)
    handle = planted.encoder.model.encoder.layer[0].register_forward_hook(lambda _, inputs, __: rows.append(inputs[0].shape[:2]))
    try:
        explain(forward, text, method, Target(1), FIXED)
    finally:
        handle.remove()
    read = sum(n * n_tokens for n, n_tokens in rows) * (3 if SALIENCE_METHODS[method].gradient else 1)
    assert 0.5 * told <= read <= told


@pytest.mark.parametrize("method", ["integrated_gradients", "gradient_shap"])
def test_a_map_that_grows_reads_no_more_than_its_growth_allows_and_reads_nothing_twice(random_probe, method):
    forward, _ = random_probe("bert", 2)
    text = "we hated the worst scene , sad and fast"
    rows = []
    explain(forward, text, "gradient_l2")
    handle = forward.encoder.model.encoder.layer[0].register_forward_hook(lambda _, inputs, __: rows.append(inputs[0].shape[0]))
    try:
        maps, read = [], []
        for growth in (1, 8):
            rows.clear()
            maps.append(explain(forward, text, method, Target(2, "margin"), replace(QUICK, growth=growth, seed=1)))
            read.append(sum(rows))
    finally:
        handle.remove()
    first, grown = (one.diagnostics["n_used"] for one in maps)
    assert first < grown <= 8 * first
    # Beside the points: the number at every place where the path is cut, of which there are fewer than points.
    assert grown - first <= read[1] - read[0] <= 2 * (grown - first)


@pytest.mark.parametrize("method", ["gradient_l2", "occlusion"])
def test_by_default_the_class_is_explained_that_the_study_decides_for(planted, method):
    """Where a class is rare it is decided for at a smaller probability, see `Decision`."""
    plain = explain(planted.forward(), TEXT, method, options=QUICK).target.class_index
    rare = copy(planted.forward())
    rare.decision = Decision("prior", (1e-9, 1 - 1e-9) if plain == 1 else (1 - 1e-9, 1e-9))
    assert explain(rare, TEXT, method, options=QUICK).target.class_index == 1 - plain

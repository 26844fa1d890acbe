"""Neurons that carry a planted concept matter in the forward pass, others do not, and nothing is left behind."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from tiny_encoders import ARCHITECTURES, N_BLOCKS

from lit_probe.data import split_texts
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import CancelledError, LitProbeError, ProbeError, UnknownNameError
from lit_probe.neurons.effects.ablation import (
    REPLACEMENTS,
    Ablated,
    Ablation,
    ablate,
    against_random,
    change_of,
    changed_by,
    moved_by,
    probe_directions,
    random_directions,
    random_units,
    usual_tokens,
    without,
)
from lit_probe.neurons.effects.curve import AblationCurve, ablation_curve
from lit_probe.probing.layer_states import LayerStates
from lit_probe.probing.study import probe_layers

# Neurons of the tiny encoder vary about as much as one another; this one can be made to differ.
ODD = 5
TEXTS = ["a very good film", "dull", "the plot is slow and the acting is bad, but we loved the music", "great"]


def hooks_of(model) -> int:
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules())


@pytest.fixture(scope="module")
def study(tiny_folder):
    """Probes of a tiny encoder for the presence of the word 'great'."""
    return probe_layers(load_encoder(str(tiny_folder())), split_texts(*planted()))


def with_odd_neuron(folder, weight):
    """The same probes, after `ODD` of the blocks' first two outputs was scaled."""
    encoder = load_encoder(str(folder))
    with torch.no_grad():
        for block in encoder.model.encoder.layer[:2]:
            block.output.LayerNorm.weight[ODD] = weight
            block.output.LayerNorm.bias[ODD] = 0
    return probe_layers(encoder, split_texts(*planted()))


@pytest.fixture(scope="module")
def dying(tiny_folder):
    """As some neurons of all-MiniLM-L6-v2 are."""
    return with_odd_neuron(tiny_folder(), 1e-33)


def planted():
    random = np.random.default_rng(0)
    words = "the a film plot story acting music slow fast is was very more".split()
    texts = [" ".join(random.choice(words, size=6)) for _ in range(240)]
    labels = [int(i % 2 == 0) for i in range(240)]
    return [f"{text} great" if label else text for text, label in zip(texts, labels, strict=True)], labels


def batch_of(encoder, texts=TEXTS):
    return encoder.padded(encoder.encode(texts))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("layer", range(N_BLOCKS + 1))
def test_switching_off_no_neuron_changes_nothing_bit_for_bit(tiny_folder, architecture, layer):
    encoder = load_encoder(str(tiny_folder(architecture, n_classes=2)))
    states = LayerStates(encoder, TEXTS, layer, "mean")
    usual = states.statistics()
    plain = states.go_on()
    for replacement in REPLACEMENTS:
        changed = states.go_on(changed_by(Ablation(layer, (), replacement), usual))
        assert np.array_equal(changed.pooled, plain.pooled)
        assert np.array_equal(changed.head_probabilities, plain.head_probabilities)
    some = states.go_on(changed_by(Ablation(layer, (1, 5), "zero"), usual))
    assert not np.array_equal(some.pooled, plain.pooled), "the twin: two neurons do change something"
    # And the pass that goes on is the ordinary one.
    encoded = encoder.encode(TEXTS)
    for indices in encoder.batches(encoded):
        ordinary = encoder.forward([encoded[i] for i in indices])
        assert np.array_equal(ordinary.head_logits.softmax(-1).numpy(), plain.head_probabilities[indices])


def test_each_replacement_puts_its_own_values_at_the_chosen_neurons_alone(study):
    usual = usual_tokens(study, 1)
    batch = batch_of(study.encoder)
    hidden = torch.randn(*batch.ids.shape, study.encoder.d_model)
    units = (0, 7, 30)
    others = [unit for unit in range(study.encoder.d_model) if unit not in units]
    results = {name: changed_by(Ablation(1, units, name, factor=2.0), usual)(hidden, batch) for name in REPLACEMENTS}
    for changed in results.values():
        assert torch.equal(changed[..., others], hidden[..., others])
    assert (results["zero"][..., units] == 0).all()
    np.testing.assert_allclose(results["mean"][0, 0, list(units)], usual.tokens.mean(axis=0)[list(units)], rtol=1e-4, atol=1e-6)
    assert torch.equal(results["scale"][..., units], hidden[..., units] * 2)
    donors = {tuple(row) for row in usual.tokens[:, list(units)].tolist()}
    resampled = [tuple(row) for row in results["resample"][..., list(units)].reshape(-1, 3).tolist()]
    assert set(resampled) <= donors
    assert len(set(resampled)) > 5
    again = changed_by(Ablation(1, units, "resample"), usual)(hidden, batch)
    assert torch.equal(again, results["resample"])
    other_seed = changed_by(Ablation(1, units, "resample", seed=1), usual)(hidden, batch)
    assert not torch.equal(other_seed, again)


def test_neurons_that_carry_the_concept_matter_more_than_random_ones_of_like_size(study):
    probe = study.layerwise.probes[1]
    top = tuple(int(unit) for unit in np.argsort(-np.abs(probe.coef_[0]))[:12])
    dev = study.splits.dev
    curve = ablation_curve(study, dev.texts, dev.labels, Ablation(1, top))
    assert [row.layer for row in curve.layers] == [1, 2, 3]
    assert AblationCurve.from_json(json.loads(json.dumps(curve.to_json(), allow_nan=False))) == curve
    first = curve.layers[0]
    assert first.before == 1.0
    assert first.after < first.random_low
    assert first.after_low < first.after < first.after_high
    assert first.answers.flipped > first.answers.random_flipped_high
    assert curve.exceeded == 20 and not first.answers.beyond and curve.layers[1].answers.beyond
    least = tuple(int(unit) for unit in np.argsort(np.abs(probe.coef_[0]))[:12])
    twin = ablation_curve(study, dev.texts, dev.labels, Ablation(1, least)).layers[0]
    assert twin.after >= twin.random_low
    last = ablation_curve(study, dev.texts, dev.labels, Ablation(N_BLOCKS, top), n_random=2)
    assert last.exceeded is None and [row.answers.beyond for row in last.layers] == [False]


def test_without_its_direction_the_probe_gives_every_text_the_same_answer(study):
    dev = study.splits.dev
    curve = ablation_curve(study, dev.texts, dev.labels, layer=1)
    first = curve.layers[0]
    assert first.after == pytest.approx(0.5, abs=0.06)
    assert first.random_low > first.after
    states, usual = LayerStates(study.encoder, dev.texts, 1, "mean"), usual_tokens(study, 1)
    after = states.go_on(without(probe_directions(study.layerwise.probes[1], usual), usual))
    assert np.ptp(after.probabilities(study.layerwise.probes)[:, 0, 1]) < 1e-4


@pytest.mark.parametrize("layer", [1, 2])
def test_a_neuron_that_hardly_varies_is_not_taken_for_the_whole_direction(dying, layer):
    dev, usual = dying.splits.dev, usual_tokens(dying, layer)
    spread = usual.tokens.std(axis=0, dtype=np.float64)
    assert 0 < spread[ODD] == spread.min() < 1e-30
    directions = probe_directions(dying.layerwise.probes[layer], usual)
    assert directions[0, ODD] == 0 and dying.layerwise.probes[layer].dead_units == [ODD]
    states = LayerStates(dying.encoder, dev.texts, layer, "mean")
    named = states.go_on(change_of(dying, layer, None, usual))
    assert np.ptp(states.go_on().probabilities(dying.layerwise.probes)[:, 0, 1]) > 0.5
    assert np.ptp(named.probabilities(dying.layerwise.probes)[:, 0, 1]) < 1e-4
    first = ablation_curve(dying, dev.texts, dev.labels, layer=layer).layers[0]
    # A random direction among the living units may lie near the probe's: of 36 rows four may turn.
    assert first.before == 1.0 and first.after == pytest.approx(0.5, abs=0.06) and first.random_low > 0.85


def test_random_directions_move_every_token_as_far_as_the_probes(study):
    usual = usual_tokens(study, 1)
    directions, batch = probe_directions(study.layerwise.probes[1], usual), batch_of(study.encoder)
    hidden = torch.randn(*batch.ids.shape, study.encoder.d_model)
    own = without(directions, usual)(hidden, batch) - hidden
    other = without(random_directions(1, study.encoder.d_model, 3), usual, as_far_as=directions)(hidden, batch) - hidden
    torch.testing.assert_close(other.norm(dim=-1), own.norm(dim=-1), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(other, own, atol=0.01)


@pytest.mark.parametrize("replacement", [*REPLACEMENTS, "direction"])
def test_random_changes_move_the_hidden_states_as_far_as_the_change(study, replacement):
    dev = study.splits.dev
    top = tuple(int(unit) for unit in np.argsort(-np.abs(study.layerwise.probes[1].coef_[0]))[:6])
    ablation = None if replacement == "direction" else Ablation(1, top, replacement, factor=3.0)
    curve = ablation_curve(study, dev.texts, dev.labels, ablation, layer=1, n_random=8)
    assert 0.8 < curve.hidden_states.moved_ratio < 1.25 and curve.hidden_states.matched and curve.hidden_states.notes == ()
    assert curve.hidden_states.moved_ratio == pytest.approx(curve.hidden_states.random_moved / curve.hidden_states.moved)
    assert curve.hidden_states.random_moved_low <= curve.hidden_states.random_moved <= curve.hidden_states.random_moved_high
    if replacement == "direction":
        assert curve.hidden_states.moved_ratio == pytest.approx(1, abs=1e-3)


def test_how_far_hidden_states_are_moved_is_measured_over_attended_tokens(study):
    encoder, usual = study.encoder, usual_tokens(study, 1)
    states, change = LayerStates(encoder, TEXTS, 1, "mean"), changed_by(Ablation(1, (3, 8), "zero"), usual)
    later = states.go_on(change)
    for place, text in enumerate(TEXTS):
        tokens = LayerStates(encoder, [text], 1, "mean").statistics().tokens
        expected = np.linalg.norm(tokens[:, [3, 8]]) / np.linalg.norm(tokens)
        assert later.moved[place] == pytest.approx(expected, rel=1e-4)
    tokens = states.statistics().tokens
    assert later.moved_together == pytest.approx(np.linalg.norm(tokens[:, [3, 8]]) / np.linalg.norm(tokens), rel=1e-4)
    np.testing.assert_allclose(
        states.sizes(changed_by(Ablation(1, tuple(range(encoder.d_model)), "zero"), usual)),
        np.sqrt(np.square(tokens).mean(axis=0)),
        rtol=1e-4,
    )
    assert not states.go_on().moved.any()


def test_random_sets_of_another_size_are_no_fair_comparison():
    fair = moved_by(0.2, [0.18, 0.24])
    assert fair.matched and fair.notes == () and fair.moved_ratio == pytest.approx(1.05)
    small = moved_by(0.2, [0.02, 0.06])
    assert not small.matched and "0.2 times as far" in small.notes[0]
    none = moved_by(0.0, [0.0])
    assert not none.matched and none.moved_ratio is None and "Nothing is changed" in none.notes[0]
    assert moved_by(0.1, []).random_moved is None


def test_a_neuron_without_its_like_is_not_judged(tiny_folder):
    study = with_odd_neuron(tiny_folder(), 20)
    dev = study.splits.dev
    loud = ablation_curve(study, dev.texts, dev.labels, Ablation(1, (ODD,), "zero"), n_random=5)
    assert (
        not loud.hidden_states.matched
        and loud.hidden_states.moved_ratio < 0.8
        and "cannot be judged" in loud.hidden_states.notes[0]
    )


def test_a_random_set_outdoes_all_others_at_some_layer_no_more_often_than_chance():
    random = np.random.default_rng(0)
    found = [against_random(random.exponential(size=(21, 6)) * [1, 1, 1, 10, 10, 0.1]) for _ in range(2_000)]
    share = np.mean([exceeded == 20 for exceeded, _ in found])
    assert share == pytest.approx(1 / 21, abs=0.015)
    assert all(any(beyond) == (exceeded == 20) for exceeded, beyond in found)
    # The twin: layer by layer, without correction, it would be far more often.
    naive = [(values[0] > values[1:].max(axis=0)).any() for values in random.exponential(size=(2_000, 21, 6))]
    assert np.mean(naive) > 0.2
    assert against_random(np.zeros((21, 3))) == (0, [False] * 3)


@pytest.mark.parametrize("replacement", REPLACEMENTS)
def test_a_text_is_changed_alone_as_it_is_among_others(study, replacement):
    usual = usual_tokens(study, 1)
    change = changed_by(Ablation(1, (0, 7, 30), replacement, factor=2.0, seed=4), usual)
    together = LayerStates(study.encoder, TEXTS, 1, "mean").go_on(change)
    for place, text in enumerate(TEXTS):
        alone = LayerStates(study.encoder, [text], 1, "mean").go_on(change)
        for one, all_of_them in zip(alone.pooled, together.pooled, strict=True):
            np.testing.assert_allclose(one[0], all_of_them[place], atol=1e-5)


def test_random_sets_hold_other_neurons_of_like_size():
    size = np.random.default_rng(0).lognormal(sigma=1.5, size=400)
    units = tuple(int(unit) for unit in np.argsort(-size)[:10])
    sets = [random_units(units, size, seed) for seed in range(20)]
    for drawn in sets:
        assert len(set(drawn)) == 10
        assert not set(drawn) & set(units)
    assert len(set(sets)) > 10
    assert random_units(units, size, 3) == sets[3]
    matched = np.mean([np.square(size[list(drawn)]).sum() for drawn in sets])
    at_random = np.square(size).mean() * 10
    wanted = np.square(size[list(units)]).sum()
    assert abs(matched - wanted) < abs(at_random - wanted)
    with pytest.raises(LitProbeError, match="at most half"):
        random_units(range(201), size, 0)


def test_random_directions_are_orthonormal():
    basis = random_directions(3, 40, seed=1)
    np.testing.assert_allclose(basis @ basis.T, np.eye(3), atol=1e-12)


def test_one_text_is_answered_layer_by_layer_before_and_after(study):
    answer = ablate(study, ["the film is great"], Ablation(2, (3, 4)))
    assert answer.layers == (2, 3)
    assert np.shape(answer.before) == np.shape(answer.after) == (1, 2, 2)
    pooled = study.layerwise.probes[2].predict_proba(
        LayerStates(study.encoder, ["the film is great"], 2, "mean").go_on().pooled[0]
    )
    np.testing.assert_allclose(answer.before[0][0], pooled[0])
    assert not np.array_equal(answer.before, answer.after)
    assert answer.model is None
    assert 0 < answer.moved[0] < 1


def test_the_checkpoints_own_answer_is_reported_where_it_has_a_head(tiny_folder, study):
    encoder = load_encoder(str(tiny_folder(n_classes=3)))
    own = probe_layers(encoder, study.splits)
    answer = ablate(own, TEXTS, Ablation(N_BLOCKS, (0, 1, 2, 3), "scale", factor=30.0))
    assert np.shape(answer.model.after) == (4, 3)
    assert Ablated.from_json(json.loads(json.dumps(answer.to_json(), allow_nan=False))).to_json() == answer.to_json()
    assert not np.array_equal(answer.model.before, answer.model.after)
    curve = ablation_curve(own, TEXTS, [0, 1, 0, 1], Ablation(0, (0, 1)), n_random=3)
    assert 0 <= curve.model.flipped <= 1 and 0 <= curve.exceeded <= 3
    assert curve.model.beyond in (True, False)


def test_hooks_are_gone_after_an_exception_and_after_a_cancelled_curve(study):
    model = study.encoder.model
    before = hooks_of(model)
    states = LayerStates(study.encoder, TEXTS, 1, "mean")
    with pytest.raises(ZeroDivisionError):
        states.go_on(lambda hidden, batch: 1 / 0)
    with pytest.raises((RuntimeError, IndexError, ValueError)):
        states.go_on(lambda hidden, batch: hidden[:, :1, :3])

    def stop(done, total):
        if done == 2:
            raise CancelledError("enough")

    with pytest.raises(CancelledError):
        ablation_curve(study, TEXTS, [0, 1, 0, 1], Ablation(1, (0,)), progress=stop)
    assert hooks_of(model) == before
    assert all("forward" not in vars(module) for module in model.modules())
    assert np.array_equal(states.go_on().pooled, LayerStates(study.encoder, TEXTS, 1, "mean").go_on().pooled)


def test_what_cannot_be_done_is_said_at_the_door(study):
    usual = usual_tokens(study, 0)
    with pytest.raises(UnknownNameError, match=r"Unknown neuron 99\. Layer 0 has neurons 0 to 31"):
        changed_by(Ablation(0, (99,)), usual)
    with pytest.raises(UnknownNameError, match="Unknown layer 9"):
        LayerStates(study.encoder, TEXTS, 9, "mean")
    with pytest.raises(LitProbeError, match="no text"):
        LayerStates(study.encoder, [], 1, "mean")
    with pytest.raises(LitProbeError, match="twice"):
        Ablation(0, (1, 1))
    with pytest.raises(LitProbeError, match="finite"):
        Ablation(0, (1,), "scale", factor=float("nan"))
    with pytest.raises(UnknownNameError, match="Unknown replacement 'noise'"):
        Ablation(0, (1,), "noise")
    with pytest.raises(LitProbeError, match="2 or more"):
        ablation_curve(study, TEXTS, [0, 1, 0, 1], Ablation(0, (1,)), n_random=1)
    silent = dataclasses.replace(
        study.layerwise.probes[0], layers=tuple((weight * 0, bias) for weight, bias in study.layerwise.probes[0].layers)
    )
    with pytest.raises(ProbeError, match="no direction"):
        probe_directions(silent, usual)

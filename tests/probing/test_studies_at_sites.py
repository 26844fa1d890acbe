"""Studies of an encoder at sites: ablation, salience, rankings, checks and kept probes equal what is done by hand."""

from __future__ import annotations

import json
from dataclasses import replace

import captum.attr
import numpy as np
import pytest
import torch
from every_encoder import opened
from planted_neurons import OF_CLASSES

from lit_probe.checks.battery import CHECKS, run_battery
from lit_probe.checks.check import FailedCheck
from lit_probe.data import split_texts
from lit_probe.encoder.activations import extract_activations
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import load_encoder
from lit_probe.encoder.site_search import sites_of
from lit_probe.encoder.sites import LAYERS
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.encoder.token_states import check_units
from lit_probe.errors import LitProbeError, ProbeError, UnknownNameError
from lit_probe.neurons.effects.ablation import REPLACEMENTS, Ablation, ablate, change_of, probe_directions, usual_tokens
from lit_probe.neurons.effects.curve import ablation_curve
from lit_probe.neurons.effects.erasure import erase_concept
from lit_probe.neurons.meaning.top_words import top_words
from lit_probe.neurons.rankings import rank_neurons
from lit_probe.neurons.rankings.neuron_evaluation import evaluate_ranking
from lit_probe.neurons.rankings.neuron_stability import neuron_stability
from lit_probe.probing.kept_probe import kept_probe
from lit_probe.probing.layer_states import LayerStates, later_than
from lit_probe.probing.probe_file import load_probe, save_probes
from lit_probe.probing.probe_forward import Target, forward_of_probe
from lit_probe.probing.study import probe_layers
from lit_probe.salience import SalienceOptions, explain

WORDS = "the a film plot story acting music slow fast is was very more".split()
TEXTS = ["a very good film", "dull", "the plot is slow and the acting is bad, but we loved the music", "great"]
WANTED = ["layers", "attention", "mlp", "mlp_neurons", "heads", "module:bert.encoder.layer.1.attention.self"]


def planted(n=160):
    """Texts, and whether they hold the word great; each has one of two words, so that lengths say nothing."""
    random = np.random.default_rng(0)
    labels = [int(i % 2 == 0) for i in range(n)]
    texts = []
    for label in labels:
        words = list(random.choice(WORDS, size=4))
        words.insert(random.integers(5), "great" if label else "fine")
        texts.append(" ".join(words))
    return texts, labels


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return opened(tmp_path_factory.mktemp("tiny"), "bert", n_classes=2)


@pytest.fixture(scope="module")
def study(encoder):
    return probe_layers(encoder.at(sites_of(encoder, WANTED)), split_texts(*planted()))


KINDS = ["block 1", "attention 2", "mlp 1", "mlp_neurons 2", "head 2.1", "head 3.3", "module bert.encoder.layer.1.attention.self"]


def place_of(study, name):
    return study.encoder.layer_names.index(name)


def with_hook(study, name, change, texts):
    """Pooled activations of all places while a hook that is written by hand changes one of them."""
    model, site = study.encoder.model, study.encoder.sites[place_of(study, name)]
    path = f"encoder.layer.{site.depth - 1}" if site.family == LAYERS else site.path
    module = model.base_model.get_submodule(path) if site.family == LAYERS else model.get_submodule(path)

    def changed(tensor):
        other = tensor.clone()
        other[..., site.start : site.start + site.width] = change(tensor[..., site.start : site.start + site.width])
        return other

    if site.part == "input":
        handle = module.register_forward_pre_hook(lambda _, args: (changed(args[0]), *args[1:]))
    else:
        handle = module.register_forward_hook(
            lambda _, __, out: (changed(out[0]), *out[1:]) if isinstance(out, tuple) else changed(out)
        )
    try:
        return extract_activations(study.encoder, texts, study.pooling)
    finally:
        handle.remove()


def said(study, activations, layers):
    """``[n_texts, layers, n_classes]`` what the probes of these places say."""
    return np.stack([study.layerwise.probes[one].predict_proba(activations.layer(one)) for one in layers], axis=1)


def seen(study, layers):
    """Which of the places a hook by hand reaches: not a layer that it changes itself, for transformers has read it by then."""
    return slice(1 if study.encoder.sites[layers[0]].family == LAYERS else 0, None)


def hooks(study):
    return sum(len(one._forward_hooks) + len(one._forward_pre_hooks) for one in study.encoder.model.modules())


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("replacement", [one for one in REPLACEMENTS if one != "resample"])
def test_an_ablation_at_a_place_equals_a_hook_written_by_hand(study, name, replacement):
    place, units = place_of(study, name), (0, 3, 7)
    usual = usual_tokens(study, place)
    ablation = Ablation(place, units, replacement, factor=-2.0)
    before = hooks(study)
    found = ablate(study, TEXTS, ablation)
    among = seen(study, found.layers)

    def change(states):
        other = states.clone()
        for unit in units:
            by_hand = {
                "zero": 0.0,
                "mean": float(usual.tokens[:, unit].mean(dtype=np.float64)),
                "scale": -2.0 * states[..., unit],
            }
            other[..., unit] = by_hand[replacement]
        return other

    pooled = with_hook(study, name, change, TEXTS)
    assert found.layers == later_than(study.encoder, place) and found.layers[0] == place
    np.testing.assert_allclose(found.after[:, among], said(study, pooled, found.layers)[:, among], atol=1e-5)
    plain = extract_activations(study.encoder, TEXTS, study.pooling)
    np.testing.assert_allclose(found.before, said(study, plain, found.layers), atol=1e-6)
    assert np.abs(found.after - found.before)[:, 0].max() > 1e-3
    assert found.model is not None and hooks(study) == before
    np.testing.assert_allclose(found.model.after, pooled.head_probabilities, atol=1e-5)


@pytest.mark.parametrize("name", KINDS)
def test_the_values_of_another_token_stand_in_the_place_of_resampled_ones(study, name):
    place = place_of(study, name)
    usual = usual_tokens(study, place)
    ablation = Ablation(place, (1, 2), "resample", seed=3)
    states = LayerStates(study.encoder, TEXTS[:1], place, study.pooling)
    [one] = states._batches
    batch, plain = one.padded, one.hidden
    change = change_of(study, place, ablation, usual)
    changed = on_encoder_thread(change, plain, batch)
    donors = np.random.default_rng([*b"resample", 3, *batch.ids[0].tolist()]).integers(len(usual.tokens), size=batch.ids.shape[1])
    np.testing.assert_array_equal(changed[0][:, [1, 2]].numpy(), usual.tokens[donors][:, [1, 2]])
    pooled = with_hook(study, name, lambda _: changed.clone(), TEXTS[:1])
    found = ablate(study, TEXTS[:1], ablation)
    among = seen(study, found.layers)
    np.testing.assert_allclose(found.after[:, among], said(study, pooled, found.layers)[:, among], atol=1e-5)


@pytest.mark.parametrize("name", KINDS)
def test_what_the_probe_reads_is_projected_out_as_by_hand(study, name):
    place = place_of(study, name)
    usual = usual_tokens(study, place)
    [direction] = probe_directions(study.layerwise.probes[place], usual)

    def change(states):
        scale, mean = torch.tensor(usual.scale), torch.tensor(usual.mean).double()
        standard = (states.double() - mean) / scale
        along = torch.tensor(direction)
        return ((standard - (standard @ along).unsqueeze(-1) * along) * scale + mean).float()

    pooled = with_hook(study, name, change, TEXTS)
    states = LayerStates(study.encoder, TEXTS, place, study.pooling)
    found = states.go_on(change_of(study, place, None, usual))
    among = seen(study, found.layers)
    np.testing.assert_allclose(
        found.probabilities(study.layerwise.probes)[:, among], said(study, pooled, found.layers)[:, among], atol=1e-4
    )


@pytest.mark.parametrize("name", KINDS)
def test_an_ablation_of_nothing_is_the_ordinary_pass_bit_for_bit(study, name):
    place = place_of(study, name)
    states = LayerStates(study.encoder, TEXTS, place, study.pooling)
    plain, pooled = states.go_on(), extract_activations(study.encoder, TEXTS, study.pooling)
    for same in (
        plain,
        states.go_on(change_of(study, place, Ablation(place, (1,), "scale", factor=1.0), usual_tokens(study, place))),
    ):
        for layer, values in zip(same.layers, same.pooled, strict=True):
            assert np.array_equal(values, pooled.layer(layer)), (name, layer)
    assert not plain.step.any()


def test_curves_of_ablations_at_every_kind_of_place(study):
    dev = study.splits.dev
    for name in KINDS:
        place = place_of(study, name)
        curve = ablation_curve(study, dev.texts, dev.labels.tolist(), Ablation(place, (0, 1)), n_random=2)
        assert tuple(row.layer for row in curve.layers) == later_than(study.encoder, place)
        without = ablation_curve(study, dev.texts, dev.labels.tolist(), layer=place, n_random=2)
        assert [row.before for row in without.layers] == [row.before for row in curve.layers]
        json.dumps(curve.to_json(), allow_nan=False)


def test_units_that_a_place_does_not_have_are_refused(study):
    place = place_of(study, "head 2.1")
    with pytest.raises(LitProbeError, match=r"Unknown neuron 8\. Layer \d+ has neurons 0 to 7"):
        ablate(study, TEXTS, Ablation(place, (8,)))


class ByHand:
    """A probe at a place as a function of the model's own inputs, with a hook."""

    def __init__(self, study, name, text):
        self.model, self.place = study.encoder.model, place_of(study, name)
        self.site = study.encoder.sites[self.place]
        self.probe = study.layerwise.probes[self.place]
        [encoded] = study.encoder.encode([text])
        self.ids, self.special = torch.tensor([encoded.ids]), torch.tensor([encoded.special])
        self.embedding = self.model.get_input_embeddings()

    def __call__(self, ids):
        got = []

        def keep(_, args, output):
            one = args[0] if self.site.part == "input" else output[0] if isinstance(output, tuple) else output
            got.append(one)

        handle = None
        if self.site.family != LAYERS:
            handle = self.model.get_submodule(self.site.path).register_forward_hook(keep)
        try:
            output = self.model(input_ids=ids, output_hidden_states=True)
        finally:
            if handle is not None:
                handle.remove()
        states = got[0] if got else output.hidden_states[self.site.depth]
        pooled = states[:, ~self.special[0], self.site.start : self.site.start + self.site.width].mean(dim=1).double()
        [(weight, bias)] = self.probe.layers
        standard = (pooled - torch.tensor(self.probe.mean)) / torch.tensor(self.probe.scale)
        return (standard @ torch.tensor(weight).T + torch.tensor(bias))[:, 1]


@pytest.mark.parametrize("name", KINDS)
def test_a_map_says_at_which_place_the_explained_probe_reads(study, name):
    place = place_of(study, name)
    forward = forward_of_probe(study.encoder, study.pooling, place, study.layerwise.probes[place])
    assert explain(forward, TEXTS[0], "gradient_l2", Target(1)).explained == f"probe at layer {place} ({name})"


@pytest.mark.parametrize("name", KINDS)
def test_salience_of_a_probe_at_a_place_equals_captum_and_is_complete(study, name):
    text = TEXTS[2]
    place = place_of(study, name)
    forward = forward_of_probe(study.encoder, study.pooling, place, study.layerwise.probes[place])
    options = SalienceOptions(steps=50)

    def ours(method):
        return explain(forward, text, method, Target(1), options)

    def theirs(make):
        by_hand = ByHand(study, name, text)
        scores = make(by_hand).detach()[0].double()
        return torch.where(by_hand.special[0], 0.0, scores).numpy()

    def gradient(by_hand):
        return captum.attr.LayerGradientXActivation(by_hand, by_hand.embedding).attribute(by_hand.ids).sum(dim=2)

    def integrated(by_hand):
        baselines = torch.where(by_hand.special, by_hand.ids, study.encoder.tokenizer.pad_token_id)
        method = captum.attr.LayerIntegratedGradients(by_hand, by_hand.embedding)
        return method.attribute(by_hand.ids, baselines=baselines, n_steps=50).sum(dim=2)

    for method, make in (("input_x_gradient", gradient), ("integrated_gradients", integrated)):
        expected = on_encoder_thread(theirs, make)
        assert np.abs(expected).max() > 1e-6
        np.testing.assert_allclose(ours(method).scores, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
    by_hand = ByHand(study, name, text)
    pad = torch.where(by_hand.special, by_hand.ids, study.encoder.tokenizer.pad_token_id)
    delta = on_encoder_thread(lambda: float(by_hand(by_hand.ids) - by_hand(pad)))
    assert abs(ours("integrated_gradients").scores.sum() - delta) <= 0.02 * max(abs(delta), 0.1)
    logits = forward.logits_of(study.encoder.encode([text]))
    np.testing.assert_allclose(logits[0, 1], on_encoder_thread(lambda: float(by_hand(by_hand.ids))), atol=1e-5)
    for method in ("occlusion", "lime"):
        scores = ours(method).scores
        assert np.isfinite(scores).all() and np.abs(scores).max() > 0
    occluded = ours("occlusion").scores
    assert occluded[0] == 0 and len(occluded) == len(by_hand.ids[0])


@pytest.mark.parametrize("method", OF_CLASSES)
def test_neurons_of_places_of_different_widths_are_ranked_together(study, method):
    options = None
    places = [place_of(study, name) for name in ("attention 2", "mlp_neurons 2", "head 2.1")]
    ranking = rank_neurons(study, method, places, options=options)
    widths = study.encoder.widths
    assert sorted(map(tuple, ranking.units.tolist())) == list(map(tuple, ranking.units.tolist()))
    for place in places:
        alone = rank_neurons(study, method, place)
        own = ranking.units[ranking.units[:, 0] == place, 1]
        assert np.array_equal(own, alone.units[:, 1]) and own.max() < widths[place]
    assert np.array_equal(np.sort(ranking.order), np.arange(ranking.n_units))


def test_a_ranking_over_different_widths_is_judged_and_resampled(study):
    places = [place_of(study, name) for name in ("attention 2", "mlp_neurons 2", "head 2.1")]
    ranking = rank_neurons(study, "mean_gap", places)
    evaluation = evaluate_ranking(study, ranking, seed=0)
    json.dumps(evaluation.to_json(), allow_nan=False)
    stability = neuron_stability(study, "mean_gap", places, n_draws=2)
    assert stability.n_units == ranking.n_units
    few = probe_layers(study.encoder.at(study.encoder.sites[:2]), split_texts(*planted(80)))
    with pytest.raises(UnknownNameError, match=r"is read at 0 \(embeddings\) to 1 \(block 1\)"):
        evaluate_ranking(few, ranking, seed=0)
    backwards = probe_layers(study.encoder.at(study.encoder.sites[::-1]), split_texts(*planted(80)))
    with pytest.raises(LitProbeError, match="of another study"):
        evaluate_ranking(backwards, ranking, seed=0)


def test_top_words_of_a_head_are_those_of_its_units_among_all(encoder):
    [whole] = sites_of(encoder, ["module:bert.encoder.layer.1.attention.output.dense:input"])
    read = encoder.at([*sites_of(encoder, ["head 2.1"]), whole])
    head, joined = (top_words(read, TEXTS, place, 3) for place in (0, 1))
    assert head.words.shape == (2, 8, 3)
    for field in ("word_means", "word_peaks", "context_values"):
        assert np.array_equal(getattr(head, field), getattr(joined, field)[:, 8:16])
    assert np.array_equal(head.means, joined.means[8:16]) and np.array_equal(
        head.contexts[..., :2], joined.contexts[:, 8:16, :, :2]
    )
    with pytest.raises(UnknownNameError, match=r"Unknown neuron 8\. Layer 0 has neurons 0 to 7"):
        check_units(read, 0, [8])


def test_a_concept_is_erased_at_places_of_different_widths(encoder):
    some = sites_of(encoder, ["attention 1", "mlp_neurons 1", "head 1.0"])
    study = probe_layers(encoder.at(some), split_texts(*planted(120)))
    erased = erase_concept(study)
    assert [row.layer for row in erased.layers] == [0, 1, 2]


@pytest.mark.parametrize("wanted", [["layers", "attention"], ["heads"], ["head 2.1"]])
def test_every_check_runs_at_places_or_says_why_not(encoder, wanted):
    study = probe_layers(encoder.at(sites_of(encoder, wanted)), split_texts(*planted()))
    checks = [name for name in CHECKS if name != "near_duplicates"]
    results = run_battery(study, Cache(None), names=checks)
    failed = {name: result.error for name, result in results.items() if isinstance(result, FailedCheck)}
    assert not failed or study.encoder.n_layers == 1, failed
    for name, result in results.items():
        json.dumps(result.to_json(), allow_nan=False)
        layers = getattr(result, "layers", None)
        assert layers is None or not isinstance(layers, tuple) or len(layers) in (0, study.encoder.n_layers), name
    assert study.table() and json.dumps(study.to_json(), allow_nan=False)


def test_kept_probes_of_heads_have_the_same_digits_and_refuse_other_widths(study, tmp_path):
    kept = kept_probe(study)
    again = load_probe(save_probes(study, tmp_path / "heads.safetensors"))
    place = place_of(study, "head 2.1")
    dev = study.splits.dev.texts
    ours = study.probabilities("dev")[:, place]
    for encoder in (None, study.encoder):
        assert np.array_equal(again.predict(dev, encoder, place).probabilities, ours)
    assert again.load_encoder().layer_names == study.encoder.layer_names
    vectors = study.activations["dev"].layer(place)
    assert np.array_equal(again.predict_vectors(vectors, place).probabilities, ours)
    with pytest.raises(ProbeError, match=r"\[rows, 8\] is needed"):
        again.predict_vectors(study.activations["dev"].layer(0), place)
    for other in (
        study.encoder.at_layers,
        study.encoder.at(study.encoder.sites[:-1]),
        study.encoder.at(study.encoder.sites[::-1]),
    ):
        with pytest.raises(ProbeError, match=r"places \(.*(all layers|places \()"):
            again.check_encoder(other)
    of_encoder = kept.facts.encoder
    for widths in ((), of_encoder.widths[:-1], (*of_encoder.widths, 8), (10**9,) * len(of_encoder.widths), None):
        with pytest.raises(ProbeError):
            replace(kept, facts=replace(kept.facts, encoder=replace(of_encoder, widths=widths)))


@pytest.fixture(scope="module")
def one_head(tmp_path_factory):
    """An encoder in which head 1.2 alone moves anything between tokens, so that only through it a first token knows a word."""
    folder = opened(tmp_path_factory.mktemp("tiny"), "bert").checkpoint.model_id
    encoder = load_encoder(folder)
    with torch.no_grad():
        for number, block in enumerate(encoder.model.encoder.layer):
            value = block.attention.self.value
            value.weight.mul_(20)
            for head in range(4):
                if (number, head) != (0, 2):
                    value.weight[8 * head : 8 * head + 8] = 0
                    value.bias[8 * head : 8 * head + 8] = 0
            block.attention.output.dense.weight.mul_(20)
    encoder.model.save_pretrained(folder)
    return load_encoder(folder)


def test_a_planted_head_is_chosen_among_all_and_the_later_layers_need_it(one_head):
    sites = sites_of(one_head, ["heads", "layers"])
    texts, labels = planted(240)
    study = probe_layers(one_head.at(sites), split_texts(texts, labels), pooling="cls")
    heads = probe_layers(one_head.at(sites_of(one_head, ["heads"])), split_texts(texts, labels), pooling="cls")
    assert heads.encoder.layer_names[heads.best_layer] == "head 1.2"
    place, dev = place_of(study, "head 1.2"), study.splits.dev
    last = len(sites) - 1
    gone = ablate(study, dev.texts, Ablation(place, tuple(range(8))))
    right_before, right_after = (
        (one[:, gone.layers.index(last)].argmax(axis=1) == dev.labels).mean() for one in (gone.before, gone.after)
    )
    assert right_before > 0.9 and right_after < 0.65
    other = ablate(study, dev.texts, Ablation(place_of(study, "head 1.1"), tuple(range(8))))
    np.testing.assert_allclose(other.after, other.before, atol=1e-6)
    assert not other.moved.any() and gone.moved.all()
    json.dumps(other.to_json(), allow_nan=False)

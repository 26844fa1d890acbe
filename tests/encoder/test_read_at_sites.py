"""An encoder that is read at sites: what hooks written by hand read, where a pass stops, what a change reaches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from every_encoder import EVERY, TEXTS, everywhere, opened, read_by_hand
from passes import go_on

from lit_probe.encoder.activations import extract_activations
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import encoder_of
from lit_probe.encoder.layer_calls import layer_calls, run_to
from lit_probe.encoder.site_activations import extract_sites
from lit_probe.encoder.site_search import sites_of
from lit_probe.encoder.sites import FAMILIES, LAYERS, MODULE
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.errors import EncoderError, UnknownNameError


@pytest.fixture(scope="module", params=EVERY)
def encoder(request, tmp_path_factory):
    return opened(tmp_path_factory.mktemp("tiny"), request.param)


@pytest.fixture(scope="module")
def sites(encoder):
    """All places of it."""
    return everywhere(encoder)


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return opened(tmp_path_factory.mktemp("tiny"), "bert")


def hooks(encoder):
    return sum(len(one._forward_hooks) + len(one._forward_pre_hooks) for one in encoder.model.modules())


def test_a_pass_gives_what_hooks_written_by_hand_read_at_every_place(encoder, sites):
    before = hooks(encoder)
    read = encoder.at(sites)
    encoded = encoder.encode(TEXTS)
    batch = encoder.padded(encoded)
    assert [states.shape[-1] for states in read.forward(encoded).layers] == list(read.widths)
    for site, states in zip(sites, read.forward(encoded).layers, strict=True):
        assert torch.equal(states, on_encoder_thread(read_by_hand, encoder, site, batch)), site.name
    assert hooks(encoder) == before


def test_a_pass_that_stops_at_a_place_gives_the_same_and_does_not_run_what_comes_after(encoder, sites):
    before = hooks(encoder)
    read = encoder.at(sites)
    encoded = encoder.encode(TEXTS)
    batch, whole = encoder.padded(encoded), read.forward(encoded).layers
    order = []
    handles = [
        module.register_forward_hook(lambda *_, path=path: order.append(path))
        for path, module in encoder.model.named_modules()
        if path
    ]
    try:
        encoder.forward(encoded)
        in_order = list(order)
        for place, site in enumerate(sites):
            order.clear()
            states = on_encoder_thread(run_to, read, place, batch)
            assert torch.equal(states, whole[place]), site.name
            if site.family != LAYERS:
                # Of the hooks of one module, those that were there first hear the last call, too.
                n = [at for at, path in enumerate(in_order) if path == site.path][site.number]
                assert len(order) <= n + (site.part == "output"), site.name
    finally:
        for handle in handles:
            handle.remove()
    assert hooks(encoder) == before


def changed_states(states):
    """Other numbers in the first unit of each token, far enough from these to be seen behind a saturated function."""
    other = states.clone()
    other[..., 0] += 0.5
    return other


def test_what_a_change_reaches_is_listed_for_every_pair_of_places(encoder, sites):
    before = hooks(encoder)
    read = encoder.at(sites)
    encoded = encoder.encode(TEXTS)
    batch, plain = encoder.padded(encoded), read.forward(encoded).layers
    for place, site in enumerate(sites):
        if site.family == LAYERS and layer_calls(encoder)[site.depth] is None:
            continue
        # One block stands for those like it.
        if site.family == MODULE and 1 < site.depth < encoder.n_layers - 1:
            continue
        after = go_on(read, batch, place, changed_states(plain[place])).hidden_states
        # Some architectures have told transformers of a layer by the time that it is changed.
        assert site.family == LAYERS or torch.equal(after[place], changed_states(plain[place])), site.name
        reached = {
            other.name
            for here, other in enumerate(sites)
            if here != place and not torch.equal(after[here][batch.attention_mask], plain[here][batch.attention_mask])
        }
        listed = {other.name for other in sites if other.comes_after(site)}
        assert reached <= listed, (site, sorted(reached - listed))
        if site.family != MODULE:
            same = go_on(read, batch, place, plain[place].clone()).hidden_states
            assert all(torch.equal(one, other) for one, other in zip(same, plain, strict=True)), site.name
    assert hooks(encoder) == before and all(torch.equal(a, b) for a, b in zip(read.forward(encoded).layers, plain, strict=True))


def test_what_is_listed_among_the_families_is_reached(encoder):
    sites = sites_of(encoder, list(FAMILIES))
    read = encoder.at(sites)
    encoded = encoder.encode(TEXTS)
    batch, plain = encoder.padded(encoded), read.forward(encoded).layers
    blocks = {site.depth for site in sites}
    parallel = {site.depth for site in sites if site.family == "mlp"} if _is_parallel(read, batch, plain) else set()
    for place, site in enumerate(sites):
        if site.family == LAYERS and layer_calls(encoder)[site.depth] is None:
            continue
        after = go_on(read, batch, place, changed_states(plain[place])).hidden_states
        for here, other in enumerate(sites):
            if here == place or not other.comes_after(site):
                continue
            # The attention of a parallel block is made before its feed-forward part, which does not read it.
            if other.depth == site.depth and other.depth in parallel and other.family in ("mlp", "mlp_neurons"):
                continue
            assert not torch.equal(after[here], plain[here]), (site.name, other.name)
    assert blocks == set(range(encoder.n_layers))


def _is_parallel(read, batch, plain):
    place = read.layer_names.index("attention 1")
    after = go_on(read, batch, place, changed_states(plain[place])).hidden_states
    here = read.layer_names.index("mlp 1")
    return torch.equal(after[here], plain[here])


def test_a_shared_block_is_read_at_the_right_call_beside_layers_that_are_changed(tmp_path):
    import transformers
    from tiny_encoders import build

    from lit_probe.encoder.encoder import load_encoder

    sizes = dict(num_hidden_layers=3, hidden_size=32, num_attention_heads=4, intermediate_size=48, embedding_size=16)
    folder = build(tmp_path / "albert", "bert")
    torch.manual_seed(0)
    size = len(transformers.AutoTokenizer.from_pretrained(folder))
    transformers.AlbertModel(transformers.AlbertConfig(vocab_size=size, pad_token_id=0, **sizes)).save_pretrained(folder)
    encoder = load_encoder(str(folder))
    sites = sites_of(encoder, ["layers", "attention", "mlp"])
    read = encoder.at(sites)
    encoded = encoder.encode(TEXTS)
    batch, plain = encoder.padded(encoded), read.forward(encoded).layers
    for place, site in enumerate(sites):
        same = go_on(read, batch, place, plain[place].clone()).hidden_states
        for here, other in enumerate(sites):
            if other.comes_after(site):
                torch.testing.assert_close(same[here], plain[here], atol=1e-6, rtol=0)


WANTED = ["layers", "attention", "mlp", "mlp_neurons", "heads"]


def test_pooled_activations_are_those_of_extract_sites_to_the_last_digit(encoder):
    read = encoder.at(sites_of(encoder, WANTED))
    pooled, by_name = extract_activations(read, TEXTS), extract_sites(encoder, TEXTS, WANTED)
    names = [site.name for site in read.sites]
    assert pooled.n_layers == read.n_layers and pooled.widths == read.widths and list(by_name) == names
    for place, name in enumerate(names):
        assert np.array_equal(pooled.layer(place), by_name[name]), name


def test_some_layers_are_these_layers_to_the_last_digit_in_any_order(encoder):
    chosen = (encoder.layers[-1], encoder.layers[0], encoder.layers[-1])
    read = encoder.at(chosen)
    assert read.layer_names == (encoder.layer_names[-1], encoder.layer_names[0]) and read.n_layers == 2
    some, usual = extract_activations(read, TEXTS), extract_activations(encoder, TEXTS)
    assert np.array_equal(some.layer(0), usual.layer(encoder.n_layers - 1)) and np.array_equal(some.layer(1), usual.layer(0))
    assert some.fingerprint != usual.fingerprint


def test_all_layers_are_the_encoder_itself(bert):
    assert bert.at(bert.layers) is bert and not bert.at_sites
    assert bert.at(bert.layers[::-1]).at_sites
    read = bert.at(sites_of(bert, ["attention"]))
    assert read.at(bert.layers) is bert and read.at_layers is bert and read.at(sites_of(read, ["mlp"])).at_layers is bert
    assert read.at(read.sites).sites == read.sites


def test_nothing_to_read_is_told(bert):
    with pytest.raises(EncoderError, match=r"No place is left at which tiny|No place is left at which bert"):
        bert.at(())


def test_two_places_of_one_name_are_refused(bert):
    one, two, _ = sites_of(bert, ["attention"])
    with pytest.raises(EncoderError, match="Two places are called 'attention 1'"):
        bert.at([one, replace(two, name=one.name)])


def test_a_name_of_its_own_is_kept_at_any_places(bert):
    read = bert.at(sites_of(bert, ["attention"])).named("other")
    assert read.name == read.at_layers.name == read.at(sites_of(read, ["mlp"])).name == "other" == read.at(bert.layers).name
    assert read.fingerprint == bert.at(sites_of(bert, ["attention"])).fingerprint and bert.name != "other"
    assert read.model is bert.model


def test_random_weights_are_read_at_the_same_places(bert):
    read = bert.at(sites_of(bert, ["heads"]))
    drawn = read.randomised(3)
    assert drawn.sites == read.sites and drawn.name == f"{bert.name}-random-3"
    by_layers = bert.randomised(3)
    alone = by_layers.at(sites_of(by_layers, ["heads"]))
    assert np.array_equal(extract_activations(drawn, TEXTS).layer(2), extract_activations(alone, TEXTS).layer(2))
    assert drawn.fingerprint == alone.fingerprint != read.fingerprint


def test_random_weights_of_a_checkpoint_with_a_head_are_read_in_its_body(tmp_path):
    encoder = opened(tmp_path, "bert", n_classes=2)
    read = encoder.at(sites_of(encoder, ["attention", "heads"]))
    drawn = extract_activations(read.randomised(0), TEXTS)
    by_layers = encoder.randomised(0)
    alone = extract_activations(by_layers.at(sites_of(by_layers, ["attention", "heads"])), TEXTS)
    assert all(np.array_equal(drawn.layer(place), alone.layer(place)) for place in range(read.n_layers))
    head = encoder.at([replace(sites_of(encoder, ["attention 1"])[0], path="classifier")])
    with pytest.raises(EncoderError, match=r"There is no module 'classifier' for attention 1"):
        extract_activations(head.randomised(0), TEXTS)


def test_a_model_in_memory_is_read_at_places_until_it_is_trained_on(bert):
    import transformers

    folder = bert.checkpoint.model_id
    model = transformers.AutoModel.from_pretrained(folder)
    encoder = encoder_of(model, transformers.AutoTokenizer.from_pretrained(folder))
    read = encoder.at(sites_of(encoder, ["heads", "mlp_neurons"]))
    there = bert.at(sites_of(bert, ["heads", "mlp_neurons"]))
    found, expected = extract_activations(read, TEXTS), extract_activations(there, TEXTS)
    assert all(np.array_equal(found.layer(place), expected.layer(place)) for place in range(read.n_layers))
    assert not any(len(one._forward_hooks) for one in model.modules())
    with torch.no_grad():
        model.encoder.layer[0].output.dense.weight.add_(1)
    with pytest.raises(EncoderError, match="have changed"):
        extract_activations(read, TEXTS)


def test_the_fingerprint_says_where_it_is_read(bert):
    attention = sites_of(bert, ["attention"])
    fingerprints = [
        bert.fingerprint,
        bert.at(attention).fingerprint,
        bert.at(attention[::-1]).fingerprint,
        bert.at(attention[:1]).fingerprint,
        bert.at(sites_of(bert, ["mlp"])).fingerprint,
        bert.at([*attention[:2], replace(attention[2], path=attention[1].path)]).fingerprint,
        bert.at([*attention[:2], replace(attention[2], start=8, width=8)]).fingerprint,
    ]
    assert len(set(fingerprints)) == len(fingerprints)


def test_the_fingerprint_of_all_layers_is_as_it_was(bert):
    import hashlib
    import json

    facts = {**bert.hashes, "max_length": bert.max_length, "keep": bert.keep}
    assert bert.fingerprint == hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def test_the_cache_finds_places_and_vectors_without_weights(tmp_path, bert):
    from lit_probe.encoder.encoder import load_encoder

    folder, cache = bert.checkpoint.model_id, Cache(tmp_path)
    wanted = ["heads", "attention 2", "module:encoder.layer.*.output.dense", "layers"]
    first = load_encoder(folder)
    sites = cache.sites(first, wanted)
    assert sites == sites_of(bert, wanted)
    vectors = cache.activations(first.at(sites), TEXTS)
    second = load_encoder(folder)
    found = cache.sites(second, wanted)
    again = cache.activations(second.at(found), TEXTS)
    assert found == sites and second._loaded.model is None
    assert again.widths == vectors.widths == second.at(found).widths
    for place in range(again.n_layers):
        assert np.array_equal(again.layer(place), vectors.layer(place))
        assert np.array_equal(again.layer(place), extract_activations(bert.at(sites), TEXTS).layer(place))
    assert cache.sites(second, ["heads"], [2]) == sites_of(bert, ["heads"], [2])


def test_an_entry_of_other_widths_is_computed_again(tmp_path, bert, caplog):
    cache, read = Cache(tmp_path), bert.at(sites_of(bert, ["heads", "mlp_neurons"]))
    made = cache.activations(read, TEXTS)
    [entry] = (tmp_path / "activations").iterdir()
    from lit_probe.encoder.cache import _load_block
    from lit_probe.errors import CacheError

    assert [part.shape for part in _load_block(entry, len(TEXTS), read.widths).values] == [(4, w) for w in read.widths]
    with pytest.raises(CacheError, match="values, not those of 4 texts"):
        _load_block(entry, len(TEXTS), read.widths[1:])
    assert made.widths == read.widths


@pytest.mark.parametrize("n_texts", [0, 1, 3])
def test_few_texts_and_empty_ones_have_vectors_of_the_right_width(bert, n_texts):
    read = bert.at(sites_of(bert, ["heads", "mlp_neurons"]))
    pooled = extract_activations(read, ["", "ünï ☃", "a " * 500][:n_texts])
    assert [pooled.layer(place).shape for place in range(read.n_layers)] == [(n_texts, width) for width in read.widths]
    assert all(np.isfinite(pooled.layer(place)).all() for place in range(read.n_layers))


def test_alone_beside_others_and_in_another_batch_the_vectors_are_the_same(encoder):
    read = encoder.at(sites_of(encoder, WANTED))
    together = extract_activations(read, TEXTS)
    for row, text in enumerate(TEXTS):
        alone = extract_activations(read, [text])
        for place in range(read.n_layers):
            np.testing.assert_allclose(alone.layer(place)[0], together.layer(place)[row], atol=2e-5, rtol=2e-5)


def test_depths_choose_blocks_and_the_embeddings(bert):
    assert [site.name for site in sites_of(bert, ["layers", "attention"], [0, 2])] == ["embeddings", "block 2", "attention 2"]
    with pytest.raises(UnknownNameError, match=r"There is nothing of 'attention' at layer 0 of"):
        sites_of(bert, ["attention"], [0])
    with pytest.raises(UnknownNameError, match="Unknown layer 99"):
        sites_of(bert, ["attention"], [99])


def test_an_unknown_place_names_those_there_are(bert):
    read = bert.at(sites_of(bert, ["attention"]))
    for place in (-1, 3, 99):
        with pytest.raises(
            UnknownNameError, match=rf"Unknown layer {place}\. .* is read at 0 \(attention 1\) to 2 \(attention 3\)\."
        ):
            read.check_layer(place)


def test_every_kind_of_place_has_a_gradient_to_the_word_embeddings(encoder, sites):
    sites = [site for site in sites if site.family != MODULE]
    before = hooks(encoder)
    read = encoder.at(sites)
    batch = encoder.padded(encoder.encode(TEXTS[:1]))

    def slope(place):
        given = []
        handle = encoder.model.get_input_embeddings().register_forward_hook(
            lambda *args: given.append(args[2].detach().requires_grad_()) or given[0]
        )
        try:
            states = run_to(read, place, batch)
        finally:
            handle.remove()
        return torch.autograd.grad(states.sum(dim=1).square().sum(), given[0])[0]

    for place, site in enumerate(sites):
        gradient = on_encoder_thread(slope, place)
        assert torch.isfinite(gradient).all() and gradient.abs().max() > 0, site.name
    assert hooks(encoder) == before

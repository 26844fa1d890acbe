"""Learned attention in place of pooling: one word among 200 is found and shown, and nothing is fitted to such vectors."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import tiny_encoders
import torch
import transformers

import lit_probe
from lit_probe.checks.battery import CHECKS, run_check
from lit_probe.checks.transfer import transfer
from lit_probe.data.labelled_texts import LabelledTexts, Splits
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import encoder_of
from lit_probe.errors import ProbeError, UnknownNameError, UnservedError
from lit_probe.neurons.effects.erasure import erase_concept
from lit_probe.neurons.rankings import rank_neurons
from lit_probe.neurons.rankings.neuron_stability import neuron_stability
from lit_probe.probing.attention_study import probe_attention
from lit_probe.probing.concept_map import concepts_of
from lit_probe.probing.kept_probe import kept_probe
from lit_probe.probing.probes import ProbeOptions
from lit_probe.probing.probes.attention import AttentionProbe, TokenStates, _loss, fit_attention
from lit_probe.probing.study import probe_layers
from tests.test_cli import run, six_class_table

N_WORDS = 200
# Many words that say nothing, so that their mean is no two texts' alike.
FILLERS = [
    a + b + c
    for a in ("ba", "do", "fe", "gi", "lu", "mo", "ne")
    for b in ("ra", "si", "to", "wu")
    for c in ("k", "l", "n", "p", "x")
]
TOLD = {0: "bad", 1: "good"}


def long_texts(n: int, seed: int) -> LabelledTexts:
    """Texts of 200 words, of which a single one, at a place by lot, says what the label is."""
    random = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    rows = []
    for label in labels:
        words = random.choice(FILLERS, N_WORDS)
        words[random.integers(N_WORDS)] = TOLD[int(label)]
        rows.append(" ".join(words))
    return LabelledTexts(tuple(rows), labels, ("negative", "positive"))


@pytest.fixture(scope="module")
def encoder(tiny_folder):
    """A tiny encoder with room for 200 words."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny_folder(words=(*FILLERS, *TOLD.values())))
    torch.manual_seed(0)
    sizes = {**tiny_encoders.SIZES, "max_position_embeddings": 256}
    model = transformers.BertModel(transformers.BertConfig(vocab_size=len(tokenizer), pad_token_id=0, **sizes))
    tokenizer.model_max_length = 256
    return encoder_of(model, tokenizer, max_length=256)


@pytest.fixture(scope="module")
def splits() -> Splits:
    return Splits("needles", long_texts(200, 0), long_texts(100, 1), long_texts(60, 2), {"source": "made for this test"})


@pytest.fixture(scope="module")
def study(encoder, splits):
    return probe_attention(encoder, splits)


def test_one_planted_word_in_two_hundred_is_found_where_mean_pooling_fails(encoder, splits, study):
    pooled = probe_layers(encoder, splits, pooling="mean")
    ours, theirs = (one.metrics("dev").scores["accuracy"] for one in (study, pooled))
    assert ours[0].value > 0.97 and max(score.value for score in theirs) < 0.8
    assert study.activations["dev"].share_truncated == 0


def test_the_planted_word_has_the_weight_of_its_text(study, splits):
    # One class can be told by the words of the other that are not there: its texts need no word that stands out.
    n_right = {0: 0, 1: 0}
    for text, label in zip(splits.test.texts[:20], splits.test.labels, strict=False):
        read = study.attention_weights(text, 0)
        assert read.words == tuple(text.split()) and sum(read.weights) == pytest.approx(1)
        assert read.even == 1 / N_WORDS
        n_right[int(label)] += read.words[int(np.argmax(read.weights))] == TOLD[int(label)]
    assert max(n_right.values()) >= 9
    with pytest.raises(UnknownNameError, match="Unknown layer 40"):
        study.attention_weights("a good film", 40)
    for text in ("", "   ", "\u200b"):
        with pytest.raises(ProbeError, match="The encoder reads no token of this text"):
            study.attention_weights(text)
    assert study.attention_weights("good").weights == (1.0,)


def test_parts_of_the_layers_and_the_cache_give_the_same_bits(encoder, splits, study, tmp_path):
    n_tokens = study.layerwise.probes[0].settings["n_tokens"]
    one_layer = 2 * 4 * n_tokens * encoder.d_model / 1e9
    parts = probe_attention(encoder, splits, memory_gb=1.01 * one_layer, cache=Cache(tmp_path))
    kept = probe_attention(encoder, splits, cache=Cache(tmp_path))
    for other in (parts, kept):
        assert np.array_equal(other.probabilities("dev"), study.probabilities("dev"))
        assert other.fingerprint == study.fingerprint and other.best_layer == study.best_layer
        assert other.attention_weights("a good film", 1) == study.attention_weights("a good film", 1)
    with pytest.raises(ProbeError, match=r"tokens of train take .* for one layer, and .* GB are allowed\."):
        probe_attention(encoder, splits, memory_gb=0.5 * one_layer)


def test_nothing_is_fitted_to_vectors_that_know_the_labels(study):
    for name, check in CHECKS.items():
        if check.quick:
            run_check(name, study)
        else:
            with pytest.raises(UnservedError, match="reads pooled vectors, and probes of kind 'attention' read tokens"):
                run_check(name, study)
    for refused, what in [
        (lambda: kept_probe(study), "A file of probes"),
        (lambda: rank_neurons(study, "probeless"), "The ranking 'probeless'"),
        (lambda: transfer([study, study]), "Transfer"),
        (lambda: erase_concept(study), "Erasure"),
        (lambda: neuron_stability(study, "weight_mass"), "The ranking 'weight mass"),
        (lambda: concepts_of(study, ["label"]), "A map of concepts"),
    ]:
        with pytest.raises(UnservedError, match=f"{what}.* reads pooled vectors, and probes of kind 'attention' read tokens"):
            refused()


def test_what_it_is_not_for_is_refused_in_words(encoder, splits):
    train = splits.train
    numbers = {name: LabelledTexts(rows.texts, np.linspace(0, 1, len(rows)), ()) for name, rows in splits.items()}
    with pytest.raises(UnservedError, match="The probe 'attention' is about classes; this data set asks for a number"):
        probe_attention(encoder, Splits("numbers", **numbers))
    with pytest.raises(UnservedError, match="The probe 'attention' does not take the option hidden_units"):
        probe_attention(encoder, splits, probe_options=ProbeOptions(hidden_units=(4,)))
    silent = replace(train, texts=("\u200b", *train.texts[1:]))
    with pytest.raises(ProbeError, match="reads no token of 1 train texts"):
        probe_attention(encoder, replace(splits, train=silent))
    with pytest.raises(UnknownNameError, match="Unknown probe 'attention'"):
        probe_layers(encoder, splits, probe="attention")


def test_rows_outside_train_leave_the_probe_as_it_is(encoder, splits, study):
    other = probe_attention(encoder, replace(splits, dev=long_texts(50, 7)))
    assert all(np.array_equal(a.query, b.query) for a, b in zip(other.attention, study.attention, strict=True))


def tokens(seed: int = 0, n: int = 60, d: int = 6) -> tuple[TokenStates, np.ndarray]:
    random = np.random.default_rng(seed)
    lengths = random.integers(1, 9, n)
    labels = np.arange(n) % 3
    values = random.normal(size=(lengths.sum(), d)) + np.repeat(labels, lengths)[:, None] * [1.0, *[0.0] * (d - 1)]
    return TokenStates(values.astype(np.float32), np.r_[0, np.cumsum(lengths)]), labels


def test_the_gradient_is_that_of_the_loss():
    states, labels = tokens(n=5)
    numbers = np.random.default_rng(1).normal(size=6 + 3 * 7) * 0.3
    counts = np.array([1.0, 2.0, 0.5, 1.0, 1.5])
    _, gradient = _loss(numbers, states, labels, counts, 3, 0.1)
    steps = 1e-3 * np.eye(len(numbers))
    by_hand = [
        (_loss(numbers + step, states, labels, counts, 3, 0.1)[0] - _loss(numbers - step, states, labels, counts, 3, 0.1)[0])
        / 2e-3
        for step in steps
    ]
    assert gradient == pytest.approx(np.array(by_hand), abs=1e-4)


def test_an_untrained_query_is_mean_pooling_and_weights_add_up_to_one():
    states, labels = tokens()
    fitted = fit_attention(states, labels, 3, max_epochs=3)
    even = AttentionProbe(np.zeros(6), fitted.head)
    means = [states.values[a:b].mean(axis=0) for a, b in zip(states.starts, states.starts[1:], strict=False)]
    assert even.pooled(states) == pytest.approx(np.array(means), abs=1e-5)
    assert np.add.reduceat(fitted.weights(states), states.starts[:-1]) == pytest.approx(1)


def test_dead_units_say_nothing_and_options_do_something():
    states, labels = tokens()
    wide = TokenStates(np.insert(states.values, 2, 7.0, axis=1), states.starts)
    probe = fit_attention(wide, labels, 3, seed=1)
    assert probe.query[2] == 0 and probe.head.dead_units == [2] and np.isfinite(probe.pooled(wide)).all()
    again = fit_attention(wide, labels, 3, seed=1)
    assert np.array_equal(probe.query, again.query)
    for options in (
        {"penalty": 50.0},
        {"learning_rate": 0.1},
        {"batch_size": 7},
        {"max_epochs": 2},
        {"class_weight": "balanced"},
    ):
        rare = np.where(np.arange(60) < 6, labels, 0) if "class_weight" in options else labels
        usual, other = fit_attention(wide, rare, 3, seed=1), fit_attention(wide, rare, 3, seed=1, **options)
        assert not np.array_equal(usual.query, other.query)
    assert not fit_attention(wide, labels, 3, max_epochs=2).head.converged


def test_the_command_line_shows_scores_and_words_and_comes_back_from_its_card(tiny_folder, tmp_path, capsys):
    words = tuple({*"sun rain dog night queue mud the was and we saw it again today there with a friend".split()})
    table = six_class_table(tmp_path / "feelings.csv", 3)
    columns = [f"--datasets=csv={table}", "--text_column=review", "--label_column=feeling"]
    flags = [f"--model={tiny_folder(words=words)}", f"--cache_dir={tmp_path / 'cache'}", *columns]
    assert run("layers", *flags, "--probe=attention", "--max_epochs=30", "--checks=all", f"--out={tmp_path / 'out'}") == 0
    printed = capsys.readouterr().out
    assert "reads of the first texts of dev:" in printed and "Attention read " in printed
    written = json.loads((tmp_path / "out/layers.json").read_text())
    assert (written["probe"], written["pooling"], written["probe_options"]) == ("attention", "attention", {"max_epochs": 30})
    one = written["datasets"]["feelings"]
    assert one["layers"][0]["accuracy"] > 0.9 and len(one["attention"]) == 5
    assert "reads pooled vectors" in one["checks"]["selectivity"]["error"]
    again = [
        "layers",
        f"--from={tmp_path / 'out/layers.json'}",
        f"--out={tmp_path / 'again'}",
        f"--cache_dir={tmp_path / 'cache'}",
    ]
    assert run(*again) == 0
    assert json.loads((tmp_path / "again/layers.json").read_text())["datasets"] == written["datasets"]
    assert run("report", f"--results={tmp_path / 'out/layers.json'}", f"--out={tmp_path / 'page.html'}") == 0
    page = (tmp_path / "page.html").read_text()
    assert "an attention over the text’s tokens" in page
    assert "reads of the first texts of dev" in page
    capsys.readouterr()
    for arguments, said in (
        (["layers", "--pooling=mean"], "pools tokens by what it has learnt. Leave out --pooling."),
        (["layers", "--hidden_units=4"], "The probe 'attention' does not take --hidden_units"),
        (["layers", f"--save_probes={tmp_path}"], "--save_probes is about pooled vectors"),
        (["neurons"], "reads the tokens of texts, which is asked by lit-probe layers or report"),
        (["serve"], "reads the tokens of texts, which is asked by lit-probe layers or report"),
    ):
        assert run(*arguments, *flags, "--probe=attention") == 1
        assert said in capsys.readouterr().err


def test_it_is_a_public_name():
    assert lit_probe.probe_attention is probe_attention

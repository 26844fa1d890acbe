"""Places of a decoder named by the path of their module, on reviews in a table: the README example of lm_probe.

And what lm_probe gets wrong: padding is masked in the pass itself, the order of rows decides nothing, class numbers go as far as
one likes, an unlabelled row is left out of fit and score alike while the class 0 is one, and all rows of dev are scored.
"""

from __future__ import annotations

import csv

import numpy as np
import pytest
import tiny_decoders
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from lit_probe import cli, probe_activations
from lit_probe.data import split_texts
from lit_probe.encoder.activations import extract_activations
from lit_probe.encoder.encoder import load_encoder
from lit_probe.encoder.site_search import sites_of
from lit_probe.errors import UnknownNameError
from lit_probe.probing.study import probe_layers

PLACES = ("module:transformer.h.1.mlp", "module:transformer.h.0.attn", "module:transformer.h.1")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_decoders.build(tmp_path_factory.mktemp("gpt2") / "gpt2", "gpt2")


@pytest.fixture(scope="module")
def reviews():
    rng = np.random.default_rng(0)
    words = np.array("the film plot cast ending music a of it was".split())
    labels = [("negative", "positive")[row % 2] for row in range(80)]
    feeling = {"positive": "good", "negative": "dull"}
    texts = [f"{' '.join(rng.choice(words, rng.integers(2, 12)))} {feeling[label]} {row}" for row, label in enumerate(labels)]
    return texts, labels


def test_one_command_probes_modules_by_their_path(folder, reviews, tmp_path, capsys):
    table = tmp_path / "reviews.csv"
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([["review", "sentiment"], *zip(*reviews, strict=True)])
    arguments = [
        f"--model={folder}",
        f"--datasets=csv={table}",
        "--text_column=review",
        "--label_column=sentiment",
        f"--sites={','.join(PLACES)}",
        "--pooling=mean",
        "--checks=none",
        f"--out={tmp_path / 'out'}",
        "--cache_dir=",
    ]
    assert cli.main(["lit-probe", "layers", *arguments]) == 0
    printed = capsys.readouterr().out
    assert [name in printed for name in ("module h.1.mlp", "module h.0.attn", "module h.1 ")] == [True] * 3


@pytest.mark.parametrize("n_classes", [0, 2])
def test_a_path_counts_from_the_language_model_or_from_its_body(tmp_path, n_classes):
    encoder = load_encoder(str(tiny_decoders.build(tmp_path / "gpt2", "gpt2", n_classes=n_classes)))
    whole, body = (sites_of(encoder, [f"module:{path}"]) for path in ("transformer.h.*.mlp", "h.*.mlp"))
    assert whole == body and len(whole) == 2
    with pytest.raises(UnknownNameError, match=r"has a path like 'transformer\.h\.9\.mlp'"):
        sites_of(encoder, ["module:transformer.h.9.mlp"])


def test_the_probe_of_a_module_is_scikit_learns_on_what_a_hook_reads(folder, reviews):
    texts, labels = reviews
    encoder = load_encoder(str(folder))
    study = probe_layers(encoder.at(sites_of(encoder, PLACES[:1])), split_texts(texts, labels), pooling="mean")
    train, dev = study.splits.train, study.splits.dev
    module = dict(encoder.model.named_modules())["h.1.mlp"]

    def by_hand(text):
        read = []
        handle = module.register_forward_hook(lambda *arguments: read.append(arguments[2].detach()))
        with torch.inference_mode():
            encoder.model(torch.tensor([encoder.encode([text])[0].ids]))
        handle.remove()
        return read[0][0].mean(dim=0).numpy()

    x, x_dev = (np.array([by_hand(text) for text in rows.texts], dtype=np.float64) for rows in (train, dev))
    scaler = StandardScaler().fit(x)
    fitted = LogisticRegression(C=study.layerwise.probes[0].settings["C"], tol=1e-8, max_iter=10_000)
    fitted.fit(scaler.transform(x), train.labels)
    expected = fitted.predict_proba(scaler.transform(x_dev))
    assert study.probabilities("dev")[:, 0] == pytest.approx(expected, abs=2e-4)


def test_padding_changes_no_activation_of_a_module(folder):
    encoder = load_encoder(str(folder))
    read = encoder.at(sites_of(encoder, PLACES))
    short, long = "dull", "the plot is slow and the acting is bad but i loved it all the same"
    alone, beside = (extract_activations(read, texts, "mean") for texts in ([short], [short, long]))
    for place in range(read.n_layers):
        assert np.abs(alone.layer(place)[0] - beside.layer(place)[0]).max() <= 1e-5


def test_rows_that_come_sorted_by_their_label_give_the_same_numbers(folder, reviews):
    texts, labels = reviews
    encoder = load_encoder(str(folder))
    read = encoder.at(sites_of(encoder, PLACES))
    order = np.argsort(labels, kind="stable")
    rows = (texts, labels), ([texts[i] for i in order], [labels[i] for i in order])
    one, other = (probe_layers(read, split_texts(*some), pooling="mean").table() for some in rows)
    assert one == other


def test_classes_beyond_127_are_predicted_and_scored():
    rng = np.random.default_rng(0)
    n_classes, each = 150, 8
    labels = np.repeat(np.arange(n_classes), each)
    centres = rng.normal(size=(n_classes, 40))
    x = centres[labels] + 0.05 * rng.normal(size=(len(labels), 40))
    study = probe_activations(x, labels.tolist())
    classes = study.decision.classes(study.probabilities("dev"))[:, 0]
    assert len(study.splits.label_names) == n_classes
    assert set(np.array(study.splits.label_names)[classes]) == set(np.array(study.splits.label_names)[study.splits.dev.labels])


def test_an_unlabelled_row_is_left_out_of_fit_and_score_and_the_class_0_is_one():
    rng = np.random.default_rng(0)
    labels = [row % 2 for row in range(120)]
    x = rng.normal(size=(120, 5)) + np.array(labels)[:, None]
    # What has no label is far away, so that it would move a mean, a weight and a score.
    told = [*labels, *[-1] * 30, *[None] * 30]
    with_unlabelled = probe_activations(np.concatenate([x, 100 + rng.normal(size=(60, 5))]), told)
    alone = probe_activations(x, labels)
    assert alone.splits.label_names == ("0", "1") == with_unlabelled.splits.label_names
    for name, rows in alone.splits.items():
        other = dict(with_unlabelled.splits.items())[name]
        assert len(other) == len(rows) and other.texts == rows.texts
    assert with_unlabelled.metrics("dev").n == len(alone.splits.dev)
    np.testing.assert_array_equal(alone.probabilities("dev"), with_unlabelled.probabilities("dev"))


def test_all_rows_of_dev_are_scored_however_few_train():
    labels = [row % 2 for row in range(80)]
    x = np.random.default_rng(0).normal(size=(80, 4)) + np.array(labels)[:, None]
    study = probe_activations(x, labels, splits=["train"] * 12 + ["dev"] * 60 + ["test"] * 8)
    assert study.metrics("dev").n == 60

"""Other splits: what one split's interval does not know, and what every repeat keeps to."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from counted import count_fits, count_forwards
from numpy.typing import NDArray
from planted_studies import NAMES, noise
from tiny_probing import worded_splits

from lit_probe.checks.repeats import RepeatedLayer, Repeats, _compared, _degrees, _sentence, repeats
from lit_probe.data import DATASETS, load_dataset
from lit_probe.data.labelled_texts import LabelledTexts, Splits
from lit_probe.data.options import DatasetOptions
from lit_probe.data.splitting import OtherDivisions
from lit_probe.encoder.activations import Activations
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import CancelledError, LitProbeError
from lit_probe.probing.layerwise import LayerwiseProbe
from lit_probe.probing.rules import StudyRules
from lit_probe.probing.study import LayerStudy, probe_layers
from lit_probe.scores.metrics import METRICS
from lit_probe.scores.scored_rows import ScoredRows

# Only its name is asked for.
ENCODER = SimpleNamespace(name="tiny-bert", at_sites=False)


def study_of(
    values: NDArray[np.float32],
    labels: NDArray[np.int64],
    n_train: int,
    *,
    groups=None,
    seed: int = 0,
    rules=None,
    provenance=None,
) -> LayerStudy:
    """The first ``n_train`` rows of ``values`` ``[n, n_layers, d_model]`` are train, the others dev.

    There are no activations of test: touching these raises KeyError.
    """
    rows = LabelledTexts(tuple(f"text {i}" for i in range(len(labels))), labels, NAMES, groups)
    train, dev, test = (rows.select(range(*part)) for part in ((n_train,), (n_train, len(labels)), (0,)))
    activations = {"train": Activations.from_array(values[:n_train]), "dev": Activations.from_array(values[n_train:])}
    layerwise = LayerwiseProbe.fit(activations["train"], train.labels, NAMES, groups=train.groups, seed=seed)
    return LayerStudy(ENCODER, Splits("rows", train, dev, test, provenance or {}), activations, layerwise, seed, rules)


def planted(n: int, strength: float, seed: int = 0, d_model: int = 8) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Layer 0 is noise; at layer 1 the classes lie ``strength`` standard deviations apart."""
    values, labels = noise(n, d_model=d_model, seed=seed)
    values[:, 1, 0] += strength * (labels - 0.5)
    return values, labels


@pytest.fixture(scope="module")
def result() -> Repeats:
    return repeats(study_of(*planted(500, 3.0), n_train=400), n=4)


def test_a_planted_direction_is_found_in_every_repeat_and_nowhere_else(result):
    assert min(result.layers[1].scores) > 0.85 and result.chosen == (1,) * 4
    assert all(abs(score - 0.5) < 0.2 for score in result.layers[0].scores)
    assert [layer.n_chosen for layer in result.layers] == [0, 4]


def test_permuted_labels_stay_at_chance_in_every_repeat():
    values, labels = planted(500, 3.0)
    permuted = repeats(study_of(values, np.random.default_rng(1).permutation(labels), 400), n=4)
    assert all(abs(score - 0.5) < 0.2 for layer in permuted.layers for score in layer.scores)


def test_little_train_moves_a_score_by_more_than_its_interval_over_rows_says():
    """40 rows of train, 400 of dev, 8 features, classes two standard deviations apart.

    In 200 such studies the interval over rows held their mean score, 0.786, in 74 % in place of 95 % (standard error 3 %): it
    stands for a standard error of 0.020, where the studies' scores had a standard deviation of 0.035. Over ten other splits of
    the same rows it was 0.029. Here 30 studies of four repeats.
    """
    held, errors, spreads = [], [], []
    for seed in range(30):
        values, labels = planted(440, 2.0, seed)
        layer = repeats(study_of(values[:, 1:], labels, 40, seed=seed), n=4).layers[0]
        held.append(layer.low <= 0.786 <= layer.high)
        errors.append(layer.standard_error)
        spreads.append(layer.sd)
    assert np.mean(held) < 0.9
    assert np.sqrt(np.mean(np.square(spreads))) > 1.2 * np.mean(errors)


def test_each_layer_holds_its_repeats_beside_the_studys_own_score(result):
    own = study_of(*planted(500, 3.0), n_train=400).metrics("dev").scores["accuracy"]
    for index, (layer, score) in enumerate(zip(result.layers, own, strict=True)):
        assert (layer.layer, layer.score, layer.low, layer.high) == (index, score.value, score.low, score.high)
        assert (layer.lowest, layer.highest) == (min(layer.scores), max(layer.scores))
        assert layer.mean == pytest.approx(sum(layer.scores) / 4)
        assert layer.sd == pytest.approx(np.std(layer.scores, ddof=1))
        assert layer.standard_error == pytest.approx((layer.high - layer.low) / 2 / 1.959964)
    assert result.metric == "accuracy" and result.reliable and len({*result.seeds}) == 4
    assert type(result).from_json(json.loads(json.dumps(result.to_json(), allow_nan=False))) == result


def test_a_repeat_is_the_study_of_its_own_rows_by_the_same_rules():
    """Of three negatives to one positive: the decision and the headline are those of unbalanced classes."""
    values, labels = planted(400, 2.0)
    kept = np.flatnonzero((labels == 0) | (np.arange(400) % 3 == 0))
    values, labels = values[kept], labels[kept]
    rules = StudyRules(layer_choice="log_loss")
    study = study_of(values, labels, 200, rules=rules, seed=5)
    found = repeats(study, n=2)
    assert found.metric == "balanced_accuracy" and found.seeds == (6, 7)
    divisions = OtherDivisions(study.splits.train, study.splits.dev)
    for index, seed in enumerate(found.seeds):
        train, dev = divisions.drawn(seed)
        rows = np.concatenate([train, dev])
        alone = study_of(values[rows], labels[rows], len(train), seed=seed, rules=rules)
        scores = [score.value for score in alone.dev_scores(alone.probabilities("dev"))]
        assert [layer.scores[index] for layer in found.layers] == scores
        assert found.chosen[index] == alone.best_layer and found.n_dev[index] == len(dev)


def test_the_same_seed_gives_the_same_digits_and_another_one_others(result):
    again = repeats(study_of(*planted(500, 3.0), n_train=400), n=4)
    assert again == result
    other = repeats(study_of(*planted(500, 3.0), n_train=400, seed=20), n=4)
    assert other.layers[0].scores != result.layers[0].scores


def test_the_order_of_the_rows_in_the_source_changes_nothing(tiny_folder, tmp_path):
    lines = [f"film {i} was {'good' if i % 2 else 'bad'}\t{i % 2}\tauthor {i % 23}" for i in range(120)]
    found = []
    for name, order in (("one", np.arange(120)), ("other", np.random.default_rng(0).permutation(120))):
        (tmp_path / name).mkdir()
        table = tmp_path / name / "films.tsv"
        table.write_text("\n".join(["text\tlabel\tauthor", *(lines[i] for i in order)]) + "\n")
        splits = load_dataset("tsv", str(table), DatasetOptions(group_column="author"))
        found.append(repeats(probe_layers(load_encoder(str(tiny_folder())), splits), n=2))
    assert found[0] == found[1]


def test_no_row_of_test_is_read():
    """The studies here hold no activations of test; and whatever stands in it, the answer is the same."""
    study = study_of(*planted(300, 2.0), n_train=240)
    other = dataclasses.replace(study.splits.train, texts=tuple(f"other {i}" for i in range(240)))
    changed = LayerStudy(ENCODER, dataclasses.replace(study.splits, test=other), study.activations, study.layerwise, study.seed)
    assert changed.fingerprint != study.fingerprint and repeats(changed, n=2) == repeats(study, n=2)


def test_no_text_is_encoded_again(tiny_encoder):
    passes = count_forwards(tiny_encoder)
    study = probe_layers(tiny_encoder, worded_splits())
    n_passes = len(passes)
    repeats(study, n=2)
    assert 0 < n_passes == len(passes)


def test_ten_after_five_cost_five(tmp_path, monkeypatch):
    study = study_of(*planted(200, 2.0), n_train=160)
    fits = count_fits(monkeypatch)
    five = repeats(study, 5, Cache(tmp_path))
    assert len(fits) == 5
    ten = repeats(study, 10, Cache(tmp_path))
    assert len(fits) == 10
    assert [layer.scores[:5] for layer in ten.layers] == [layer.scores for layer in five.layers]
    assert repeats(study, 10, Cache(tmp_path)) == ten and len(fits) == 10
    assert repeats(study, 10) == ten, "cached and fresh digits are the same"


def test_what_was_finished_before_it_was_cancelled_is_kept(tmp_path, monkeypatch):
    study = study_of(*planted(200, 2.0), n_train=160)
    seen = []

    def until_the_third(done: int, total: int) -> None:
        seen.append((done, total))
        if done > 4:
            raise CancelledError("not wanted")

    with pytest.raises(CancelledError):
        repeats(study, 5, Cache(tmp_path), until_the_third)
    assert seen[0] == (0, 10) and seen == sorted(seen)
    fits = count_fits(monkeypatch)
    repeats(study, 5, Cache(tmp_path))
    assert len(fits) == 3


@pytest.mark.parametrize("n", [-1, 0, 1, 1_001])
def test_a_number_of_repeats_that_tells_no_spread_is_refused(n):
    with pytest.raises(LitProbeError, match="2 to 1,000 other splits"):
        repeats(study_of(*planted(60, 2.0), n_train=40), n)


def layer_of(error: float | None, sd: float = 0.02, score: float = 0.8) -> RepeatedLayer:
    return RepeatedLayer(0, score, 0.7, 0.9, error, (), 0.8, sd, 0.78, 0.82, 0)


def test_what_is_wider_is_told_where_repeats_and_rows_suffice_for_it():
    def wider(error: float | None, n: int = 10, degrees: float | None = 199, doubt: str = "", sd: float = 0.02) -> str:
        return _compared(layer_of(error, sd), n, degrees, doubt)[0]

    told = [wider(error) for error in (0.0135, 0.0145, 0.02, 0.026, 0.03, 0.04)]
    assert told == ["splits", "unknown", "alike", "alike", "unknown", "rows"]
    assert wider(0.0170, n=500) == "splits" and wider(0.0135, degrees=3) == "unknown", (
        "few groups, or few wrong rows, tell little"
    )
    unknown = [wider(None), wider(0.04, n=4), wider(0.04, degrees=None), wider(0.04, doubt="only 20 rows"), wider(0.04, sd=0)]
    assert unknown == ["unknown"] * 5


@pytest.mark.parametrize("n", [5, 10, 50])
@pytest.mark.parametrize(
    ("metric", "shares", "rights"),
    [
        ("accuracy", (30,), (0.8,)),
        ("accuracy", (60,), (0.8,)),
        ("accuracy", (60,), (0.95,)),
        ("accuracy", (150,), (0.8,)),
        ("accuracy", (150,), (0.95,)),
        ("accuracy", (400,), (0.98,)),
        ("accuracy", (872,), (0.9,)),
        ("accuracy", (200,), (0.5,)),
        ("balanced_accuracy", (35, 115), (0.75, 0.8)),
        ("balanced_accuracy", (75, 75), (0.9, 0.9)),
        ("balanced_accuracy", (12, 138), (0.8, 0.8)),
        ("balanced_accuracy", (12, 138), (0.6, 0.9)),
        ("balanced_accuracy", (100, 770), (0.7, 0.95)),
    ],
)
def test_of_two_equal_spreads_of_discrete_scores_one_is_seldom_called_the_wider_one(metric, shares, rights, n):
    """Scores of repeats and of the study are shares of as many rows, right with one probability: 1,000 draws of each.

    "rows" in 0 to 2.9 %, "splits" in 0 to 3.3 % (standard error 0.5 points; nominally 2.5 % each). With as many degrees of
    freedom as rows, "rows" were called the wider ones in 10 to 25 % of draws of two repeats, which tie, in 8 % of ten repeats at
    30 rows and 0.95, and in 21 % of 50; "splits" in 7 % of ten and 8 % of 50.
    """
    random, told = np.random.default_rng(0), Counter()
    labels = np.repeat(np.arange(len(shares)), shares)
    labels = labels if metric == "balanced_accuracy" else random.integers(0, 2, len(labels))
    each = np.repeat(rights, shares)
    ofs = METRICS[metric]
    for _ in range(1000):
        right = random.random((n + 1, len(labels))) < each
        rows = ScoredRows(np.eye(2)[np.where(right[0], labels, 1 - labels)][:, None], labels)
        score = ofs.score(rows)[0]
        if metric == "accuracy":
            scores = right[1:].mean(axis=1)
        else:
            scores = np.mean([right[1:, labels == one].mean(axis=1) for one in (0, 1)], axis=0)
        error = (score.high - score.low) / 2 / 1.959964
        layer = RepeatedLayer(0, score.value, 0, 1, error, (), scores.mean(), scores.std(ddof=1), 0, 1, 0)
        told[_compared(layer, n, _degrees(rows, ofs, 0, scores.mean()), "")[0]] += 1
    assert max(told["splits"], told["rows"]) / 1000 < 0.025 + 3 * 0.005


def test_the_sentence_says_why_nothing_is_told_and_where_the_study_s_own_split_stands_out():
    def said(n: int = 10, degrees: float | None = 199, doubt: str = "", **changes) -> str:
        one = layer_of(**{"error": 0.02, **changes})
        return _sentence([one], 0, n, *_compared(one, n, degrees, doubt))

    cannot = "so whether it varies more over splits or over rows cannot be told"
    assert said() == (
        "At layer 0 the score varies about as much over splits as over rows: its standard deviation over 10 other splits is "
        "0.020, its standard error over the dev rows 0.020 (medians over layers: 0.020 and 0.020)."
    )
    assert said(n=3, sd=0.014, error=0.026).endswith("3 other splits are too few to tell over which of the two it varies more.")
    assert said(sd=0.0).endswith(f"all of them give the same score, {cannot}.")
    assert said(doubt="only 20 rows (fewer than 30)").endswith(f"dev has only 20 rows (fewer than 30), {cannot}.")
    assert said(degrees=None).endswith(f"fewer than 10 dev rows are wrong, or right, {cannot}.")
    assert said(error=0.0145).endswith(
        "these 10 other splits and the dev rows are too few to tell over which of the two it varies more."
    )
    assert said(error=None) == "At layer 0 the standard deviation over 10 other splits is 0.020; there is no interval over rows."
    for text in (said(score=0.7), said(score=0.7, error=None), said(score=0.7, n=3)):
        assert "The study's own split scores below all" in text
    assert said(score=0.9).endswith(
        "The study's own split scores above all 10: 0.900 against 0.780 to 0.820 (of splits that are alike, one in 5.5 is the "
        "lowest or the highest)."
    )
    assert "own split" not in said(score=0.78) + said(score=0.82)


def test_the_sentence_names_the_numbers_it_compares(result):
    best = result.layers[1]
    assert f"{best.sd:.3f}, its standard error over the dev rows {best.standard_error:.3f}" in result.sentence
    assert result.wider == "unknown" and "fewer than 10 dev rows are wrong, or right" in result.sentence


def test_where_there_is_no_interval_over_rows_the_sentence_says_so():
    values, labels = planted(120, 2.0)
    groups = np.where(np.arange(120) < 100, np.arange(120) % 10, 10 + np.arange(120) % 2).astype(str)
    found = repeats(study_of(values, labels, 100, groups=groups), n=2)
    assert found.layers[1].standard_error is None and found.wider == "unknown"
    assert "there is no interval over rows." in found.sentence
    assert not found.reliable and found.reason == "dev has only 20 rows (fewer than 30)"


def test_an_official_dev_is_mixed_with_train_and_the_notes_say_so(result):
    assert not any("source's own" in note for note in result.notes)
    official = repeats(study_of(*planted(120, 2.0), n_train=90, provenance={"official_dev": True}), n=2)
    assert any("Dev is a split of the source's own" in note for note in official.notes)


def test_loaders_say_whether_dev_is_official(tmp_path):
    for split, n in (("train", 40), ("dev", 20), ("test", 20)):
        rows = [f"{split} the film was {'good' if i % 2 else 'bad'} {i}\t{i % 2}" for i in range(n)]
        (tmp_path / f"sentences_{split}.tsv").write_text("\n".join(["sentence\tlabel", *rows]) + "\n")
    assert "sst2_sentences" in DATASETS
    assert load_dataset("sst2_sentences", str(tmp_path)).provenance["official_dev"] is True
    assert load_dataset("demo").provenance["official_dev"] is False


def test_few_groups_are_told():
    values, labels = planted(160, 2.0)
    groups = (np.arange(160) % 4).astype(str)
    groups[120:] = (4 + np.arange(40) % 4).astype(str)
    notes = repeats(study_of(values, labels, 120, groups=groups), n=4).notes
    assert "The rows belong to only 8 groups, so the other splits tell little." in notes

"""Selectivity: near 0 where the task is itself a labelling by type, above 0 where there is a direction to find."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import balanced_accuracy_score

from lit_probe.checks.control_task import CONTROLS, ControlTask
from lit_probe.checks.layer_comparison import defined_scores, score_draws
from lit_probe.checks.selectivity import Selectivity, memorisation, selectivity, two_way_draws
from lit_probe.data.labelled_texts import LabelledTexts, Splits
from lit_probe.encoder.activations import Activations
from lit_probe.errors import CancelledError, DatasetError, UnknownNameError
from lit_probe.probing.layerwise import LayerwiseProbe
from lit_probe.probing.probes import PROBES, FittedProbe, ProbeKind
from lit_probe.probing.probes.training_data import standardisation, standardised
from lit_probe.probing.study import LayerStudy
from lit_probe.scores.intervals import percentile_interval
from lit_probe.scores.metrics import score_layers
from lit_probe.scores.scored_rows import ScoredRows
from tests.kinds_of_probe import OF_CLASSES

NAMES = ("negative", "positive")
D_MODEL = 32
N_TRAIN, N_DEV = 400, 500


def bags_of_words(seed: int = 0) -> tuple[Splits, NDArray[np.float32]]:
    """Texts of five words as frequent as words are, and the sums of their words' vectors, ``[n_examples, d_model]``."""
    random = np.random.default_rng(seed)
    words = np.array([a + b + c for a in ("ba", "do", "fi", "ku") for b in ("lun", "rit", "mog", "tas", "sep") for c in "aeiou"])
    share = 1 / np.arange(3, 3 + len(words))
    picks = random.choice(len(words), (N_TRAIN + N_DEV, 5), p=share / share.sum())
    vectors = random.normal(size=(len(words), D_MODEL))
    rows = LabelledTexts(
        tuple(" ".join(words[pick]) for pick in picks), random.permutation(np.arange(len(picks)) % 2).astype(np.int64), NAMES
    )
    splits = Splits("bags", rows.select(range(N_TRAIN)), rows.select(range(N_TRAIN, N_TRAIN + N_DEV)), rows.select([]))
    return splits, vectors[picks].sum(axis=1).astype(np.float32)


def labelled(splits: Splits, train: NDArray[np.int64], dev: NDArray[np.int64]) -> Splits:
    return replace(splits, train=replace(splits.train, labels=train), dev=replace(splits.dev, labels=dev))


def study_of(splits: Splits, *layers: NDArray[np.float32], probe: str = "logistic", seed: int = 0) -> LayerStudy:
    """A study of given activations, one array ``[n_examples, d_model]`` per layer; no encoder is asked for anything."""
    values = np.stack(layers, axis=1)
    n_train = len(splits.train)
    activations = {"train": Activations.from_array(values[:n_train]), "dev": Activations.from_array(values[n_train:])}
    train = splits.train
    layerwise = LayerwiseProbe.fit(activations["train"], train.labels, NAMES, groups=train.groups, probe=probe, seed=seed)
    return LayerStudy(None, splits, activations, layerwise, seed)


def planted(seed: int = 0, strength: float = 4.0, share: float = 0.5, **options) -> LayerStudy:
    """Two layers of bags of words whose task is a direction in the second, unrelated to any word."""
    splits, x = bags_of_words(seed)
    random = np.random.default_rng(seed + 100)
    labels = (random.permutation(len(x)) < share * len(x)).astype(np.int64)
    direction = random.normal(size=D_MODEL)
    signs = np.where(labels == 1, strength, -strength)[:, None]
    moved = x + (signs * direction / np.linalg.norm(direction)).astype(np.float32)
    return study_of(labelled(splits, labels[:N_TRAIN], labels[N_TRAIN:]), x, moved, **options)


@pytest.fixture(scope="module")
def study() -> LayerStudy:
    return planted()


@pytest.fixture(scope="module")
def result(study):
    return selectivity(study)


def fit_least_squares(x, labels, n_classes, groups=None, seed=0) -> FittedProbe:
    """A linear probe in closed form, some ten times as fast as the logistic one: for laws that take thousands of fits."""
    mean, scale = standardisation(x)
    scaled, sides = standardised(x, mean, scale), np.where(labels == 1, 1.0, -1.0)
    gram = scaled.T @ scaled + 0.1 * len(scaled) * np.eye(scaled.shape[1])
    weight, bias = np.linalg.solve(gram, scaled.T @ (sides - sides.mean())), sides.mean()
    return FittedProbe("least_squares", [0, 1], mean, scale, ((np.stack([-weight, weight]), np.array([-bias, bias])),), True)


def test_over_20_labellings_by_type_of_each_of_8_data_sets_the_mean_is_0_and_4_in_5_intervals_hold_0(monkeypatch):
    monkeypatch.setitem(PROBES, "least_squares", ProbeKind(fit_least_squares))
    values, hold, scores = np.empty((8, 20)), np.empty((8, 20)), []
    for data_set in range(8):
        splits, x = bags_of_words(data_set)
        words = ControlTask.of("word", splits)
        for task in range(20):
            labels = words.labels(10_000 + task)
            study = study_of(labelled(splits, labels["train"], labels["dev"]), x, probe="least_squares", seed=10 * task)
            one = selectivity(study).layers[0]
            values[data_set, task], hold[data_set, task] = one.selectivity, one.low <= 0 <= one.high
            scores.append(one.task)
    assert np.abs(values.mean(axis=1)).max() < 0.01
    assert abs(values.mean()) < 0.005
    assert 0.8 <= hold.mean() <= 0.97
    # A task is itself one labelling, easy or hard, so on a single data set even fewer of the intervals may hold 0.
    assert 0.6 <= hold.mean(axis=1).min() < 0.9
    # The sanity twin: labels by type are learnt, so against one random label per text all these tasks would look selective.
    splits, x = bags_of_words()
    chance = dev_scores(study_of(splits, x), ControlTask.one_label_per_text(splits).labels(0))[0]
    assert chance == pytest.approx(0.5, abs=0.06)
    assert min(scores) - chance > 0.15


def test_on_a_planted_direction_the_interval_excludes_0_and_without_one_it_does_not(study, result):
    nothing, direction = result.layers
    assert direction.task > 0.95 and direction.low > 0
    # Words are decodable from bags of words and the task is not, hence a negative selectivity.
    assert nothing.task < 0.6 and nothing.high < 0


def dev_scores(study: LayerStudy, labels: dict[str, NDArray[np.int64]], metric: str = "accuracy") -> list[float]:
    """What probes of the study's kind score on dev when they are fitted to these labels."""
    probe = LayerwiseProbe.fit(study.activations["train"], labels["train"], NAMES, probe=study.layerwise.kind, seed=study.seed)
    decision = study.decision.of_other_train(labels["train"])
    scores = score_layers(metric, probe.predict_proba(study.activations["dev"]), labels["dev"], decision=decision)
    return [score.value for score in scores]


@pytest.mark.parametrize("probe", OF_CLASSES)
def test_controls_are_scored_as_the_task_is_by_the_same_kind_of_probe_and_rule(probe):
    study = planted(probe=probe)
    layers = selectivity(study, n_seeds=2).layers
    control = ControlTask.of("word", study.splits)
    by_hand = np.array([dev_scores(study, control.labels(seed)) for seed in (0, 1)])
    on_task = dev_scores(study, {"train": study.splits.train.labels, "dev": study.splits.dev.labels})
    for layer, row in enumerate(layers):
        assert row.layer == layer
        assert row.controls == tuple(by_hand[:, layer])
        assert row.task == on_task[layer]
        assert row.selectivity == pytest.approx(on_task[layer] - by_hand[:, layer].mean())
        assert row.low <= row.selectivity <= row.high


def test_an_imbalanced_task_is_measured_by_balanced_accuracy_and_so_is_its_control():
    study = planted(share=0.25)
    result = selectivity(study, n_seeds=2)
    assert result.metric == study.headline == "balanced_accuracy"
    labels = ControlTask.of("word", study.splits).labels(study.seed)
    assert labels["train"].mean() == pytest.approx(study.splits.train.labels.mean(), abs=0.01)
    probe = LayerwiseProbe.fit(study.activations["train"], labels["train"], NAMES)
    predicted = (probe.predict_proba(study.activations["dev"]) / (np.bincount(labels["train"]) / len(labels["train"]))).argmax(
        axis=2
    )
    for layer, row in enumerate(result.layers):
        assert row.controls[0] == pytest.approx(balanced_accuracy_score(labels["dev"], predicted[:, layer]))
        assert row.low < row.selectivity < row.high


def simulated(
    n_rows: int, spread: float, p: float = 0.8, control: float = 0.68, n_seeds: int = 5, n_sets: int = 300
) -> tuple[float, float]:
    """How often the two-way interval, and one over rows alone, hold the truth: task ``p`` less the mean control."""
    random = np.random.default_rng(1)

    def draws(p: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        labels = random.integers(0, 2, n_rows)
        answers = np.where(random.random((n_rows, n_sets)) < p, labels[:, None], 1 - labels[:, None])
        rows = ScoredRows(np.eye(2)[answers], labels)
        return np.array(defined_scores("accuracy", rows)), score_draws("accuracy", rows)

    value, task = draws(np.full(n_sets, p))
    pairs = [draws(random.normal(control, spread, n_sets)) for _ in range(n_seeds)]
    values, controls = value - np.mean([pair[0] for pair in pairs], axis=0), np.stack([pair[1] for pair in pairs])

    def share_covering(differences: NDArray[np.float64]) -> float:
        intervals = [percentile_interval(*pair) for pair in zip(differences, values, strict=True)]
        return float(np.mean([low <= p - control <= high for low, high in intervals]))

    return share_covering(two_way_draws(task, controls, 0)), share_covering(task - controls.mean(axis=0))


@pytest.mark.parametrize("n_rows", [872, 200])
@pytest.mark.parametrize(("p", "control"), [(0.6, 0.55), (0.8, 0.68), (0.95, 0.7)])
@pytest.mark.parametrize("spread", [0.0, 0.03])
def test_the_two_way_interval_covers_the_truth_and_errs_on_the_wide_side(n_rows, p, control, spread):
    two_way, rows_alone = simulated(n_rows, spread, p, control)
    assert 0.94 <= two_way <= 1.0
    assert rows_alone < two_way


def test_an_interval_over_rows_alone_does_not_cover_what_other_labellings_change():
    two_way, rows_alone = simulated(872, 0.06)
    assert rows_alone < 0.75
    assert two_way >= 0.88


def test_draws_are_paired_so_what_rows_have_in_common_cancels():
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 500)
    hard = random.random(500) < 0.3
    right = ScoredRows(np.eye(2)[np.where(hard, 1 - labels, labels)][:, None], labels)
    draws = score_draws("accuracy", right)
    assert np.ptp(two_way_draws(draws, np.stack([draws, draws]), 0)) == 0
    assert two_way_draws(draws, np.stack([draws, draws])[:, :, ::-1], 0).std() > 0.02


def test_rows_of_a_group_are_resampled_together():
    study = planted(strength=1.0)
    dev = study.splits.dev
    # Five copies of every fifth row: as groups they are 100 observations, not 500.
    rows = np.repeat(np.arange(0, N_DEV, 5), 5)

    def width(groups: NDArray[np.str_] | None) -> float:
        splits = replace(study.splits, dev=replace(dev.select(rows), groups=groups))
        activations = {**study.activations, "dev": Activations.from_array(study.activations["dev"].values[rows])}
        row = selectivity(LayerStudy(None, splits, activations, study.layerwise, 0), n_seeds=2).layers[1]
        return row.high - row.low

    assert width(rows.astype(str)) > 1.5 * width(None)


def test_memorisation_is_the_train_accuracy_with_one_random_label_per_text(study, result):
    labels = ControlTask.one_label_per_text(study.splits).labels(study.seed)
    probe = LayerwiseProbe.fit(study.activations["train"], labels["train"], NAMES, like=study.layerwise)
    assert [one.settings["C"] for one in probe.probes] == [one.settings["C"] for one in study.layerwise.probes]
    by_hand = score_layers("accuracy", probe.predict_proba(study.activations["train"]), labels["train"])
    assert memorisation(study) == result.memorisation == tuple(score.value for score in by_hand)


def test_memorisation_is_more_than_the_majority_where_a_probe_can_learn_by_heart(study):
    """With a C of their own the random labels get 1e-4, and the answer is the majority's: 0.5525 at the layer that knows the
    task, where it is 0.615 at the task's C."""
    train, labels = study.activations["train"], ControlTask.one_label_per_text(study.splits).labels(study.seed)["train"]
    own = LayerwiseProbe.fit(train, labels, NAMES)
    by_own = score_layers("accuracy", own.predict_proba(train), labels)[1].value
    assert by_own == pytest.approx(max(labels.mean(), 1 - labels.mean()), abs=0.01)
    assert memorisation(study)[1] > by_own + 0.05


def test_a_perceptron_learns_random_labels_by_heart_and_still_knows_nothing_about_dev():
    splits, x = bags_of_words()
    study = study_of(splits, x, probe="mlp")
    assert memorisation(study)[0] > 0.6
    assert dev_scores(study, ControlTask.one_label_per_text(splits).labels(0))[0] == pytest.approx(0.5, abs=0.06)


def test_the_answer_is_json_with_finite_numbers_and_says_what_the_control_is(study, result):
    assert Selectivity.from_json(json.loads(json.dumps(result.to_json(), allow_nan=False))) == result
    assert (result.control, result.n_seeds, result.metric) == ("word", 5, "accuracy")
    assert all(len(row.controls) == 5 for row in result.layers)
    assert (
        "content word that occurs in most training texts, of which train has 37 different ones; 5 labellings" in result.notes[0]
    )
    counts = Counter(ControlTask.of("word", study.splits).train_types)
    assert [one.name for one in result.most_common] == sorted(counts, key=lambda name: (-counts[name], name))[:5]
    assert [one.share for one in result.most_common] == [counts[one.name] / N_TRAIN for one in result.most_common]
    largest, second = result.most_common[:2]
    assert f"Most common in train: {largest.name} {largest.share:.1%}, {second.name} {second.share:.1%}, " in result.notes[0]
    assert "For 95% of the dev texts it also stands in train." in result.notes[0]


def test_the_same_study_gives_the_same_digits_and_another_seed_other_controls(study, result):
    assert selectivity(study) == result
    other = selectivity(LayerStudy(None, study.splits, study.activations, study.layerwise, 50))
    assert other.layers[0].controls != result.layers[0].controls


def test_progress_counts_layers_up_to_the_last(study):
    heard = []
    selectivity(study, n_seeds=2, progress=lambda done, total: heard.append((done, total)))
    assert heard == [(done, 6) for done in range(1, 7)]


def test_a_computation_that_is_no_longer_wanted_ends(study):
    heard = []

    def cancel(done: int, total: int) -> None:
        heard.append(done)
        if done == 3:
            raise CancelledError("Nobody waits any more.")

    with pytest.raises(CancelledError):
        selectivity(study, progress=cancel)
    assert heard == [1, 2, 3]


def test_a_control_whose_types_do_not_repeat_is_refused(study):
    dev = replace(study.splits.dev, columns={"author": np.array([f"dev {i}" for i in range(N_DEV)])})
    train = replace(study.splits.train, columns={"author": np.array([f"train {i % 30}" for i in range(N_TRAIN)])})
    apart = LayerStudy(None, replace(study.splits, train=train, dev=dev), study.activations, study.layerwise, 0)
    with pytest.raises(
        DatasetError, match="'group:author' says nothing about dev: 0% of its texts have a type that also stands in"
    ):
        selectivity(apart, "group:author")


def with_texts(study: LayerStudy, train: list[str], dev: list[str]) -> LayerStudy:
    splits = replace(
        study.splits,
        train=replace(study.splits.train, texts=tuple(train)),
        dev=replace(study.splits.dev, texts=tuple(dev)),
    )
    return LayerStudy(None, splits, study.activations, study.layerwise, 0)


@pytest.mark.parametrize(
    ("kind", "others"),
    [
        ("word", "Choose another control: first_word, or group: and the name of a column."),
        ("first_word", "Choose another control: word, or group: and the name of a column."),
    ],
)
def test_advice_never_offers_the_control_that_has_failed(study, kind, others):
    apart = with_texts(study, [f"glacier{i}" for i in range(N_TRAIN)], [f"harbour{i}" for i in range(N_DEV)])
    for failing in (apart, with_texts(study, ["glacier"] * N_TRAIN, ["glacier"] * N_DEV)):
        with pytest.raises(DatasetError) as error:
            selectivity(failing, kind)
        assert str(error.value).endswith(others)


@pytest.mark.parametrize("kind", ["word", "first_word"])
@pytest.mark.parametrize("letters", ["聊彩好演动感精音荐面", "ひらがなカタ漢字文", "ภาพยนตร์ดีมาก", "រឿងល្អណាស់"])
def test_texts_without_spaces_are_told_why_no_word_is_their_type(study, kind, letters):
    random = np.random.default_rng(0)
    texts = ["".join(random.choice(list(letters), 20)) for _ in range(N_TRAIN + N_DEV)]
    with pytest.raises(DatasetError, match=r"put no spaces between words, so no word can be their type\. Choose group: and the"):
        selectivity(with_texts(study, texts[:N_TRAIN], texts[N_TRAIN:]), kind)


@pytest.mark.parametrize("letters", ["абвгдежз", "अआइईउऊ", "가나다라마"])
def test_texts_with_spaces_are_not_told_so_in_any_script(study, letters):
    random = np.random.default_rng(0)
    texts = ["".join(random.choice(list(letters), 20)) for _ in range(N_TRAIN + N_DEV)]
    with pytest.raises(DatasetError, match="Choose another control: first_word, or group"):
        selectivity(with_texts(study, texts[:N_TRAIN], texts[N_TRAIN:]), "word")


def test_what_cannot_be_a_control_is_said_before_anything_is_fitted(study, monkeypatch):
    monkeypatch.setattr(LayerwiseProbe, "fit", None)
    same = replace(study.splits, train=replace(study.splits.train, texts=("one word",) * N_TRAIN))
    same = replace(same, dev=replace(same.dev, texts=("one word",) * N_DEV))
    with pytest.raises(DatasetError, match="'word' cannot be balanced like the task: train has 1 type for 2 classes"):
        selectivity(LayerStudy(None, same, study.activations, study.layerwise, 0))
    with pytest.raises(UnknownNameError, match="Unknown control 'k_means'"):
        selectivity(study, "k_means")
    with pytest.raises(
        UnknownNameError, match=rf"Unknown control 'memorisation'. Choose one of: {', '.join(sorted(CONTROLS))}\."
    ):
        selectivity(study, "memorisation")
    with pytest.raises(DatasetError, match="2 control labellings or more to tell how far they differ; got 1"):
        selectivity(study, n_seeds=1)


def on_dev_rows(study: LayerStudy, rows: NDArray[np.int64], **changes) -> LayerStudy:
    """The study with some of its dev rows only."""
    splits = replace(study.splits, dev=replace(study.splits.dev.select(rows), **changes))
    activations = {**study.activations, "dev": Activations.from_array(study.activations["dev"].values[rows])}
    return LayerStudy(None, splits, activations, study.layerwise, study.seed)


def of_both_classes(study: LayerStudy, where: NDArray[np.bool_], n: int = 20) -> NDArray[np.int64]:
    """Dev rows of both classes of the task, ``n`` of each, from those that are allowed."""
    return np.concatenate([np.flatnonzero(where & (study.splits.dev.labels == c))[:n] for c in (0, 1)])


def test_a_labelling_that_gives_dev_no_row_of_a_class_is_passed_over_and_named():
    study = planted(share=0.25)
    first = ControlTask.of("word", study.splits).labels(0)["dev"]
    lacking = on_dev_rows(study, of_both_classes(study, first == 0))
    result = selectivity(lacking)
    control = ControlTask.of("word", lacking.splits)
    fitting = [seed for seed in range(15) if control.labels(seed)["dev"].any()]
    assert 0 not in fitting
    by_hand = [dev_scores(lacking, control.labels(seed), "balanced_accuracy")[1] for seed in fitting[:5]]
    assert result.layers[1].controls == tuple(by_hand)
    assert (result.n_seeds, result.seeds) == (5, tuple(fitting[:5]))
    assert "passed over because they give no dev row some label: that of seed 0 ('positive')" in " ".join(result.notes)
    assert "passed over" not in " ".join(selectivity(study, n_seeds=2).notes)


def test_a_control_whose_labellings_nearly_all_lack_a_class_on_dev_is_refused_by_name():
    study = planted(share=0.25)
    words = np.array(ControlTask.of("word", study.splits).dev_types)
    one_word = on_dev_rows(study, of_both_classes(study, words == words[0], n=3))
    with pytest.raises(
        DatasetError,
        match=r"The control 'word' has no balanced accuracy on dev: \d+ of its 15 labellings give no dev row some label, such as "
        r"that of seed 0 \('(positive|negative)'\)\. .*Choose another control",
    ):
        selectivity(one_word)


def test_a_task_without_a_dev_row_of_a_class_is_refused_before_anything_is_fitted(monkeypatch):
    study = planted(share=0.25)
    rows = np.flatnonzero(study.splits.dev.labels == 0)
    lacking = on_dev_rows(study, of_both_classes(study, np.ones(N_DEV, dtype=bool)))
    lacking.splits = replace(lacking.splits, dev=study.splits.dev.select(rows[:40]))
    monkeypatch.setattr(LayerwiseProbe, "fit", None)
    with pytest.raises(DatasetError, match="There is no balanced accuracy on dev: no row has 'positive'"):
        selectivity(lacking)


def test_a_dev_split_of_one_group_has_no_interval_and_says_so(study):
    together = on_dev_rows(study, np.arange(N_DEV), groups=np.array(["one film"] * N_DEV))
    result = selectivity(together)
    assert [(row.low, row.high) for row in result.layers] == [(None, None)] * 2
    assert not result.reliable
    assert result.reason == "dev has rows of only 1 group (fewer than 10)"
    assert result.notes[0] == "Not to be relied on: dev has rows of only 1 group (fewer than 10)."


def test_few_dev_rows_and_few_labellings_are_said_to_tell_little(study, result):
    assert (result.reliable, result.reason) == (True, "")
    few = selectivity(on_dev_rows(study, np.arange(12)), n_seeds=5)
    assert (few.reliable, few.reason) == (False, "dev has only 12 rows (fewer than 30)")
    two = selectivity(study, n_seeds=2)
    assert "only 2 control labellings (fewer than 5)" in two.reason and two.reason in two.notes[0]
    # Enough rows of each class of the task, and hardly any of one by the control's labels: a doubt of a mean over classes.
    study = planted(share=0.25)
    labels = ControlTask.of("word", study.splits).labels(0)["dev"]
    rows = np.concatenate([np.flatnonzero(labels == 0)[:60], np.flatnonzero(labels == 1)[:4]])
    assert "by a labelling of the control dev has only 4 rows of 'positive'" in selectivity(on_dev_rows(study, rows)).reason

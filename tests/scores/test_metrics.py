import json
import math

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from lit_probe.errors import ProbeError, UnknownNameError
from lit_probe.scores.metrics import METRICS, Score, ScoredRows, is_unbalanced, majority_score, metrics_for, score_layers


def rows_of(n: int = 400, n_layers: int = 3, n_classes: int = 2, seed: int = 0):
    """Probabilities ``[n, n_layers, n_classes]`` that know the labels better at each layer, and the labels."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, n_classes, n)
    logits = random.normal(size=(n, n_layers, n_classes))
    logits[np.arange(n), :, labels] += np.arange(n_layers) * 0.7
    exponentials = np.exp(logits)
    return exponentials / exponentials.sum(axis=2, keepdims=True), labels


def names_for(n_classes: int) -> list[str]:
    return list(metrics_for([str(index) for index in range(n_classes)]))


def by_sklearn(name: str, probabilities, labels) -> float:
    predicted = probabilities.argmax(axis=1)
    n_classes = probabilities.shape[1]
    metric, _, label = name.partition(":")
    if label:
        score = {
            "precision": sklearn_metrics.precision_score,
            "recall": sklearn_metrics.recall_score,
            "f1": sklearn_metrics.f1_score,
        }[metric]
        return score(labels, predicted, labels=[int(label)], average="macro")
    if metric == "auroc":
        scores = probabilities[:, 1] if n_classes == 2 else probabilities
        return sklearn_metrics.roc_auc_score(labels, scores, multi_class="ovr", average="macro")
    return {
        "accuracy": lambda: sklearn_metrics.accuracy_score(labels, predicted),
        "balanced_accuracy": lambda: sklearn_metrics.balanced_accuracy_score(labels, predicted),
        "macro_f1": lambda: sklearn_metrics.f1_score(labels, predicted, average="macro"),
        "mcc": lambda: sklearn_metrics.matthews_corrcoef(labels, predicted),
        "log_loss": lambda: sklearn_metrics.log_loss(labels, probabilities),
    }[metric]()


@pytest.mark.parametrize(("n_classes", "name"), [(n, name) for n in (2, 3, 6) for name in names_for(n)])
def test_every_value_is_scikit_learns_and_lies_in_its_interval(n_classes, name):
    probabilities, labels = rows_of(n_classes=n_classes)
    for layer, score in enumerate(score_layers(name, probabilities, labels)):
        assert score.value == pytest.approx(by_sklearn(name, probabilities[:, layer], labels), abs=1e-12)
        assert score.low < score.value < score.high
        assert (score.n, score.reliable, score.reason) == (400, True, "")


@pytest.mark.parametrize("name", names_for(2))
def test_ties_and_certain_mistakes_are_scored_as_scikit_learn_does(name):
    _, labels = rows_of(60)
    probabilities = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])[np.arange(60) % 3]
    score = score_layers(name, probabilities[:, None], labels)[0]
    assert score.value == pytest.approx(by_sklearn(name, probabilities, labels), abs=1e-12)


@pytest.mark.parametrize("name", names_for(3))
def test_a_layer_scores_the_same_digits_whichever_layers_stand_beside_it(name):
    probabilities, labels = rows_of(n_layers=7, n_classes=3)
    groups = np.arange(400) // 3
    for rows_groups in (None, groups):
        together = score_layers(name, probabilities, labels, rows_groups)
        backwards = score_layers(name, probabilities[:, ::-1], labels, rows_groups)[::-1]
        alone = [score_layers(name, probabilities[:, [layer]], labels, rows_groups)[0] for layer in range(7)]
        assert together == backwards == alone


@pytest.mark.parametrize("grouped", [False, True])
def test_a_metric_scores_the_same_digits_whichever_metrics_are_asked_beside_it(grouped):
    probabilities, labels = rows_of()
    groups = np.arange(400) // 2 if grouped else None
    shared = ScoredRows(probabilities, labels, groups)
    for name, metric in metrics_for(["0", "1"]).items():
        assert metric.score(shared) == score_layers(name, probabilities, labels, groups)


def test_no_score_hangs_on_the_seed():
    probabilities, labels = rows_of()
    for name in names_for(2):
        assert score_layers(name, probabilities, labels, seed=0) == score_layers(name, probabilities, labels, seed=1)


def test_names_of_groups_do_not_matter():
    probabilities, labels = rows_of()
    numbers = np.arange(400) // 4
    words = np.array([f"film {number:03d}" for number in numbers])
    for name in names_for(2):
        assert score_layers(name, probabilities, labels, numbers) == score_layers(name, probabilities, labels, words)


@pytest.mark.parametrize("name", names_for(2))
def test_rows_that_repeat_within_groups_widen_the_interval(name):
    probabilities, labels = rows_of(200, n_layers=1)
    single = score_layers(name, probabilities, labels)[0]
    repeated = np.repeat(probabilities, 5, axis=0), np.repeat(labels, 5)
    grouped = score_layers(name, *repeated, np.repeat(np.arange(200), 5))[0]
    ignored = score_layers(name, *repeated)[0]
    assert grouped.value == pytest.approx(single.value)
    assert grouped.high - grouped.low == pytest.approx(single.high - single.low, rel=0.1)
    assert ignored.high - ignored.low < 0.6 * (grouped.high - grouped.low)


@pytest.mark.parametrize("name", names_for(2))
def test_groups_of_one_row_change_nothing(name):
    probabilities, labels = rows_of()
    assert score_layers(name, probabilities, labels, np.arange(400)) == score_layers(name, probabilities, labels)


@pytest.mark.parametrize("name", names_for(2))
def test_few_rows_are_unreliable_and_say_why(name):
    probabilities, labels = rows_of(29)
    score = score_layers(name, probabilities, labels)[0]
    assert score.value is not None and not score.reliable
    assert score.reason.startswith("only 29 rows (fewer than 30)")


def test_few_rows_of_the_rarest_class_are_unreliable_and_say_which():
    labels = np.array([0] * 91 + [1] * 9)
    probabilities = rows_of(100, n_layers=1)[0]
    scores = {
        name: metric.score(ScoredRows(probabilities, labels, label_names=("no", "yes")))[0]
        for name, metric in metrics_for(("no", "yes")).items()
    }
    doubted = {name for name, score in scores.items() if not score.reliable}
    assert doubted == {"balanced_accuracy", "macro_f1", "auroc", "precision:yes", "recall:yes", "f1:yes"}
    assert scores["macro_f1"].reason == "only 9 rows of 'yes' (fewer than 10)"


def test_few_groups_are_unreliable_and_one_group_has_no_interval():
    probabilities, labels = rows_of()
    few = score_layers("accuracy", probabilities, labels, np.arange(400) % 9)[0]
    assert not few.reliable and few.low is not None and few.reason == "rows of only 9 groups (fewer than 10)"
    for name in ("accuracy", "auroc", "mcc", "log_loss"):
        one = score_layers(name, probabilities, labels, ["only"] * 400)[0]
        assert one.value is not None and one.low is None and "no interval" in one.reason


@pytest.mark.parametrize("name", names_for(3))
def test_a_class_that_is_missing_leaves_what_needs_it_without_a_value(name):
    probabilities, labels = rows_of(300, n_classes=3)
    kept = labels != 2
    score = score_layers(name, probabilities[kept], labels[kept])[0]
    if name in ("balanced_accuracy", "macro_f1", "auroc", "recall:2"):
        assert score == Score(None, None, None, int(kept.sum()), False, "no row has '2'")
    else:
        assert score.value is not None
        assert score.reliable == (not name.endswith(":2"))


def test_rows_of_one_class_have_no_correlation():
    probabilities, _ = rows_of(50)
    score = score_layers("mcc", probabilities, np.ones(50, dtype=int))[0]
    assert score.value is None and score.reason == "all rows have the same class"


def test_a_class_that_is_never_predicted_has_no_precision_but_a_recall_of_zero():
    probabilities = np.tile([0.9, 0.1], (40, 1, 1))
    labels = np.arange(40) % 2
    precision, recall, f1 = (score_layers(f"{name}:1", probabilities, labels)[0] for name in ("precision", "recall", "f1"))
    assert precision.value is None and precision.reason == "the probe puts no row in '1'"
    assert recall.value == 0 and recall.low == 0 and recall.high > 0
    assert f1.value == 0


def test_a_perfect_layer_has_an_honest_interval():
    labels = np.arange(100) % 2
    probabilities = np.eye(2)[labels][:, None] * 0.9 + 0.05
    accuracy = score_layers("accuracy", probabilities, labels)[0]
    assert accuracy.value == accuracy.high == 1 and accuracy.low == pytest.approx(0.963, abs=1e-3)
    auroc = score_layers("auroc", probabilities, labels)[0]
    assert auroc.value == auroc.high == 1 and auroc.low == pytest.approx(0.960, abs=1e-3)
    for name in ("balanced_accuracy", "macro_f1", "mcc", "f1:1"):
        perfect = score_layers(name, probabilities, labels)[0]
        assert perfect.value == perfect.high == pytest.approx(1) and 0.86 < perfect.low < 0.98


@pytest.mark.parametrize("n", [0, 1, 2, 31])
@pytest.mark.parametrize("grouped", [False, True])
def test_no_score_is_ever_nan_or_infinite(n, grouped):
    random = np.random.default_rng(n)
    for labels in (np.zeros(n, dtype=int), random.integers(0, 3, n)):
        for probabilities in (np.eye(3)[random.integers(0, 3, (n, 2))], np.full((n, 2, 3), 1 / 3)):
            for name in names_for(3):
                for score in score_layers(name, probabilities, labels, np.arange(n) // 2 if grouped else None):
                    numbers = [number for number in (score.value, score.low, score.high) if number is not None]
                    assert all(math.isfinite(number) for number in numbers)
                    assert (score.value is None) <= (score.low is None) == (score.high is None)
                    assert score.value is not None or score.reason
                    json.dumps(vars(score), allow_nan=False)


def test_no_rows_have_no_scores_but_one_per_layer():
    assert score_layers("accuracy", np.zeros((0, 7, 2)), []) == [Score(None, None, None, 0, False, "no rows")] * 7


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("accuracy", 0.4),
        ("balanced_accuracy", 0.5),
        ("macro_f1", (0 + 2 * 40 / (40 + 100)) / 2),
        ("mcc", 0.0),
        ("auroc", 0.5),
        ("log_loss", -(0.6 * np.log(0.25) + 0.4 * np.log(0.75))),
        ("precision:yes", 0.4),
        ("precision:no", None),
        ("recall:yes", 1.0),
        ("recall:no", 0.0),
        ("f1:yes", 4 / 7),
    ],
)
def test_the_majority_baseline_knows_the_train_frequencies_only(name, value):
    train_labels, labels = [0] * 25 + [1] * 75, [0] * 60 + [1] * 40
    found = majority_score(name, train_labels, labels, ["no", "yes"])
    assert found == (None if value is None else pytest.approx(value))


def test_a_tie_among_train_classes_goes_to_the_first():
    assert majority_score("accuracy", [0, 1, 2], [0, 0, 1, 2], ["a", "b", "c"]) == 0.5


def test_classes_are_unbalanced_when_the_largest_exceeds_sixty_percent():
    assert [is_unbalanced([1] * n + [0] * (100 - n), 2) for n in (50, 60, 61, 95)] == [False, False, True, True]


def test_metrics_of_a_class_are_named_after_it():
    assert set(names_for(2)) == {
        one for name, metric in METRICS.items() for one in ([f"{name}:0", f"{name}:1"] if metric.per_class else [name])
    }
    assert {"accuracy", "balanced_accuracy", "macro_f1", "mcc", "auroc", "log_loss"} <= set(names_for(2))
    assert {f"{name}:{index}" for name in ("precision", "recall", "f1") for index in (0, 1)} <= set(names_for(2))
    assert all(name == metric.name for name, metric in METRICS.items())
    assert not METRICS["log_loss"].higher_is_better


def test_an_unknown_metric_is_refused_with_the_choices():
    probabilities, labels = rows_of()
    with pytest.raises(UnknownNameError, match=r"Unknown metric 'f2'. Choose one of: accuracy, .*recall:0, recall:1"):
        score_layers("f2", probabilities, labels)
    with pytest.raises(UnknownNameError, match="Unknown metric 'recall'"):
        score_layers("recall", probabilities, labels)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": [0, 1, 2]}, r"in 0\.\.1; found 0\.\.2"),
        ({"labels": [0, 1]}, r"got \[3, 1, 2\] and \[2\]"),
        ({"probabilities": np.full((3, 1, 2), np.nan)}, "finite"),
        ({"groups": ["a", "a"]}, "3 rows, but 2 groups"),
        ({"label_names": ["a"]}, "2 classes, but 1 label names"),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(changes, message):
    fields = {"probabilities": np.full((3, 1, 2), 0.5), "labels": [0, 1, 0]}
    with pytest.raises(ProbeError, match=message):
        ScoredRows(**(fields | changes))


@pytest.mark.parametrize("n_groups", [30, 20])
def test_a_perfect_grouped_correlation_counts_as_many_rows_as_groups(n_groups):
    """Whatever the last digit of the correlation: it is not 1 for all sizes of classes."""
    lows = []
    for sizes in ([31, 26, 33], [33, 26, 31], [26, 33, 31]):
        labels = np.repeat(np.arange(3), sizes)
        perfect = np.eye(3)[labels][:, None] * 0.9 + 0.05
        score = score_layers("mcc", perfect, labels, np.arange(90) % n_groups)[0]
        assert score.value == pytest.approx(1) and score.high == pytest.approx(1)
        lows.append(score.low)
    assert lows == pytest.approx([lows[0]] * 3) and 0.4 < lows[0] < 0.8


def test_two_groups_have_no_interval_and_a_constant_loss_has_none_either():
    probabilities, labels = rows_of()
    for name in ("accuracy", "balanced_accuracy", "macro_f1", "mcc", "log_loss", "f1:1", "recall:1"):
        score = score_layers(name, probabilities, labels, np.arange(400) % 2)[0]
        assert score.value is not None and score.low is None and "no interval" in score.reason, name
    for n_classes in (2, 3, 7):
        constant = np.full((90, 1, n_classes), 1 / n_classes)
        assert score_layers("log_loss", constant, np.arange(90) % n_classes)[0].low is None

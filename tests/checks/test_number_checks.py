"""Selectivity and baselines of a number: against scikit-learn by hand, on texts whose only signal is known."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lit_probe import probe_activations
from lit_probe.checks.baselines import BASELINES, baselines_for, measure_baselines
from lit_probe.checks.baselines.word_ridge import ALPHA_GRID
from lit_probe.checks.battery import CHECKS, check_table, run_battery, run_check
from lit_probe.checks.control_task import ControlTask
from lit_probe.checks.provenance import made_by
from lit_probe.checks.selectivity import memorisation, selectivity
from lit_probe.data import split_texts
from lit_probe.data.asked import NUMBER
from lit_probe.encoder.activations import extract_activations
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import DatasetError, UnservedError
from lit_probe.probing.layerwise import LayerwiseProbe
from lit_probe.probing.study import probe_layers

NO_CACHE = Cache(None)
WORDS = "film movie story plot scene music ending acting camera humour dialogue pace cast score light sound".split()
WORTH = {"good": 3.0, "bad": -2.0, "dull": -4.0, "great": 5.0}


def no_progress(done: int, total: int) -> None:
    pass


def rated(n: int = 240, seed: int = 0, n_groups: int = 0):
    """Ratings that are the worth of one word, with noise; texts of all lengths."""
    random = np.random.default_rng(seed)
    texts, numbers = [], []
    for index in range(n):
        word = random.choice(list(WORTH))
        filler = [*random.choice(WORDS, random.integers(4, 12)), str(index)]
        texts.append(" ".join([*filler[:2], word, *filler[2:]]))
        numbers.append(100 + WORTH[word] + random.normal() / 2)
    groups = [f"group {index % n_groups}" for index in range(n)] if n_groups else None
    return split_texts(texts, numbers, groups, target="number", name="rated")


def by_length(n: int = 240):
    random = np.random.default_rng(1)
    texts = [" ".join([*random.choice(WORDS, random.integers(2, 40)), str(index)]) for index in range(n)]
    return split_texts(texts, [float(np.log1p(len(text.split()))) for text in texts], target="number", name="length")


@pytest.fixture(scope="module")
def folder(tiny_folder):
    return str(tiny_folder(seed=7))


@pytest.fixture(scope="module")
def study(folder):
    return probe_layers(load_encoder(folder), rated())


def r2_on_dev(study, predicted):
    return r2_score(study.splits.dev.labels, predicted)


def test_which_baselines_are_of_a_number(study):
    assert baselines_for(study.splits) == ["mean", "bag_of_words", "tfidf", "length", "random_weights", "shuffled"]


@pytest.mark.parametrize("n_groups", [0, 40])
@pytest.mark.parametrize("name", ["bag_of_words", "tfidf"])
def test_words_are_those_of_scikit_learn(folder, name, n_groups):
    study = probe_layers(load_encoder(folder), rated(n_groups=n_groups))
    train, dev = study.splits.train, study.splits.dev
    vectoriser = {
        "bag_of_words": CountVectorizer(token_pattern=r"(?u)\b\w+\b", binary=True),
        "tfidf": TfidfVectorizer(token_pattern=r"(?u)\b\w+\b", ngram_range=(1, 2), min_df=2, sublinear_tf=True),
    }[name]
    folds = GroupKFold(3, shuffle=True, random_state=0) if n_groups else KFold(3, shuffle=True, random_state=0)
    model = make_pipeline(vectoriser, Ridge(solver="sparse_cg", tol=1e-10))
    grid = {"ridge__alpha": ALPHA_GRID}
    search = GridSearchCV(model, grid, cv=folds, scoring="neg_mean_squared_error").fit(
        list(train.texts), train.labels, groups=train.groups
    )
    ours = BASELINES[name].predict(study, NO_CACHE, no_progress)
    assert ours.settings["alpha"] == search.best_params_["ridge__alpha"]
    assert np.allclose(ours.probabilities[0, :, 0, 0], search.predict(list(dev.texts)), atol=1e-4)
    assert r2_on_dev(study, ours.probabilities[0, :, 0, 0]) > 0.5


def test_the_length_is_a_ridge_on_two_logarithms(folder):
    study = probe_layers(load_encoder(folder), by_length())
    ours = BASELINES["length"].predict(study, NO_CACHE, no_progress)

    def lengths(rows):
        return np.log1p([[len(text.split()), len(text)] for text in rows.texts])

    model = make_pipeline(StandardScaler(), Ridge(alpha=ours.settings["alpha"]))
    model.fit(lengths(study.splits.train), study.splits.train.labels)
    assert np.allclose(ours.probabilities[0, :, 0, 0], model.predict(lengths(study.splits.dev)))
    measured = BASELINES["length"].measure("length", study, NO_CACHE, no_progress)
    assert measured.metric == "r2" and measured.score == pytest.approx(r2_on_dev(study, ours.probabilities[0, :, 0, 0]))
    assert measured.score > 0.95 and measured.low < measured.score < measured.high


def test_the_mean_scores_what_the_curve_says(study):
    measured = BASELINES["mean"].measure("mean", study, NO_CACHE, no_progress)
    assert measured.score == study.metrics("dev").majority["r2"] <= 0


def test_the_layer_baselines_are_the_studys_probes_on_nothing(study):
    shuffled = BASELINES["shuffled"].measure("shuffled", study, NO_CACHE, no_progress)
    weights = BASELINES["random_weights"].predict(study, NO_CACHE, no_progress)
    assert all(row.score < 0.1 and len(row.draws) == 5 for row in shuffled.layers)
    train, dev = study.splits.train, study.splits.dev
    for seed, draw in zip(weights.settings["seeds"], weights.probabilities, strict=True):
        twin = study.encoder.randomised(seed)
        activations = [extract_activations(twin, rows.texts, study.pooling) for rows in (train, dev)]
        fit = LayerwiseProbe.fit(activations[0], train.labels, (), probe="ridge")
        assert np.array_equal(draw, fit.predictions(activations[1]))
    assert np.shape(weights.settings["alpha"]) == (3, study.encoder.n_layers)


def test_a_baseline_of_the_other_target_says_so(study):
    [majority] = measure_baselines(study, NO_CACHE, names=["majority"]).baselines
    assert majority.score is None and "is about classes; this data set asks for a number." in majority.reason
    classes = probe_activations(np.random.default_rng(0).normal(size=(90, 2, 4)), np.arange(90) % 3)
    [mean] = measure_baselines(classes, NO_CACHE, names=["mean"]).baselines
    assert mean.score is None and "is about a number; this data set asks for classes." in mean.reason


def test_pairs_have_their_second_text(folder):
    random = np.random.default_rng(3)
    words = random.choice(list(WORTH), 150)
    pairs = [(f"one {random.choice(WORDS)} {row}", f"two {word} {random.choice(WORDS)}") for row, word in enumerate(words)]
    numbers = [WORTH[word] + random.normal() / 5 for word in words]
    study = probe_layers(load_encoder(folder), split_texts(pairs, numbers, target="number"))
    assert BASELINES["second_text"].measure("second_text", study, NO_CACHE, no_progress).score > 0.8


def test_numbers_of_the_control_are_trains_numbers_by_type(study):
    control = ControlTask.of("word", study.splits)
    labels = control.labels(3)
    types, numbers = [*control.train_types, *control.dev_types], np.concatenate([labels["train"], labels["dev"]])
    assert len(set(zip(types, numbers, strict=True))) == len(set(types)) > 5
    assert set(labels["train"]) <= set(study.splits.train.labels)
    assert np.array_equal(control.labels(3)["dev"], labels["dev"])
    assert not np.array_equal(control.labels(4)["train"], labels["train"])
    # The spread is about the task's, whatever the sizes of the types.
    spreads = [control.labels(seed)["train"].std() for seed in range(20)]
    assert np.mean(spreads) == pytest.approx(study.splits.train.labels.std(), rel=0.15)


def test_one_number_a_text_is_the_numbers_in_another_order(study):
    labels = ControlTask.one_label_per_text(study.splits).labels(0)["train"]
    assert np.array_equal(np.sort(labels), np.sort(study.splits.train.labels))
    assert abs(np.corrcoef(labels, study.splits.train.labels)[0, 1]) < 0.3


def test_the_control_does_not_depend_on_the_order_of_rows(study):
    splits = study.splits
    turned = replace(splits, train=splits.train.select(range(len(splits.train))[::-1]))
    one, other = (ControlTask.of("word", some).labels(0)["train"] for some in (splits, turned))
    assert np.array_equal(one, other[::-1])


def test_a_type_with_most_texts_is_refused(folder):
    texts = [f"{'same' if row % 3 else f'other{row}'} {' '.join(WORDS[row % 5 : row % 5 + 3])} {row}" for row in range(90)]
    splits = split_texts(texts, np.random.default_rng(0).normal(size=90), target="number")
    with pytest.raises(DatasetError, match=r"cannot be balanced like the task: its largest type, 'same', has \d+ of \d+"):
        ControlTask.of("first_word", splits).labels(0)


def vectors_study(numbers_of, seed=0, n=600, width=32):
    """Sums of five words' vectors, whose numbers ``numbers_of`` makes of these, the words' types and a random generator."""
    random = np.random.default_rng(seed)
    words = [a + b for a in ("ba", "do", "fi", "ku", "le") for b in ("lun", "rit", "mog", "tas", "sep", "gor")]
    share = 1 / np.arange(3, 3 + len(words))
    picks = random.choice(len(words), (n, 5), p=share / share.sum())
    vectors = random.normal(size=(len(words), width))
    x = vectors[picks].sum(axis=1)
    texts = [" ".join(words[pick] for pick in row) for row in picks]
    return probe_activations(np.stack([x, x + 0.0], axis=1), numbers_of(x, texts, random), texts=texts, target="number")


def test_a_number_that_is_a_direction_is_selective():
    study = vectors_study(lambda x, texts, random: x @ random.normal(size=x.shape[1]) + random.normal(size=len(x)))
    found = selectivity(study)
    assert found.metric == "r2" and found.reliable
    for layer, score in zip(found.layers, study.metrics("dev").scores["r2"], strict=True):
        assert layer.task == score.value and layer.task > 0.9
        assert layer.control == pytest.approx(np.mean(layer.controls)) and layer.control < 0.6
        assert layer.selectivity == layer.task - layer.control and layer.low < layer.selectivity < layer.high and layer.low > 0.2
    assert "Control numbers are a seeded hash" in found.notes[0]
    assert "R² on train with one random number per text" in found.notes[1]
    assert json.loads(json.dumps(found.to_json(), allow_nan=False))["metric"] == "r2"


def test_a_control_is_the_ridge_on_its_numbers():
    study = vectors_study(lambda x, texts, random: x[:, 0] + random.normal(size=len(x)))
    found = selectivity(study)
    labels = ControlTask.of("word", study.splits).labels(found.seeds[0])
    train, dev = (study.activations[split].layer(1) for split in ("train", "dev"))
    grid = {"ridge__alpha": [10.0**power for power in range(-2, 7)]}
    folds = KFold(3, shuffle=True, random_state=0)
    model = make_pipeline(StandardScaler(), Ridge())
    search = GridSearchCV(model, grid, cv=folds, scoring="neg_mean_squared_error").fit(train, labels["train"])
    assert found.layers[1].controls[0] == pytest.approx(r2_score(labels["dev"], search.predict(dev)), abs=1e-6)


def test_learning_by_heart_is_r2_on_train(study):
    by_heart = memorisation(study)
    labels = ControlTask.one_label_per_text(study.splits).labels(0)["train"]
    train = study.activations["train"]
    for layer, value in enumerate(by_heart):
        alpha = study.layerwise.probes[layer].settings["alpha"]
        model = make_pipeline(StandardScaler(), Ridge(alpha=alpha)).fit(train.layer(layer), labels)
        assert value == pytest.approx(r2_score(labels, model.predict(train.layer(layer))), abs=1e-3)


def test_the_battery_of_a_number_is_printed_and_the_rules_are_its_own(study):
    results = run_battery(study)
    table = check_table(results, study.encoder.n_layers)
    assert "selectivity" in table and "mean" in table and "majority" not in table
    assert "Description length: Description length does not apply to a number" in table
    assert "alpha" in made_by(None, NUMBER)["selectivity"] and "alpha" not in made_by()["selectivity"]
    with pytest.raises(UnservedError, match="does not apply to a number"):
        run_check("description_length", study)
    assert all(check.made_by_number is None or NUMBER in check.targets for check in CHECKS.values())

"""Baselines: against fits written with scikit-learn alone, on texts whose only signal is known, and where they cannot be had."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lit_probe.checks.baselines import BASELINES, Baseline, MeasuredBaseline, measure_baselines
from lit_probe.checks.baselines.from_layers import _about_range
from lit_probe.checks.baselines.word_regression import C_GRID, WordRegression
from lit_probe.data import load_dataset, split_texts
from lit_probe.data.labelled_texts import Splits
from lit_probe.data.options import DatasetOptions
from lit_probe.data.text_pairs import segments
from lit_probe.encoder.activations import extract_activations
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import CancelledError, UnknownNameError
from lit_probe.probing.layerwise import LayerwiseProbe
from lit_probe.probing.probes.logistic import C_GRID as PROBE_C_GRID
from lit_probe.probing.study import LayerStudy, probe_layers
from lit_probe.scores.metrics import majority_score, score_layers

NO_CACHE = Cache(None)
OF_TEXTS = [name for name, one in BASELINES.items() if "text" in one.units and "classes" in one.targets and not one.for_pairs]
FILLER = "the film movie story plot was is not very it and we they scene music ending little more of to in".split()


def no_progress(done: int, total: int) -> None:
    pass


def a_word_decides(n: int = 300, told: float = 0.9, n_groups: int = 0) -> Splits:
    """One word tells the label, ``told`` of the time; texts of all lengths."""
    random = np.random.default_rng(0)
    texts, labels = [], []
    for index in range(n):
        positive = bool(index % 2)
        word = "good" if positive == (random.random() < told) else "bad"
        filler = list(random.choice(FILLER, random.integers(4, 12)))
        texts.append(" ".join([*filler[:2], word, *filler[2:]]))
        labels.append("positive" if positive else "negative")
    groups = [f"group {index // 2 % n_groups}" for index in range(n)] if n_groups else None
    return split_texts(texts, labels, groups, name="word")


def the_length_decides(n: int = 300) -> Splits:
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(FILLER, 12 if index % 2 else 6)) for index in range(n)]
    return split_texts(texts, ["long" if index % 2 else "short" for index in range(n)], name="length")


@pytest.fixture(scope="module")
def study_of(tiny_folder):
    def make(splits: Splits, **options) -> LayerStudy:
        # Not built with the seed of the study, which also draws the random weights.
        return probe_layers(load_encoder(str(tiny_folder(seed=7))), splits, **options)

    return make


@pytest.fixture(scope="module")
def study(study_of) -> LayerStudy:
    return study_of(a_word_decides())


def measured(study: LayerStudy, name: str) -> MeasuredBaseline:
    return BASELINES[name].measure(name, study, NO_CACHE, no_progress)


def predicted(study: LayerStudy, name: str):
    return BASELINES[name].predict(study, NO_CACHE, no_progress)


def test_the_registry_holds_the_promised_baselines():
    assert OF_TEXTS == ["majority", "bag_of_words", "tfidf", "length", "random_weights", "shuffled"]
    assert set(BASELINES) - set(OF_TEXTS) == {"second_text", "word_tag", "mean"}


@pytest.mark.parametrize("name", OF_TEXTS)
def test_every_baseline_is_scored_on_dev_as_the_probes_are(study, name):
    result = measured(study, name)
    dev = study.splits.dev
    draws = [
        score_layers(study.headline, draw, dev.labels, dev.groups, study.seed) for draw in predicted(study, name).probabilities
    ]
    means = [
        tuple(np.mean([getattr(score, end) for score in layer]) for end in ("value", "low", "high"))
        for layer in zip(*draws, strict=True)
    ]
    rows = result.layers if BASELINES[name].per_layer else [result]
    assert len(rows) == (study.encoder.n_layers if BASELINES[name].per_layer else 1)
    assert len(draws) == BASELINES[name].n_draws == {"shuffled": 5, "random_weights": 3}.get(name, 1)
    if BASELINES[name].per_layer:
        assert [row.draws for row in rows] == [tuple(score.value for score in layer) for layer in zip(*draws, strict=True)]
        assert any(len(set(row.draws)) > 1 for row in rows)
        assert type(result).from_json(json.loads(json.dumps(result.to_json()))) == result
    assert [(row.score, row.low, row.high) for row in rows] == means
    assert all(row.low <= row.score <= row.high for row in rows)
    assert result.metric == "accuracy"
    json.dumps(result.to_json(), allow_nan=False)


@pytest.mark.parametrize("name", OF_TEXTS)
def test_nothing_of_dev_or_test_enters_the_fit(study, name):
    splits = study.splits
    changed = replace(splits, dev=replace(splits.dev, labels=1 - splits.dev.labels), test=splits.test.select([0, 1]))
    other = LayerStudy(study.encoder, changed, study.activations, study.layerwise, study.seed)
    assert np.array_equal(predicted(study, name).probabilities, predicted(other, name).probabilities)


@pytest.mark.parametrize("name", OF_TEXTS)
def test_the_same_data_in_another_order_gives_the_same_digits(study, study_of, name):
    rows = [
        (text, rows.label_names[label])
        for _, rows in study.splits.items()
        for text, label in zip(rows.texts, rows.labels, strict=True)
    ]
    order = np.random.default_rng(1).permutation(len(rows))
    splits = split_texts([rows[i][0] for i in order], [rows[i][1] for i in order], name="word")
    assert measured(study_of(splits), name) == measured(study, name)


def test_a_word_that_decides_is_found_in_the_words_and_not_in_the_length(study):
    assert measured(study, "bag_of_words").low > 0.75
    assert measured(study, "tfidf").low > 0.75
    assert measured(study, "length").low < 0.55


def test_a_length_that_decides_is_found_in_the_length(study_of):
    assert measured(study_of(the_length_decides()), "length").score == 1


def test_words_whose_labels_are_random_give_chance(study_of):
    splits = a_word_decides(told=0.5)
    for name in ("bag_of_words", "tfidf"):
        assert measured(study_of(splits), name).low < 0.5


def test_the_majority_baseline_is_the_one_that_metrics_report(study_of):
    splits = a_word_decides()
    positive = np.flatnonzero(splits.train.labels == 1)
    splits = replace(splits, train=splits.train.select([*np.flatnonzero(splits.train.labels == 0), *positive[:90]]))
    study = study_of(splits)
    assert measured(study, "majority").score == majority_score(
        "accuracy", splits.train.labels, splits.dev.labels, splits.label_names
    )


def test_imbalanced_data_are_scored_by_balanced_accuracy(study_of):
    splits = a_word_decides()
    positive = np.flatnonzero(splits.train.labels == 1)
    study = study_of(replace(splits, train=splits.train.select([*np.flatnonzero(splits.train.labels == 0), *positive[:30]])))
    result = measured(study, "majority")
    assert (result.metric, result.score) == ("balanced_accuracy", 0.5)
    assert result.low < 0.5 < result.high and result.reason == ""


VECTORISERS = {
    "bag_of_words": CountVectorizer(token_pattern=r"(?u)\b\w+\b", binary=True),
    "tfidf": TfidfVectorizer(token_pattern=r"(?u)\b\w+\b", ngram_range=(1, 2), min_df=2, sublinear_tf=True),
}


@pytest.mark.parametrize("name", VECTORISERS)
@pytest.mark.parametrize("n_groups", [0, 40])
def test_word_baselines_agree_with_scikit_learns_own_search(study_of, name, n_groups):
    splits = a_word_decides(told=0.7, n_groups=n_groups)
    train = splits.train
    folds = StratifiedGroupKFold if n_groups else StratifiedKFold
    search = GridSearchCV(
        make_pipeline(VECTORISERS[name], LogisticRegression(max_iter=10_000, tol=1e-8)),
        {"logisticregression__C": sorted(C_GRID)},
        cv=list(folds(3, shuffle=True, random_state=0).split(train.texts, train.labels, train.groups)),
        scoring="neg_log_loss",
    ).fit(train.texts, train.labels)
    ours = predicted(study_of(splits), name)
    assert ours.settings["C"] == search.best_params_["logisticregression__C"]
    assert np.allclose(ours.settings["cv_log_loss"], -search.cv_results_["mean_test_score"], rtol=1e-4)
    assert ours.settings["cv"]["by"] == ("group" if n_groups else "row")
    assert np.allclose(ours.probabilities[0, :, 0], search.predict_proba(splits.dev.texts), atol=1e-4)
    assert ours.not_converged == []


def test_three_classes_have_word_baselines_too(study_of):
    words = ("good", "bad", "slow")
    texts = [f"{FILLER[i % 20]} {words[i % 3]} {FILLER[i // 20]} {FILLER[i % 7]}" for i in range(300)]
    splits = split_texts(texts, [words[i % 3] for i in range(300)], name="three")
    for name in ("bag_of_words", "tfidf"):
        ours = predicted(study_of(splits), name)
        assert ours.probabilities.shape == (1, len(splits.dev), 1, 3)
        assert ours.not_converged == []
        assert measured(study_of(splits), name).score == 1


def test_the_length_baseline_agrees_with_scikit_learn(study_of):
    splits = a_word_decides(told=0.5)

    def lengths(texts):
        return np.log([[1 + len(text.split()), 1 + len(text)] for text in texts])

    search = GridSearchCV(
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=10_000, tol=1e-8)),
        {"logisticregression__C": PROBE_C_GRID},
        cv=list(StratifiedKFold(3, shuffle=True, random_state=0).split(splits.train.texts, splits.train.labels)),
        scoring="neg_log_loss",
    ).fit(lengths(splits.train.texts), splits.train.labels)
    ours = predicted(study_of(splits), "length").probabilities[0, :, 0]
    assert np.allclose(ours, search.predict_proba(lengths(splits.dev.texts)), atol=1e-4)


def test_a_fit_that_stops_early_says_so(study):
    train = study.splits.train
    short, whole = (
        WordRegression.fit(VECTORISERS["bag_of_words"], train.texts, train.labels, None, 0, max_iter=n) for n in (1, 10_000)
    )
    assert not short.converged
    assert whole.converged
    assert whole.settings["largest_gradient"] < 1e-5 < short.settings["largest_gradient"]


def test_a_baseline_that_did_not_converge_is_marked(study, monkeypatch):
    fit = WordRegression.fit.__func__
    monkeypatch.setattr(WordRegression, "fit", classmethod(lambda cls, *args, **kwargs: fit(cls, *args, **kwargs, max_iter=1)))
    result = measure_baselines(study, NO_CACHE, names=("tfidf",))
    assert result.baselines[0].not_converged == (0,)
    assert result.notes == ("TF-IDF: the fit did not converge.",)


def test_the_random_twin_has_the_shape_of_the_encoder_and_none_of_its_weights(study):
    trained, random = study.encoder.model.state_dict(), study.encoder.randomised(study.seed).model.state_dict()
    assert {name: tensor.shape for name, tensor in trained.items()} == {name: tensor.shape for name, tensor in random.items()}
    matrices = [name for name, tensor in trained.items() if tensor.ndim == 2]
    assert len(matrices) > 10
    for name in matrices:
        differ = (trained[name] != random[name]).float().mean()
        assert differ > 0.9, name


def test_random_weights_are_probed_as_the_encoder_is(study):
    train, dev = study.splits.train, study.splits.dev
    ours = predicted(study, "random_weights")
    assert ours.settings["seeds"] == [study.seed, study.seed + 1, study.seed + 2]
    for seed, draw in zip(ours.settings["seeds"], ours.probabilities, strict=True):
        twin = study.encoder.randomised(seed)
        layerwise = LayerwiseProbe.fit(extract_activations(twin, train.texts, study.pooling), train.labels, train.label_names)
        assert np.array_equal(draw, layerwise.predict_proba(extract_activations(twin, dev.texts, study.pooling)))
        assert np.abs(draw - study.probabilities("dev")).max() > 0.01


def test_one_draw_of_weights_is_not_the_architecture(study_of):
    """12 initialisations of one architecture score 0.511 to 0.600 at its last layer, with a standard deviation of 0.027. The
    baseline was one of them; the means over three have 0.009."""
    study = study_of(a_word_decides(600, told=0.7))
    seeds = (0, 3, 6, 9)
    rows = [
        measured(LayerStudy(study.encoder, study.splits, study.activations, study.layerwise, seed), "random_weights").layers[-1]
        for seed in seeds
    ]
    draws = np.array([row.draws for row in rows])
    assert draws.shape == (4, 3) and np.ptp(draws) > 0.06
    assert [row.score for row in rows] == pytest.approx(draws.mean(axis=1))
    assert draws.mean(axis=1).std(ddof=1) < 0.6 * draws.std(ddof=1)


@pytest.mark.parametrize("n_draws", [3, 5])
@pytest.mark.parametrize("law", ["normal", "exponential"])
def test_a_further_draw_lies_outside_the_range_as_often_as_is_said(n_draws, law):
    """3 draws: 50 %, 5 draws: 33 %, whatever they are drawn from (10,000 times; standard error 0.005)."""
    draws = getattr(np.random.default_rng(0), law)(size=(10_000, n_draws + 1))
    outside = (draws[:, -1] < draws[:, :-1].min(axis=1)) | (draws[:, -1] > draws[:, :-1].max(axis=1))
    said = int(re.search(r"\) (\d+)% of the time", _about_range(n_draws))[1]) / 100
    assert outside.mean() == pytest.approx(said, abs=0.02)


@pytest.mark.parametrize(("own", "used"), [(0, "1, 2 and 3"), (1, "0, 2 and 3"), (2, "0, 1 and 3"), (3, "0, 1 and 2")])
def test_weights_that_are_themselves_the_random_ones_are_no_baseline_of_their_own(tiny_folder, tmp_path, study, own, used):
    folder = shutil.copytree(tiny_folder(), tmp_path / "tiny-bert")
    load_encoder(str(folder)).randomised(own).model.save_pretrained(folder)
    [result] = measure_baselines(
        probe_layers(load_encoder(str(folder)), study.splits, seed=0), NO_CACHE, names=("random_weights",)
    ).baselines
    assert None not in [row.score for row in result.layers] and {len(row.draws) for row in result.layers} == {3}
    [note] = result.notes
    assert f"the mean over 3 random initialisations, by seeds {used}." in note
    assert (f"Seed {own} draws the weights of tiny-bert themselves and is passed over." in note) == (own < 3)


def test_a_run_with_random_weights_has_the_baseline_of_three_other_draws(study):
    twin = study.encoder.randomised(1)
    found = predicted(probe_layers(twin, study.splits, seed=0), "random_weights")
    assert found.settings["seeds"] == [0, 2, 3]


def test_random_weights_of_another_seed_are_other_weights(study):
    other = LayerStudy(study.encoder, study.splits, study.activations, study.layerwise, seed=1)
    assert not np.allclose(predicted(study, "random_weights").probabilities, predicted(other, "random_weights").probabilities)


def test_shuffled_labels_score_chance_where_the_true_ones_do_not(study):
    means = []
    for seed in range(2):
        other = LayerStudy(study.encoder, study.splits, study.activations, study.layerwise, seed)
        rows = measured(other, "shuffled").layers
        assert all(row.low < 0.5 < row.high for row in rows)
        means.append([row.score for row in rows])
    assert np.abs(np.mean(means, axis=0) - 0.5).max() < 0.08
    assert study.metrics("dev").scores["accuracy"][0].low > 0.75


def test_shuffled_labels_are_trains_own_in_five_other_orders(study, monkeypatch):
    seen = []
    fit = LayerwiseProbe.fit.__func__

    def spy(cls, activations, labels, *args, **kwargs):
        seen.append(labels)
        return fit(cls, activations, labels, *args, **kwargs)

    monkeypatch.setattr(LayerwiseProbe, "fit", classmethod(spy))
    measured(study, "shuffled")
    ours = study.splits.train.labels
    assert len({labels.tobytes() for labels in seen}) == 5
    for labels in seen:
        assert np.array_equal(np.bincount(labels), np.bincount(ours))
        assert 0.35 < (labels != ours).mean() < 0.65


def test_the_probe_kind_of_the_study_is_the_one_that_is_fitted(study_of):
    study = study_of(a_word_decides(), probe="majority")
    result = measured(study, "shuffled")
    assert len({row.score for row in result.layers}) == 1


def test_truncated_texts_are_told_beside_the_word_baselines(tiny_folder, study):
    assert measured(study, "bag_of_words").notes == ()
    short = probe_layers(load_encoder(str(tiny_folder(seed=7)), max_length=6), study.splits)
    assert measured(short, "bag_of_words").notes == ("it reads whole texts, the encoder reads 6 tokens of each.",)
    result = measure_baselines(short, NO_CACHE, names=("majority", "bag_of_words"))
    assert result.notes == ("Bag of words: it reads whole texts, the encoder reads 6 tokens of each.",)


def test_any_choice_of_baselines_comes_in_the_order_asked(study):
    result = measure_baselines(study, NO_CACHE, names=("length", "majority"))
    assert [one.name for one in result.baselines] == ["length", "majority"]
    assert result.metric == study.headline
    with pytest.raises(UnknownNameError, match=f"Unknown baseline 'svm'. Choose one of: {', '.join(sorted(BASELINES))}"):
        measure_baselines(study, NO_CACHE, names=("svm",))


def test_each_baseline_is_cached_for_itself(study, tmp_path, monkeypatch):
    cache = Cache(tmp_path)
    made = []

    def counted(name: str) -> Baseline:
        predict = BASELINES[name].predict
        return replace(BASELINES[name], predict=lambda *args: made.append(name) or predict(*args))

    for name in ("majority", "length", "tfidf"):
        monkeypatch.setitem(BASELINES, name, counted(name))
    first = measure_baselines(study, cache, names=("length",))
    both = measure_baselines(study, cache, names=("tfidf", "length"))
    again = measure_baselines(study, Cache(tmp_path), names=("length", "tfidf"))
    assert made == ["length", "tfidf"]
    assert both.baselines == again.baselines[::-1]
    assert first.baselines == again.baselines[:1]
    fewer = replace(study.splits, dev=study.splits.dev.select(range(40)))
    activations = {name: extract_activations(study.encoder, rows.texts) for name, rows in fewer.items()}
    measure_baselines(LayerStudy(study.encoder, fewer, activations, study.layerwise, 0), cache, names=("length",))
    assert made == ["length", "tfidf", "length"], "other dev rows are another result"


def test_a_baseline_that_cannot_be_fitted_says_why_and_leaves_the_others_alone(study_of, tmp_path):
    texts = [f"{'!' * (1 + i % 5)} {'?' * (1 + i // 5)}" for i in range(200)]
    study = study_of(split_texts(texts, ["a", "b"] * 100, name="signs"))
    words, length = measure_baselines(study, Cache(tmp_path), names=("bag_of_words", "length")).baselines
    assert words.score is None
    assert words.reason.startswith("The training texts give no words to count")
    assert length.score is not None


def test_every_line_is_told_from_the_others_without_its_colour():
    assert len({one.dash for one in BASELINES.values()}) == len(BASELINES)
    for one in BASELINES.values():
        assert re.fullmatch("#[0-9A-F]{6}", one.color)
        assert re.fullmatch(r"\d+( \d+)+", one.dash)


def test_a_failing_layer_baseline_has_an_empty_row_per_layer(study):
    rows = BASELINES["random_weights"].failure("random_weights", study, "no such weights").layers
    assert [row.layer for row in rows] == [0, 1, 2, 3]
    assert all((row.score, row.reason, row.reliable) == (None, "no such weights", False) for row in rows)


def test_progress_rises_to_its_total(study):
    heard = []
    measure_baselines(study, NO_CACHE, lambda done, total: heard.append((done, total)))
    done = [count for count, _ in heard]
    [total] = {total for _, total in heard}
    assert done == sorted(done)
    assert done[-1] == total
    assert len(set(done)) > 3 * len(OF_TEXTS)


@pytest.mark.parametrize("name", OF_TEXTS)
def test_a_cancelled_baseline_stops_and_leaves_nothing_behind(study, tmp_path, name):
    heard = []

    def cancel(done, total):
        if done and not heard:
            heard.append(done)
            raise CancelledError("Cancelled.")

    with pytest.raises(CancelledError):
        measure_baselines(study, Cache(tmp_path), cancel, names=(name,))
    assert not list(tmp_path.glob("baselines/*"))


def test_real_sentences_give_the_words_their_known_worth(test_data, study_of):
    splits = load_dataset("sst2_sentences", str(test_data / "sst2"), DatasetOptions(max_examples=2_000))
    study = study_of(splits)
    assert 0.72 < measured(study, "bag_of_words").score < 0.80
    assert 0.72 < measured(study, "tfidf").score < 0.82
    assert measured(study, "length").score < 0.6


def pairs_whose_second_text_decides(n: int = 240) -> Splits:
    """The label is a word of the second text; the same words stand at random in the first."""
    random = np.random.default_rng(0)
    words = ("good", "bad")
    pairs = [(f"the film {i} was {words[random.integers(2)]}", f"it was {words[i % 2]}") for i in range(n)]
    return split_texts(pairs, ["yes" if i % 2 else "no" for i in range(n)], name="pairs")


@pytest.fixture(scope="module")
def pair_study(study_of) -> LayerStudy:
    return study_of(pairs_whose_second_text_decides())


def test_what_the_second_text_tells_is_found_in_it_alone(pair_study):
    assert measured(pair_study, "second_text").score == 1


def test_the_first_text_tells_nothing_to_the_second_alone(study_of):
    swapped = pairs_whose_second_text_decides()
    rows = [(*segments(text)[::-1],) for _, part in swapped.items() for text in part.texts]
    labels = [swapped.label_names[label] for _, part in swapped.items() for label in part.labels]
    score = measured(study_of(split_texts(rows, labels)), "second_text").score
    assert score is not None and score < 0.75


def test_words_of_pairs_count_by_the_text_that_they_stand_in(pair_study):
    # In one bag of both texts the word would stand in rows of either class.
    assert measured(pair_study, "bag_of_words").score == 1
    assert measured(pair_study, "length").score is not None


def test_single_texts_have_no_second_one(study):
    assert [one.name for one in measure_baselines(study, NO_CACHE).baselines] == OF_TEXTS
    [asked] = measure_baselines(study, NO_CACHE, names=["second_text"]).baselines
    assert asked.score is None and "single texts" in asked.reason


def test_pairs_have_all_baselines(pair_study):
    assert [one.name for one in measure_baselines(pair_study, NO_CACHE).baselines] == [
        one for one in BASELINES if one not in ("word_tag", "mean")
    ]

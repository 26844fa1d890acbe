"""Rankings are judged by refitting: good ones beat random neurons, bottom ones do not, and every evaluator says so."""

import json

import numpy as np
import pytest
from planted_neurons import OF_CLASSES, planted_neuron, rank_arrays
from planted_studies import planted_study
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from lit_probe.errors import CancelledError, LitProbeError, UnknownNameError
from lit_probe.neurons.rankings import rank_neurons
from lit_probe.neurons.rankings.neuron_evaluation import EVALUATORS, compare_rankings, evaluate_ranking, minimal_set

N_TRAIN, D_MODEL = 400, 40


def survives_json(result):
    written = result.to_json()
    assert type(result).from_json(json.loads(json.dumps(written, allow_nan=False))).to_json() == written


JUDGES = [name for name, one in EVALUATORS.items() if "classes" in one.targets]


@pytest.fixture(scope="module")
def study(tiny_folder):
    """Of 40 neurons of layer 1 five tell something, 7 most; layer 0 is noise."""
    from lit_probe.encoder.encoder import load_encoder

    values, labels = planted_neuron(n=800, d_model=D_MODEL, strength=1.2)
    values[:, 1, 8:12] += 0.8 * labels[:, None]
    dev = values[N_TRAIN:], labels[N_TRAIN:]
    return planted_study(load_encoder(str(tiny_folder())), values[:N_TRAIN], labels[:N_TRAIN], dev)


@pytest.mark.parametrize("evaluator", JUDGES)
def test_the_top_beats_random_neurons_and_the_bottom_does_not(study, evaluator):
    result = evaluate_ranking(study, rank_neurons(study, layers=1), evaluator, percentages=(5, 12.5, 50, 100), n_draws=10)
    assert [point.k for point in result.points] == [2, 5, 20, 40]
    few = result.points[1]
    assert few.top.value > few.random.mean + 0.1
    assert few.bottom.value < 0.6 and few.random.low <= few.random.mean <= few.random.high
    assert few.top.low < few.top.value < few.top.high
    every = result.points[3]
    assert every.top == every.bottom == result.full
    assert set(every.random.draws) == {result.full.value}
    assert result.scale.metric == "accuracy" and result.scale.n_dev == 400 and result.scale.n_units == 40
    survives_json(result)


def test_a_score_is_that_of_a_direct_fit_on_the_chosen_neurons(study):
    ranking = rank_neurons(study)
    result = evaluate_ranking(study, ranking, percentages=(10,), n_draws=1)
    train, dev = (study.activations[name].values.reshape(-1, 2 * D_MODEL)[:, ranking.top(8)] for name in ("train", "dev"))
    mean, scale = train.mean(axis=0), train.std(axis=0)
    # The penalty that was chosen for the layer with the smaller cross-validated loss: layer 0 is noise.
    strength = 1 / (study.layerwise.probes[1].settings["C"] * N_TRAIN)
    assert result.scale.logistic_strength == pytest.approx(strength)
    model = LogisticRegression(C=1 / (strength * N_TRAIN)).fit((train - mean) / scale, study.splits.train.labels)
    score = model.score((dev - mean) / scale, study.splits.dev.labels)
    assert result.points[0].top.value == pytest.approx(score, abs=0.003)


def test_from_all_neurons_of_a_layer_the_refitted_probe_does_what_the_layers_own_does(tiny_encoder):
    """Each of 300 neurons tells a little: with hardly any penalty a probe of all of them would fit the noise."""
    values, labels = planted_neuron(n=1_000, d_model=300, strength=0)
    values[:, 1] += 0.15 * labels[:, None]
    study = planted_study(tiny_encoder, values[:N_TRAIN], labels[:N_TRAIN], (values[N_TRAIN:], labels[N_TRAIN:]))
    own = study.metrics("dev").scores["accuracy"][1].value
    full = evaluate_ranking(study, rank_neurons(study, layers=1), percentages=(100,), n_draws=1).full.value
    assert full == pytest.approx(own, abs=0.005)
    x, dev = study.activations["train"].layer(1), study.activations["dev"].layer(1)
    weak = EVALUATORS["logistic"].predict(x, study.splits.train.labels, 2, dev, 1e-3)
    losses = [log_loss(study.splits.dev.labels, found) for found in (study.probabilities("dev")[:, 1], weak)]
    assert losses[1] > losses[0] + 0.2, "the twin"


def test_the_gaussian_evaluator_agrees_with_quadratic_discriminants(study):
    x, labels = study.activations["train"].layer(1)[:, 5:12], study.splits.train.labels
    ours = EVALUATORS["gaussian"].predict(x, labels, 2, x, 1e-3)
    theirs = QuadraticDiscriminantAnalysis().fit(x, labels).predict_proba(x)
    assert (ours.argmax(axis=1) == theirs.argmax(axis=1)).mean() > 0.97
    assert ours == pytest.approx(theirs, abs=0.1)


@pytest.mark.parametrize("evaluator", JUDGES)
def test_evaluators_give_probabilities_for_three_classes(evaluator):
    values, labels = planted_neuron(n=600, n_classes=3, strength=4)
    x = values[:, 1]
    found = EVALUATORS[evaluator].predict(x[:300], labels[:300], 3, x[300:], 1e-3)
    assert found.shape == (300, 3) and found.sum(axis=1) == pytest.approx(1)
    assert (found.argmax(axis=1) == labels[300:]).mean() > (0.6 if evaluator == "linear" else 0.9)


def test_without_refitting_the_layers_own_probe_reads_the_chosen_neurons_and_the_mean_of_others(study):
    ranking = rank_neurons(study, layers=1)
    result = evaluate_ranking(study, ranking, percentages=(5, 100), n_draws=2, refit=False)
    assert result.evaluator == "probe"
    own = study.metrics("dev").scores["accuracy"][1]
    assert result.points[1].top.value == result.full.value == own.value
    probe = study.layerwise.probes[1]
    values = np.tile(probe.mean, (400, 1))
    two = ranking.top(2)
    values[:, two] = study.activations["dev"].layer(1)[:, two]
    expected = (probe.predict(values) == study.splits.dev.labels).mean()
    assert result.points[0].top.value == pytest.approx(expected)
    with pytest.raises(LitProbeError, match="Several layers have no common probe"):
        evaluate_ranking(study, rank_neurons(study), refit=False)


def test_the_matrix_holds_every_ranking_judged_by_every_evaluator(study):
    result = compare_rankings(study, 1, percentages=(5, 12.5), n_draws=5)
    assert result.methods == tuple(name for name in OF_CLASSES if name != "random")
    assert result.evaluators == ("logistic", "linear", "gaussian")
    for table in result.tables:
        assert table.scores.shape == (len(result.methods), 3)
        for column, band in zip(table.scores.T, table.random, strict=True):
            assert (column > band.mean).all()
    assert result.mean_scores == pytest.approx(np.mean([table.scores for table in result.tables], axis=0))
    single = evaluate_ranking(study, rank_neurons(study, "mean_gap", 1), "linear", percentages=(5,), n_draws=5)
    row, column = result.methods.index("mean_gap"), result.evaluators.index("linear")
    assert result.tables[0].scores[row, column] == single.points[0].top.value
    assert result.tables[0].random[column] == single.points[0].random
    assert result.full[column] == single.full.value
    survives_json(result)


def test_the_matrix_of_an_mlp_study_leaves_out_what_reads_linear_weights(tiny_encoder):
    values, labels = planted_neuron()
    study = planted_study(tiny_encoder, values, labels, (values, labels), probe="mlp")
    result = compare_rankings(study, evaluators=["linear"], percentages=(5,), n_draws=1)
    assert "weight_mass" not in result.methods and "mean_gap" in result.methods


def test_the_minimal_set_is_the_planted_neurons(tiny_encoder):
    values, labels = planted_neuron(n=600, d_model=40, strength=6)
    study = planted_study(tiny_encoder, values[:300], labels[:300], (values[300:], labels[300:]))
    result = minimal_set(study, rank_neurons(study))
    assert result.k == 1 and result.names == ("1:7",)
    assert result.score.value >= result.full.value - 0.01


@pytest.mark.parametrize("within", [0, 1, 5, 30])
def test_the_minimal_set_keeps_the_score_and_one_neuron_fewer_does_not(study, within):
    result = minimal_set(study, rank_neurons(study, "mean_gap", 1), "linear", within=within)
    tried = {one.k: one.value for one in result.tried}
    needed = result.full.value - within / 100 - 1e-9
    assert tried[result.k] >= needed and result.score.value == tried[result.k]
    assert result.k == 1 or tried[result.k - 1] < needed
    assert len(result.names) == result.k and result.percent == pytest.approx(100 * result.k / 40)
    survives_json(result)


def test_more_room_never_needs_more_neurons(study):
    ranking = rank_neurons(study, layers=1)
    sizes = [minimal_set(study, ranking, within=within).k for within in (1, 5, 10, 30, 100)]
    assert sizes == sorted(sizes, reverse=True) and sizes[-1] == 1


def test_bad_input_is_refused_in_a_sentence(study):
    ranking = rank_neurons(study, layers=1)
    with pytest.raises(UnknownNameError, match=r"Unknown evaluator 'knn'. Choose one of: gaussian, linear, logistic."):
        evaluate_ranking(study, ranking, "knn")
    with pytest.raises(LitProbeError, match="above 0 and be at most 100 %; got 200"):
        evaluate_ranking(study, ranking, percentages=(200,))
    with pytest.raises(LitProbeError, match="One random draw"):
        evaluate_ranking(study, ranking, n_draws=0)
    with pytest.raises(LitProbeError, match="0 to 100 percentage points; got -1"):
        minimal_set(study, ranking, within=-1)
    with pytest.raises(UnknownNameError, match="Unknown neuron ranking 'lime'"):
        compare_rankings(study, methods=["lime"])
    with pytest.raises(LitProbeError, match="at least one ranking"):
        compare_rankings(study, methods=[])
    with pytest.raises(LitProbeError, match="of another study"):
        evaluate_ranking(study, rank_arrays(*planted_neuron(d_model=50), "mean_gap"))
    with pytest.raises(UnknownNameError, match="Unknown layer 2"):
        evaluate_ranking(study, rank_arrays(*planted_neuron(n_layers=3, d_model=40), "mean_gap"))


def test_progress_reaches_its_total_and_can_cancel(study):
    ranking = rank_neurons(study, layers=1)
    for run in (
        lambda progress: evaluate_ranking(study, ranking, "linear", percentages=(5, 10), n_draws=3, progress=progress),
        lambda progress: compare_rankings(study, 1, evaluators=["linear"], percentages=(5,), n_draws=2, progress=progress),
        lambda progress: minimal_set(study, ranking, "linear", progress=progress),
    ):
        heard = []
        run(lambda done, total: heard.append((done, total)))  # noqa: B023
        assert [done for done, _ in heard] == sorted(done for done, _ in heard)
        assert heard[0][0] == 0 and heard[-1][0] == heard[-1][1] and len({total for _, total in heard}) == 1

        def cancel(done, total):
            if done == 2:
                raise CancelledError("not wanted")

        with pytest.raises(CancelledError):
            run(cancel)

"""The laws of similarity between layers, and the same numbers by the papers' own formulas, with matrices of rows × rows."""

from __future__ import annotations

import json
import threading
import time
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from planted_studies import planted_study

from lit_probe import layer_similarity, probe_activations, probe_layers
from lit_probe.data.labelled_texts import Splits
from lit_probe.encoder.activations import Activations
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import CancelledError, DatasetError, EncoderError, UnknownNameError, UnservedError
from lit_probe.probing.probes.fitting_scope import fitting_scope
from lit_probe.progress import no_progress
from lit_probe.views.compared_sides import side_of, with_random_weights
from lit_probe.views.layer_similarity import LayerSimilarity, compare_sides
from lit_probe.views.similarity_measures import MEASURES

OF_VECTORS = ("cka", "svcca", "pwcca")


def layers(n: int = 120, width: int = 6, n_layers: int = 3, seed: int = 0) -> np.ndarray:
    """``[n, n_layers, width]`` layers that have some directions in common, of unlike sizes and far from 0."""
    random = np.random.default_rng(seed)
    shared = random.normal(size=(n, 1, width))
    own = random.normal(size=(n, n_layers, width))
    return (shared + own) * np.linspace(1, 4, width) + np.arange(width)


def between(x, y, measure="cka", **options) -> float:
    found = layer_similarity({"x": x}, {"y": y}, measure=measure, **options)
    assert found.values[0][0] is not None
    return found.values[0][0]


def debiased_cka(x: np.ndarray, y: np.ndarray) -> float:
    """Kornblith et al. 2019, equation 4, with equation 5 of Song et al. 2012 for each HSIC, as they are printed."""

    def hsic(k: np.ndarray, m: np.ndarray) -> float:
        n, ones = len(k), np.ones(len(k))
        k, m = k - np.diag(np.diag(k)), m - np.diag(np.diag(m))
        total = (
            np.trace(k @ m) + (ones @ k @ ones) * (ones @ m @ ones) / ((n - 1) * (n - 2)) - 2 / (n - 2) * (ones @ k @ m @ ones)
        )
        return float(total / (n * (n - 3)))

    k, m = x @ x.T, y @ y.T
    return hsic(k, m) / np.sqrt(hsic(k, k) * hsic(m, m))


def canonical(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Canonical correlations by orthonormal bases of the columns, and the canonical vectors of ``x`` ``[n, k]``."""
    left, right = (np.linalg.svd(one, full_matrices=False)[0] for one in (x, y))
    turned, correlations, _ = np.linalg.svd(left.T @ right)
    return correlations, left @ turned


def svcca(x: np.ndarray, y: np.ndarray) -> float:
    """Raghu et al. 2017, section 2: the directions of 99 % of the variance by SVD, then the mean canonical correlation."""

    def widest(values: np.ndarray) -> np.ndarray:
        u, s, _ = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)
        kept = int((np.cumsum(s**2) / (s**2).sum() < 0.99).sum()) + 1
        return u[:, :kept] * s[:kept]

    return float(canonical(widest(x), widest(y))[0].mean())


def pwcca(x: np.ndarray, y: np.ndarray) -> float:
    """Morcos et al. 2018, section 2: the weights of canonical vectors by what they hold of the units of ``x``."""
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    correlations, vectors = canonical(x, y)
    weights = np.abs(vectors[:, : len(correlations)].T @ x).sum(axis=1)
    return float((weights * correlations).sum() / weights.sum())


def test_debiased_cka_is_that_of_the_papers_formula_by_rows():
    for n, width, other in ((4, 3, 3), (30, 5, 9), (40, 70, 6)):
        random = np.random.default_rng(n)
        x = random.normal(size=(n, width)) + 3
        y = np.hstack([x[:, :2] ** 2, random.normal(size=(n, other))])
        assert between(x, y) == pytest.approx(debiased_cka(x, y), abs=1e-10)


# What cka_base(…, unbiased=True) of the package ckatorch 1.0.3 gives, which follows the code of Kornblith et al.
PUBLISHED = [0.589525718245168, 0.397846007661425, 0.393154364916859]


def test_debiased_cka_is_that_of_a_published_implementation():
    rows = np.arange(40.0)[:, None]
    x = np.sin(rows * np.arange(1, 6))
    y = x[:, :3] + x[:, 2:5] ** 2
    z = np.concatenate([3 * x[:, 1:2], np.cos(rows * np.array([1, 2.5]))], axis=1)
    assert [between(*pair) for pair in ((x, y), (x, z), (y, z))] == pytest.approx(PUBLISHED, abs=1e-12)


def test_svcca_and_pwcca_are_those_of_the_papers_formulas_by_rows():
    values = layers(n=200, width=12)
    x, y = values[:, 0], values[:, 1, :7]
    assert between(x, y, "svcca") == pytest.approx(svcca(x, y), abs=1e-10)
    assert between(x, y, "pwcca") == pytest.approx((pwcca(x, y) + pwcca(y, x)) / 2, abs=1e-10)


@pytest.mark.parametrize("seed", [190, 240, 252, 664])
def test_canonical_correlations_are_found_where_lapacks_quick_way_does_not_end(seed):
    # It fails for one such layer in two hundred beside itself; which ones, the build of LAPACK decides.
    values = np.random.default_rng(seed).normal(size=(400, 200)) * np.exp(-np.arange(200) / 30)
    assert layer_similarity({"x": values}, measure="pwcca").values[0][0] == pytest.approx(1, abs=1e-9)


def test_svcca_drops_the_directions_beyond_99_percent_of_the_variance():
    random = np.random.default_rng(0)
    x, noise = random.normal(size=(300, 3)), 1e-3 * random.normal(size=(300, 20))
    y = np.hstack([x, 1e-3 * random.normal(size=(300, 20))])
    found = layer_similarity({"x": np.hstack([x, noise]), "y": y}, measure="svcca")
    assert found.one.kept == (3, 3) and found.values[0][1] == pytest.approx(1)
    assert layer_similarity({"x": np.hstack([x, noise]), "y": y}, measure="pwcca").one.kept == (23, 23)


@pytest.mark.parametrize("measure", OF_VECTORS)
def test_a_layer_is_as_itself_and_both_ways_are_one(measure):
    found = layer_similarity(layers(), measure=measure)
    values = np.array(found.values)
    assert np.diag(values) == pytest.approx(1, abs=1e-10)
    assert np.array_equal(values, values.T)
    assert ((values >= 0) & (values <= 1)).all() and values[0, 1] < 0.99
    both = layer_similarity(layers(), layers(), measure=measure)
    assert np.array(both.values) == pytest.approx(values, abs=1e-10)


@pytest.mark.parametrize("measure", OF_VECTORS)
def test_turned_moved_and_stretched_vectors_are_the_same(measure):
    x, y = layers()[:, 0], layers()[:, 1]
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(6, 6)))[0]
    assert between(x, x @ turn * 1e-3 + 100, measure) == pytest.approx(1, abs=1e-6)
    assert between(x, 1e4 * y - 7, measure) == pytest.approx(between(x, y, measure), abs=1e-10)
    if measure != "pwcca":  # whose weights are sums over units
        assert between(x, 5 * y @ turn, measure) == pytest.approx(between(x, y, measure), abs=1e-10)


def test_permuted_rows_have_nothing_in_common_for_cka_and_what_chance_gives_for_the_others():
    random = np.random.default_rng(0)
    x = random.normal(size=(400, 30))
    permuted = [x[random.permutation(len(x))] for _ in range(20)]
    cka = [between(x, y) for y in permuted]
    assert abs(np.mean(cka)) < 0.003 and np.abs(cka).max() < 0.02
    for measure in ("svcca", "pwcca"):
        found = layer_similarity({"x": x}, {"y": permuted[0]}, measure=measure)
        [[chance]] = found.by_chance
        assert chance == pytest.approx(np.sqrt(found.one.kept[0] / 399))
        assert 0.75 * chance < found.values[0][0] < chance
    assert layer_similarity(x).by_chance is None


@pytest.mark.parametrize("measure", OF_VECTORS)
@pytest.mark.parametrize("block_rows", [1, 7, 119, 1_000])
def test_the_size_of_a_block_changes_nothing(measure, block_rows):
    whole = np.array(layer_similarity(layers(), measure=measure).values)
    assert np.array(layer_similarity(layers(), measure=measure, block_rows=block_rows).values) == pytest.approx(whole, abs=1e-10)


@pytest.mark.parametrize("measure", OF_VECTORS)
def test_numbers_of_other_kinds_are_fine(measure):
    exact = np.array(layer_similarity(layers(), measure=measure).values)
    single = layers().astype(np.float32)
    assert np.array(layer_similarity(single, measure=measure).values) == pytest.approx(exact, abs=1e-5)
    assert np.array(layer_similarity(layers().astype(np.float16), measure=measure).values) == pytest.approx(exact, abs=1e-2)
    whole = layer_similarity(np.round(100 * layers()).astype(np.int32), measure=measure)
    assert np.array(whole.values) == pytest.approx(exact, abs=1e-2)
    # Kept in two blocks, or rounded as the cache may keep them.
    kept = Activations.from_array(single)
    parts = Activations((*Activations.from_array(single[:50]).blocks, *Activations.from_array(single[50:]).blocks), "mean", "")
    halves = Activations((kept.blocks[0].kept_as("bfloat16"),), "mean", "", "bfloat16")
    assert np.array(layer_similarity(parts, measure=measure, block_rows=33).values) == pytest.approx(exact, abs=1e-5)
    assert np.array(layer_similarity(halves, measure=measure).values) == pytest.approx(exact, abs=1e-2)
    assert layer_similarity(kept).one.layer_names == ("layer 0", "layer 1", "layer 2")


def test_very_large_and_very_small_numbers_neither_overflow_nor_vanish():
    x, y = layers()[:, 0], layers()[:, 1]
    for measure in OF_VECTORS:
        assert between(1e37 * x, 1e-37 * y, measure) == pytest.approx(between(x, y, measure), abs=1e-8)


def test_memory_does_not_grow_with_the_number_of_rows():
    def peak(n: int) -> int:
        values = np.random.default_rng(0).normal(size=(n, 2, 8)).astype(np.float32)
        tracemalloc.start()
        layer_similarity(values, block_rows=500)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(40_000) < 1.1 * peak(4_000)


def test_a_layer_that_does_not_vary_has_no_similarity_and_is_named():
    values = {"flat": np.full((50, 4), 0.1, np.float32), "alive": layers(50)[:, 0], "one row": np.eye(50, 4, 46)}
    for measure in OF_VECTORS:
        found = layer_similarity(values, measure=measure)
        assert found.values[0] == (None, None, None) and found.values[1][1] == pytest.approx(1)
        assert any("flat" in note or "2 layers" in note for note in found.notes)
        json.dumps(found.to_json(), allow_nan=False)
    # One row that is unlike the rest is no spread: no two other rows can be told apart.
    assert layer_similarity({"a": np.eye(50, 1), "b": layers(50)[:, 0]}).values[0] == (None, None)
    assert layer_similarity({"flat": values["flat"], "b": values["alive"]}).notes == (
        "Layer flat of first does not vary on these rows, so nothing can be compared with it.",
    )


def test_fewer_rows_than_directions_are_said_to_saturate():
    random = np.random.default_rng(0)
    values = random.normal(size=(20, 3, 40))
    for measure in ("svcca", "pwcca"):
        found = layer_similarity(values, measure=measure)
        assert np.array(found.values) == pytest.approx(1, abs=1e-6 if measure == "pwcca" else 0.06)
        assert found.n_saturated == 3 and "3 of 3 pairs" in found.notes[0] and "Take CKA" in found.notes[0]
        assert found.by_chance[0][1] == pytest.approx(1, abs=0.06)
    cka = layer_similarity(values)
    assert cka.n_saturated == 0 and cka.notes == () and abs(cka.values[0][1]) < 0.2


@pytest.mark.parametrize("n", [0, 1, 3])
def test_too_few_rows_are_refused(n):
    with pytest.raises(DatasetError, match=rf"on 4 rows or more, and there {'is|are'} .*{n} row"):
        layer_similarity(np.zeros((n, 2, 3)))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_numbers_that_are_not_finite_are_refused(bad):
    values = layers()
    values[3, 1, 2] = values[110, 1, 0] = bad
    with pytest.raises(EncoderError, match=r"Layer 'layer 1' of first has NaN, infinite or too large numbers in 2 of 120 rows"):
        layer_similarity(values, block_rows=50)


def test_what_has_other_shapes_is_refused():
    with pytest.raises(EncoderError, match=r"have the shape \[4\]"):
        layer_similarity([1.0, 2.0, 3.0, 4.0])
    with pytest.raises(EncoderError, match="no layers"):
        layer_similarity({})
    with pytest.raises(EncoderError, match=r"needs \[examples, width\]"):
        layer_similarity({"a": np.zeros((5, 0))})
    with pytest.raises(EncoderError, match="numbers are compared"):
        layer_similarity({"a": np.array([["a"]] * 5)})
    with pytest.raises(EncoderError, match="make no array"):
        layer_similarity([[1.0], [1.0, 2.0]])
    with pytest.raises(DatasetError, match="have 5 and 6 rows"):
        layer_similarity({"a": np.zeros((5, 2)), "b": np.zeros((6, 2))})
    with pytest.raises(DatasetError, match="on the same rows, and first has 50 rows and second 60: give all"):
        layer_similarity(layers(50), layers(60))
    with pytest.raises(UnknownNameError, match="Choose one of: cka, probe_cosine, pwcca, svcca"):
        layer_similarity(layers(), measure="cca")


def studies(label_names=("negative", "positive"), n=240, seed=0, probe="logistic"):
    """A study whose layers hold two copies of one direction, and one at right angles to it that says the same label."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, len(label_names), n)
    told = np.eye(len(label_names))[labels] * 2
    one, two = (told + random.normal(size=told.shape) for _ in range(2))
    turned = one @ np.linalg.qr(random.normal(size=(len(label_names),) * 2))[0] * 5
    rest = random.normal(size=(3, n, 6 - len(label_names)))
    values = np.stack([np.hstack([one, rest[0]]), np.hstack([turned, rest[1]]), np.hstack([two, rest[2]])], axis=1)
    return planted_study(
        None, values[:160].astype(np.float32), labels[:160], (values[160:].astype(np.float32), labels[160:]),
        label_names=label_names, probe=probe,
    )  # fmt: skip


@pytest.fixture
def named(monkeypatch):
    """Planted studies have no encoder; this one has a name and names of layers."""

    class Named:
        name, layer_names, at_sites = "planted", ("a", "b", "c"), False

    def made(*args, **options):
        study = studies(*args, **options)
        study.encoder = Named()
        return study

    return made


@pytest.mark.parametrize("label_names", [("negative", "positive"), ("a", "b", "c", "d")])
def test_the_cosine_between_probe_directions_is_that_in_the_whitened_space_of_both_layers(named, label_names):
    study = named(label_names)
    found = layer_similarity(study, measure="probe_cosine")
    dev = study.activations["dev"]
    for i in range(3):
        for j in range(3):
            both = np.hstack([dev.layer(i), dev.layer(j)]).astype(np.float64)
            covariance = np.cov(both.T)
            size, turn = np.linalg.eigh(covariance)
            root = turn @ np.diag(np.sqrt(np.maximum(size, 0))) @ turn.T
            cosines = []
            for label in range(len(label_names)):
                left, right = (
                    (probe.layers[0][0][label] - probe.layers[0][0].mean(axis=0)) / probe.scale
                    for probe in (study.layerwise.probes[i], study.layerwise.probes[j])
                )
                one, other = root @ np.concatenate([left, 0 * right]), root @ np.concatenate([0 * left, right])
                cosines.append(one @ other / np.linalg.norm(one) / np.linalg.norm(other))
            assert found.values[i][j] == pytest.approx(np.mean(cosines), abs=1e-6)
    assert found.split == "dev" and found.n == 80
    # The same direction, however a layer is turned; another one that says the same label is less alike.
    assert found.values[0][1] > 0.9 > found.values[0][2] > 0


def test_probes_that_say_the_opposite_look_the_other_way(named):
    study = named()
    mirrored = named()
    mirrored.layerwise = replace(
        study.layerwise,
        probes=tuple(replace(probe, layers=((-probe.layers[0][0], probe.layers[0][1]),)) for probe in study.layerwise.probes),
    )
    found = layer_similarity(study, mirrored, measure="probe_cosine")
    assert np.diag(found.values) == pytest.approx(-1)


def test_a_probe_that_never_tells_a_class_is_left_out_and_one_that_tells_none_has_no_direction(named):
    study = named()
    study.layerwise = replace(
        study.layerwise,
        probes=(
            replace(study.layerwise.probes[0], layers=((0 * study.layerwise.probes[0].layers[0][0], np.zeros(2)),)),
            *study.layerwise.probes[1:],
        ),
    )
    found = layer_similarity(study, measure="probe_cosine")
    assert found.values[0] == (None, None, None) and found.values[1][1] == pytest.approx(1)


def test_what_has_no_direction_is_told(named):
    with pytest.raises(UnservedError, match="kind 'mlp' are not linear"):
        layer_similarity(named(probe="mlp"), measure="probe_cosine")
    with pytest.raises(UnservedError, match="give what probe_layers returns"):
        layer_similarity(layers(), measure="probe_cosine")
    with pytest.raises(DatasetError, match="tell other classes apart"):
        layer_similarity(named(), named(("no", "yes")), measure="probe_cosine")
    assert layer_similarity(named(), named(("no", "yes"))).values[0][0] == pytest.approx(1)


def test_numbers_are_compared_as_classes_are():
    random = np.random.default_rng(0)
    numbers = random.normal(size=120)
    values = {"a": random.normal(size=(120, 4)) + numbers[:, None], "b": random.normal(size=(120, 3)) - 3 * numbers[:, None]}
    study = probe_activations(values, [float(number) for number in numbers], target="number")
    found = layer_similarity(study, measure="probe_cosine")
    assert found.values[0][0] == pytest.approx(1) and 0.5 < found.values[0][1] < 1


def test_two_studies_are_compared_on_the_rows_that_both_have(named):
    study, other = named(), named()
    train = study.splits.train
    order = np.random.default_rng(0).permutation(len(train))[:100]
    activations = {**study.activations, "train": Activations.from_array(study.activations["train"].values[order])}
    other.activations = activations
    other.splits = Splits("fewer", train.select(order), study.splits.dev, study.splits.test)
    found = layer_similarity(study, other)
    assert found.n == 100 and np.diag(found.values) == pytest.approx(1)
    assert found.notes == ("100 rows that both have are compared, of 160 of planted and 100 of planted.",)
    assert np.array(layer_similarity(other).values) == pytest.approx(np.array(found.values), abs=1e-10)
    texts = tuple(f"elsewhere {row}" for row in range(len(train)))
    other.activations, other.splits = study.activations, replace(study.splits, train=replace(train, texts=texts))
    with pytest.raises(DatasetError, match="no rows in common"):
        layer_similarity(study, other)
    with pytest.raises(DatasetError, match="A study is compared with another study"):
        layer_similarity(study, study.activations["train"])
    with pytest.raises(UnknownNameError, match="Unknown split"):
        layer_similarity(study, split="half")
    assert layer_similarity(study, split="dev").n == 80


def test_the_same_word_in_two_texts_is_two_rows(named):
    study = named()
    train = study.splits.train
    spans = np.array([[row % 5, 9] for row in range(len(train))])
    words = replace(train, texts=("a text that all share",) * len(train), spans=spans)
    study.splits = replace(study.splits, train=words)
    other = named()
    other.splits = replace(study.splits, train=replace(words, spans=spans + 1))
    with pytest.raises(DatasetError, match="no rows in common"):
        layer_similarity(study, other)


def test_progress_ends_where_it_says_and_can_end_the_computation():
    heard: list[tuple[int, int]] = []
    values = {**{str(i): layers(60)[:, 0] for i in range(3)}, "flat": np.ones((60, 2))}
    layer_similarity(values, progress=lambda done, total: heard.append((done, total)), block_rows=25)
    assert heard[0] == (0, heard[0][1]) and heard[-1] == (heard[0][1],) * 2
    assert [done for done, _ in heard] == list(range(len(heard)))
    heard.clear()
    layer_similarity(values, values, progress=lambda done, total: heard.append((done, total)), block_rows=25)
    assert heard[-1] == (heard[0][1],) * 2 and len(heard) == heard[0][1] + 1

    def stop(done: int, total: int) -> None:
        raise CancelledError("enough")

    with pytest.raises(CancelledError):
        layer_similarity(values, progress=stop)


def test_results_travel_as_json_and_are_told_as_text_and_as_rows():
    for measure in OF_VECTORS:
        found = layer_similarity({"a": layers(50)[:, 0], "flat": np.ones((50, 2))}, {"b": layers(50)[:, 1]}, measure=measure)
        assert LayerSimilarity.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False))) == found
        assert MEASURES[measure].title in found.table() and "n/a" in found.table()
        rows = found.flat_rows()
        assert [(row["layer_name"], row["other_layer_name"], row["value"]) for row in rows] == [
            ("a", "b", found.values[0][0]),
            ("flat", "b", None),
        ]


def test_an_encoder_stands_beside_the_same_with_random_weights(tiny_folder):
    from tiny_probing import tiny_splits

    encoder = load_encoder(str(tiny_folder()))
    study = probe_layers(encoder, tiny_splits())
    twin = with_random_weights(study, progress=no_progress)
    found = compare_sides(side_of(study, MEASURES["cka"], None, ""), twin, "cka", split="train")
    assert found.other.name == "tiny-bert with random weights" and found.n == 80
    again = layer_similarity(study, probe_layers(encoder.randomised(0).named("drawn"), tiny_splits()))
    assert np.array(again.values) == pytest.approx(np.array(found.values), abs=1e-10)
    assert found.values[0][0] < 1 and layer_similarity(study).values[0][0] == pytest.approx(1)
    # Weights that are random already are not compared with themselves.
    drawn = probe_layers(encoder.randomised(0).named("drawn"), tiny_splits())
    other = compare_sides(
        side_of(drawn, MEASURES["cka"], None, ""), with_random_weights(drawn, progress=no_progress), "cka", split="train"
    )
    assert other.other.name == "drawn with other random weights" and other.values[-1][-1] < 0.999
    with pytest.raises(UnservedError, match=r"\[weights=random\]"):
        with_random_weights(study, measure="probe_cosine", progress=no_progress)
    with pytest.raises(EncoderError, match="is known by its vectors alone"):
        with_random_weights(probe_activations(layers(), [*range(2)] * 60), progress=no_progress)


def test_probes_that_are_fitted_meanwhile_change_nothing():
    values = np.random.default_rng(0).normal(size=(300, 3, 120))
    alone = layer_similarity(values, measure="pwcca")
    done = threading.Event()

    def fit_others() -> None:
        while not done.is_set():
            with fitting_scope:
                time.sleep(0.001)

    other = threading.Thread(target=fit_others)
    other.start()
    try:
        assert all(layer_similarity(values, measure="pwcca") == alone for _ in range(5))
    finally:
        done.set()
        other.join()

"""A series of checkpoints: the same numbers as layer by layer, in the order given, and a plain word for what is no series."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lit_probe import layer_similarity, probe_activations, similarity_series
from lit_probe.errors import CancelledError, DatasetError, EncoderError, LitProbeError, UnknownNameError, UnservedError
from lit_probe.views.similarity_measures import MEASURES
from lit_probe.views.similarity_series import SimilaritySeries


def training(n_steps: int = 4, n: int = 90, n_layers: int = 3, width: int = 5) -> dict[str, np.ndarray]:
    """``[n, n_layers, width]`` of each step: noise that turns into what stands at the end, the first layer soonest."""
    random = np.random.default_rng(0)
    noise, end = random.normal(size=(2, n, n_layers, width))
    settled = [np.minimum(1, step / (n_steps - 1) * np.arange(n_layers, 0, -1)) for step in range(n_steps)]
    return {f"step {step}": share[None, :, None] * end + (1 - share)[None, :, None] * noise for step, share in enumerate(settled)}


@pytest.mark.parametrize("measure", ["cka", "svcca", "pwcca"])
def test_every_number_is_that_of_two_checkpoints_alone(measure):
    steps = training()
    found = similarity_series(steps, measure=measure)
    names = [*steps]
    assert found.checkpoints == tuple(names) and found.n == 90 and found.split is None
    others = {"last": [3, 3, 3, 3], "first": [0, 0, 0, 0], "previous": [None, 0, 1, 2]}
    assert [same.beside for same in found.same_layers] == [*others]
    for same in found.same_layers:
        for place, other in enumerate(others[same.beside]):
            if other is None:
                assert same.values[place] == (None,) * 3
                continue
            alone = layer_similarity(steps[names[place]], steps[names[other]], measure=measure)
            diagonal = [alone.values[layer][layer] for layer in range(3)]
            assert same.values[place] == pytest.approx(diagonal, abs=1e-9)
            chance = None if alone.by_chance is None else tuple(alone.by_chance[layer][layer] for layer in range(3))
            assert chance is None if same.by_chance is None else same.by_chance[place] == chance
    for name, one in zip(names[:-1], found.maps, strict=False):
        alone = layer_similarity(steps[name], steps[names[-1]], measure=measure)
        assert np.array(one.values) == pytest.approx(np.array(alone.values))
        assert (one.one.name, one.other.name) == (name, names[-1])
    assert np.array(found.maps[-1].values) == pytest.approx(np.array(layer_similarity(steps[names[-1]], measure=measure).values))


def test_layers_that_settle_first_are_seen_to():
    to_last = np.array(similarity_series(training(7)).same_layers[0].values)
    assert to_last[-1] == pytest.approx(1) and abs(to_last[0]).max() < 0.2
    assert (np.diff(to_last, axis=0) > -0.05).all()
    settled = [int((of > 0.9).argmax()) for of in to_last.T]
    assert settled == sorted(settled) and settled[0] < settled[-1]


def test_studies_are_called_as_their_encoders_and_compared_on_the_rows_that_all_have():
    steps = training()
    texts = [f"text {row}" for row in range(90)]
    labels = (steps["step 3"][:, 0, 0] > 0).astype(int)
    studies = [probe_activations(values, labels, texts=texts, name=name) for name, values in steps.items()]
    for measure in ("cka", "probe_cosine"):
        found = similarity_series(studies, measure=measure)
        assert found.checkpoints == ("step-0", "step-1", "step-2", "step-3") and found.split == MEASURES[measure].split
        alone = layer_similarity(studies[1], studies[3], measure=measure)
        assert found.maps[1].values == pytest.approx(np.array(alone.values), abs=1e-12) and found.notes == alone.notes
    fewer = probe_activations(steps["step 1"][:60], labels[:60], texts=texts[:60], name="fewer")
    told = similarity_series([studies[0], fewer, studies[3]], split="train")
    assert "rows that all have are compared, of" in told.notes[0] and told.notes[0].endswith("of step-3.")
    assert 4 <= told.n < fewer.splits.train.labels.size + 1
    named = similarity_series({"begin": studies[0], "end": studies[3]})
    assert named.checkpoints == ("begin", "end")


def test_checkpoints_are_told_apart_by_their_numbers():
    steps = training(3)
    by_step = similarity_series(dict(zip((500, np.int64(1000), 1500.0), steps.values(), strict=True)))
    assert by_step.checkpoints == ("500", "1000", "1500.0")
    labels = (steps["step 2"][:, 0, 0] > 0).astype(int)
    studies = [probe_activations(values, labels) for values in steps.values()]
    alike = similarity_series([*studies, probe_activations(steps["step 0"], labels, name="other")])
    assert alike.checkpoints == (
        "activations (checkpoint 1)",
        "activations (checkpoint 2)",
        "activations (checkpoint 3)",
        "other",
    )
    assert "the same layer of other" in alike.table() and alike.maps[0].one.name == "activations (checkpoint 1)"


def test_a_layer_that_does_not_vary_has_no_numbers_and_is_told():
    steps = training()
    steps["step 1"][:, 1] = 2.0
    found = similarity_series(steps, measure="svcca")
    assert found.same_layers[0].values[1][1] is None and found.same_layers[2].values[2][1] is None
    assert found.same_layers[0].values[1][0] is not None
    assert found.notes == ("Layer layer 1 of step 1 does not vary on these rows, so nothing can be compared with it.",)
    narrow = similarity_series({name: values[:6] for name, values in training().items()}, measure="pwcca")
    assert "have more directions between them than 6 rows" in narrow.notes[-1]


def test_progress_ends_where_it_says_and_can_end_the_computation():
    heard: list[tuple[int, int]] = []
    steps = training()
    steps["step 1"][:, 1] = 2.0
    similarity_series(steps, progress=lambda done, total: heard.append((done, total)), block_rows=25)
    assert [done for done, _ in heard] == list(range(len(heard))) and heard[-1] == (heard[0][1],) * 2

    def stop(done: int, total: int) -> None:
        if done > 3:
            raise CancelledError("enough")

    with pytest.raises(CancelledError):
        similarity_series(steps, progress=stop)


def test_results_travel_as_json_and_are_told_as_text_and_as_rows():
    for measure in ("cka", "svcca"):
        found = similarity_series(training(), measure=measure)
        assert SimilaritySeries.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False))) == found
        assert "the same layer of step 3 on 90 rows" in found.table() and "\nstep 0 " in found.table()
        rows = found.flat_rows()
        assert len(rows) == 4 * 9 + 4 * 3 + 3 * 3 and len({frozenset(row) for row in rows}) == 1
        previous = [(row["one"], row["other"]) for row in rows if row["beside"] == "previous"][::3]
        assert previous == [("step 1", "step 0"), ("step 2", "step 1"), ("step 3", "step 2")]


def test_what_is_no_series_is_told():
    steps = training()
    for few, said in (({}, "there are none"), ([steps["step 0"]], "there is 1")):
        with pytest.raises(DatasetError, match=f"two checkpoints or more, and {said}"):
            similarity_series(few)
    with pytest.raises(EncoderError, match="step 0 has 3 layers and checkpoint 1 layer"):
        similarity_series({"step 0": steps["step 0"], "checkpoint": steps["step 1"][:, :1]})
    with pytest.raises(EncoderError, match="first has 'layer 0' and second 'a'"):
        similarity_series({"first": steps["step 0"], "second": dict(zip("abc", steps["step 1"].swapaxes(0, 1), strict=True))})
    with pytest.raises(DatasetError, match="on the same rows, and checkpoint 1 has 90 rows and checkpoint 3 60: give all"):
        similarity_series([steps["step 1"], steps["step 0"], steps["step 1"][:60]])
    for no_number in (0, -1, 2.5, True, None):
        with pytest.raises(LitProbeError, match=rf"block_rows is {no_number}; give a whole number, 1 or more\."):
            similarity_series(steps, block_rows=no_number)
        with pytest.raises(LitProbeError, match=rf"block_rows is {no_number}; give a whole number, 1 or more\."):
            layer_similarity(steps["step 0"], block_rows=no_number)
    with pytest.raises(DatasetError, match="on 4 rows or more, and there are 3 rows"):
        similarity_series([values[:3] for values in steps.values()])
    with pytest.raises(UnknownNameError, match="Unknown measure of similarity 'cca'"):
        similarity_series(steps, measure="cca")
    with pytest.raises(UnservedError, match="Probe directions are compared of studies"):
        similarity_series(steps, measure="probe_cosine")
    steps["step 2"][0, 1, 0] = np.nan
    with pytest.raises(EncoderError, match="of step 2 has NaN"):
        similarity_series(steps)

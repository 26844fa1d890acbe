"""UMAP where it is installed: the digits, what waits for a fit and what does not; and nothing where it is not."""

from __future__ import annotations

import gc
import importlib.util
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lit_nlp.api import types
from lit_nlp.api.dataset import Dataset, IndexedDataset
from lit_nlp.api.model import Model

from lit_probe.errors import LitProbeError
from lit_probe.lit.host import umap_projection as umap_projection_module
from lit_probe.lit.host.umap_projection import FEWEST_ROWS, MOST_WAITING, UmapProjection, umap_projection

installed = pytest.mark.skipif(importlib.util.find_spec("umap") is None, reason="umap-learn is not installed (extra umap)")


class Groups(Model):
    """Vectors around one of three places."""

    def input_spec(self) -> types.Spec:
        return {"row": types.Integer()}

    def output_spec(self) -> types.Spec:
        return {"near": types.Embeddings(), "far": types.Embeddings(), "kind": types.CategoryLabel()}

    def predict(self, inputs: Any, **kwargs: Any) -> Any:
        for one in inputs:
            noise = np.random.default_rng(one["row"]).normal(size=8)
            yield {"near": noise, "far": noise + 40 * np.eye(8)[one["row"] % 3], "kind": "a"}


def rows_of(n: int) -> IndexedDataset:
    base = Dataset({"row": types.Integer()}, [{"row": row} for row in range(n)])
    return IndexedDataset(base=base, id_fn=lambda one: str(one["row"]))


def config(field: str = "far", **more: Any) -> dict[str, Any]:
    return {"model_name": "groups", "field_name": field, "use_input": False, "proj_kw": {"n_components": 3}, **more}


def points(found: Any) -> np.ndarray:
    return np.array([one["z"] for one in found])


@installed
def test_groups_stay_together_and_each_run_has_the_same_digits():
    data = rows_of(60)
    one, again = (points(UmapProjection().run(data.examples, Groups(), data, config=config())) for _ in range(2))
    np.testing.assert_array_equal(one, again)
    assert one.shape == (60, 3) and np.isfinite(one).all()
    distances = np.linalg.norm(one[:, None] - one[None], axis=2) + 1e9 * np.eye(60)
    assert (distances.argmin(axis=1) % 3 == np.arange(60) % 3).all()


@installed
def test_edits_are_placed_and_rows_keep_their_places():
    data, umap, model = rows_of(40), UmapProjection(), Groups()
    before = points(umap.run(data.examples, model, data, config=config()))
    edit = {"row": 99, "_id": ""}
    after = points(umap.run([*data.examples, edit], model, data, config=config()))
    np.testing.assert_array_equal(after[:40], before)
    assert np.linalg.norm(before[np.arange(40) % 3 == 0] - after[40], axis=1).min() < 3


@installed
def test_the_last_edits_are_kept_and_rows_keep_their_places_whatever_else_is_asked(monkeypatch):
    monkeypatch.setattr(umap_projection_module, "N_EDITS", 3)
    data, umap, model = rows_of(20), UmapProjection(), Groups()
    before = points(umap.run(data.examples, model, data, config=config()))
    edits = [{"row": 50 + n, "_id": f"edit {n}"} for n in range(8)]
    placed = [points(umap.run([one], model, data, config=config()))[0] for one in edits]
    fit = umap._fits(model)(data).of("far", 3)
    assert list(fit._edits) == ["edit 5", "edit 6", "edit 7"]
    again = points(umap.run([*data.examples, *edits], model, data, config=config()))
    np.testing.assert_array_equal(again[:20], before)
    np.testing.assert_array_equal(again[-3:], placed[-3:])
    assert len(umap.run(edits, model, data, [{"far": np.zeros(8)}] * 8, config())) == 8


@installed
def test_what_is_known_is_answered_while_another_fit_runs_and_the_queue_ends():
    hold, held, told = threading.Event(), threading.Event(), threading.Event()

    class Slow(Groups):
        def predict(self, inputs: Any, **kwargs: Any) -> Any:
            if hold.is_set():
                told.set()
                held.wait(30)
            return super().predict(inputs)

    data, umap, model = rows_of(30), UmapProjection(), Slow()
    known = umap.run(data.examples, model, data, config=config())
    hold.set()
    errors: list[Exception] = []

    def ask() -> None:
        try:
            umap.run(data.examples, model, data, config=config("near"))
        except LitProbeError as error:
            errors.append(error)

    waiting = [threading.Thread(target=ask) for _ in range(MOST_WAITING + 1)]
    for thread in waiting:
        thread.start()
    assert told.wait(10)
    assert umap.run(data.examples, model, data, config=config()) == known
    while not errors:
        assert any(thread.is_alive() for thread in waiting)
    assert "Choose PCA, or ask again later" in str(errors[0])
    held.set()
    for thread in waiting:
        thread.join(60)
    assert len(errors) == 1
    assert umap.run(data.examples, model, data, config=config("near"))


@installed
def test_what_is_kept_is_that_of_models_and_data_sets_and_not_of_the_names_that_are_sent():
    n_fits = 0

    class Counted(Groups):
        def predict(self, inputs: Any, **kwargs: Any) -> Any:
            nonlocal n_fits
            n_fits += 1
            return super().predict(inputs)

    data, other, umap, model = rows_of(20), rows_of(21), UmapProjection(), Counted()
    found = [umap.run(data.examples, model, data, config=config(model_name=name)) for name in ("a", "b", "x" * 1000, None)]
    of_one = n_fits
    assert all(one == found[0] for one in found)
    umap.run(data.examples[:3], model, data, config=config(model_name="c"))
    assert n_fits == of_one, "one fit, whatever the model is called"
    umap.run(other.examples, model, other, config=config())
    assert n_fits == 2 * of_one
    # Under the same name comes another model, as when probes are dropped and made anew on the page.
    another = Counted()
    umap.run(data.examples, another, data, config=config(model_name="a"))
    assert n_fits == 3 * of_one
    fits = weakref.ref(umap._fits(another)(data))
    del another
    gc.collect()
    assert fits() is None


@installed
def test_a_program_that_is_stopped_does_not_wait_for_a_fit():
    code = """
import threading, time
from test_umap_projection import Groups, UmapProjection, config, rows_of
begun = threading.Event()
class Slow(Groups):
    def predict(self, inputs, **kwargs):
        begun.set()
        time.sleep(60)
        return super().predict(inputs)
data = rows_of(30)
ask = lambda: UmapProjection().run(data.examples, Slow(), data, config=config())
threading.Thread(target=ask, daemon=True).start()
assert begun.wait(30)
"""
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent, check=True, timeout=50)


@pytest.mark.parametrize("n", [0, 1, FEWEST_ROWS - 1])
def test_too_few_rows_are_told_in_a_sentence(n):
    data = rows_of(n)
    with pytest.raises(LitProbeError, match=rf"UMAP needs 5 rows or more, and this data set has {n}\. Choose PCA\."):
        UmapProjection().run(data.examples, Groups(), data, config=config())


@installed
def test_five_rows_suffice():
    data = rows_of(FEWEST_ROWS)
    assert points(UmapProjection().run(data.examples, Groups(), data, config=config())).shape == (5, 3)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (config("kind"), "Unknown field_name 'kind'"),
        ({}, "field_name"),
        (config(proj_kw={"n_components": 99}), "from 2 to 3"),
        (config(proj_kw=[1]), "must be an object"),
        ([], "must be an object"),
    ],
)
def test_a_wrong_configuration_is_told_in_a_sentence(wrong, sentence):
    data = rows_of(20)
    with pytest.raises(LitProbeError, match=sentence):
        UmapProjection().run(data.examples, Groups(), data, config=wrong)


def test_it_is_offered_where_it_is_installed_and_nowhere_else():
    assert ("umap" in umap_projection()) == (importlib.util.find_spec("umap") is not None)
    load = "from lit_probe.lit.host.stock_interpreters import STOCK_INTERPRETERS"
    code = f"import sys; sys.modules['umap'] = None; {load}; print(*STOCK_INTERPRETERS)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "pca" in printed and "umap" not in printed

"""LIT's UMAP projection, where ``umap-learn`` is installed: seeded, one fit at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lit_nlp.api import components, types
from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model
from lit_nlp.components import core
from lit_nlp.lib import utils

from lit_probe.errors import LitProbeError
from lit_probe.lit.host.config_values import one_of, settings_of, whole_number
from lit_probe.lit.host.kept_predictions import N_EDITS, KeptPredictions
from lit_probe.lit.host.per_dataset import per_dataset
from lit_probe.lit.host.turns import Turns
from lit_probe.views.umap_door import FEWEST_ROWS, SEED, umap_turn

# LIT's panel asks and waits, and a request that waits holds a thread of the server.
MOST_WAITING = 8


class UmapProjection(components.Interpreter):
    """The rows in three dimensions by UMAP (McInnes et al. 2018, arXiv 1802.03426), which keeps neighbours together.

    All fits run one after another: UMAP bears no two at a time, and the first one compiles for many seconds. LIT's own component
    holds a lock meanwhile, for which requests wait whose answer is known. The panel can show nothing but points, so the request
    for a new projection waits for its fit, as long as it may take; any other is answered at once. A seed makes each run give the
    same digits. A fit that has begun goes on where nobody waits any more, and the next who asks has it.
    """

    def __init__(self) -> None:
        self._fits = per_dataset(_Fits)
        self._turns = Turns(1)
        self._lock = threading.Lock()
        self._n_waiting = 0

    def is_compatible(self, model: lit_model.Model, dataset: lit_dataset.Dataset) -> bool:
        """True for a model with vectors."""
        return bool(utils.spec_contains(model.output_spec(), types.Embeddings))

    def run(
        self,
        inputs: Sequence[types.JsonDict],
        model: lit_model.Model,
        dataset: lit_dataset.Dataset,
        model_outputs: Sequence[types.JsonDict] | None = None,
        config: types.JsonDict | None = None,
    ) -> list[dict[str, Any]]:
        """The place of each row, ``{"z": [x, y, z]}``. The projection is fitted on the rows of the data set alone.

        Args:
          inputs: the rows of the data set, and edits.
          model: a model with vectors.
          dataset: the data set that the rows belong to.
          model_outputs: what the model predicts for them, if LIT has asked already.
          config: ``field_name``, the vectors; ``proj_kw``, of which ``n_components`` counts, 2 or 3.

        Raises:
          LitProbeError: the configuration names no vectors, there are too few rows, or too many requests are waiting.
        """
        settings = settings_of(config)
        vectors = one_of(utils.find_spec_keys(model.output_spec(), types.Embeddings))
        field = vectors.of(settings, "field_name")
        n_components = whole_number(2, 3, 3).of(settings_of(settings.get("proj_kw")), "n_components")
        if len(dataset) < FEWEST_ROWS:
            raise LitProbeError(f"UMAP needs {FEWEST_ROWS} rows or more, and this data set has {len(dataset)}. Choose PCA.")
        fit = self._fits(model)(dataset).of(field, n_components)
        if None not in (known := fit.known(inputs)):
            return known
        with self._lock:
            if self._n_waiting >= MOST_WAITING:
                raise LitProbeError(f"{MOST_WAITING} projections by UMAP are being computed. Choose PCA, or ask again later.")
            self._n_waiting += 1
        try:
            return self._turns.run(lambda: fit.place(inputs, model, dataset, model_outputs))
        finally:
            with self._lock:
                self._n_waiting -= 1


class _Fit:
    """One projection of a data set, with the places of its rows and of the last edits by their ids.

    A row's place is that of the fit: what UMAP says of its vector later is another one.
    """

    def __init__(self, field: str, n_components: int):
        self._field, self._projector = field, core.umap.UmapModel(random_state=SEED, n_jobs=1, n_components=n_components)
        self._rows: dict[str, dict[str, Any]] = {}
        self._edits: KeptPredictions = KeptPredictions(N_EDITS)
        self._lock = threading.Lock()

    def known(self, inputs: Sequence[types.JsonDict]) -> list[Any]:
        """The place of each row and edit; None of one that has to be computed."""
        with self._lock:
            return [self._rows.get(row.get("_id")) or self._edits.get(row.get("_id")) for row in inputs]

    def place(
        self,
        inputs: Sequence[types.JsonDict],
        model: lit_model.Model,
        dataset: lit_dataset.Dataset,
        model_outputs: Sequence[types.JsonDict] | None,
    ) -> list[dict[str, Any]]:
        """The place of each row and edit, after a fit on the rows where there was none."""
        if not self._rows:
            vectors = self._vectors(model.predict(dataset.examples))
            with umap_turn:
                fitted = list(self._projector.fit_transform(vectors))
            with self._lock:
                self._rows = {row["_id"]: point for row, point in zip(dataset.examples, fitted, strict=True)}
        points = self.known(inputs)
        new = [place for place, point in enumerate(points) if point is None]
        if new:
            said = model.predict([inputs[place] for place in new]) if model_outputs is None else [model_outputs[i] for i in new]
            vectors = self._vectors(said)
            with umap_turn:
                found = list(self._projector.predict(vectors))
            with self._lock:
                for place, point in zip(new, found, strict=True):
                    points[place] = point
                    if name := inputs[place].get("_id"):
                        self._edits[name] = point
        return points

    def _vectors(self, said: Iterable[types.JsonDict]) -> list[dict[str, Any]]:
        return [{"x": one[self._field]} for one in said]


class _Fits:
    """The projections of one model's vectors of one data set."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_config: dict[tuple[str, int], _Fit] = {}

    def of(self, field: str, n_components: int) -> _Fit:
        """The projection of a field into so many dimensions."""
        with self._lock:
            if (key := (field, n_components)) not in self._by_config:
                self._by_config[key] = _Fit(field, n_components)
            return self._by_config[key]


def umap_projection() -> Mapping[str, components.Interpreter]:
    """The interpreter under the name by which LIT's panel asks for it; none where ``umap-learn`` is not installed."""
    return {"umap": UmapProjection()} if "umap" in core.default_interpreters({}) else {}

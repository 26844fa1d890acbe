"""LIT's UMAP projection, where ``umap-learn`` is installed: seeded, one fit at a time."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from lit_nlp.api import components, types
from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model
from lit_nlp.components import core, projection
from lit_nlp.lib import utils

from lit_probe.errors import LitProbeError
from lit_probe.lit.host.config_values import one_of, settings_of, whole_number
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
        fits, key = self._fits(model)(dataset), (field, n_components)
        known = fits.known.get(key, {})
        if all(row.get("_id") in known for row in inputs):
            return [known[row["_id"]] for row in inputs]
        with self._lock:
            if self._n_waiting >= MOST_WAITING:
                raise LitProbeError(f"{MOST_WAITING} projections by UMAP are being computed. Choose PCA, or ask again later.")
            self._n_waiting += 1

        def place() -> list[dict[str, Any]]:
            with umap_turn:
                asked = {"field_name": field, "proj_kw": {"n_components": n_components}}
                points = list(fits.manager.run(inputs, model, dataset, model_outputs, asked))
            new = {row["_id"]: point for row, point in zip(inputs, points, strict=True) if row.get("_id")}
            fits.known[key] = fits.known.get(key, {}) | new
            return points

        try:
            return self._turns.run(place)
        finally:
            with self._lock:
                self._n_waiting -= 1


class _Fits:
    """The projections of one model's vectors of one data set."""

    def __init__(self) -> None:
        self.manager = projection.ProjectionManager(_seeded)
        # By the field and the number of components, the place of each row and edit by its id.
        self.known: dict[Hashable, dict[str, dict[str, Any]]] = {}


def _seeded(**options: Any) -> lit_model.ProjectorModel:
    return core.umap.UmapModel(random_state=SEED, n_jobs=1, **options)


def umap_projection() -> Mapping[str, components.Interpreter]:
    """The interpreter under the name by which LIT's panel asks for it; none where ``umap-learn`` is not installed."""
    return {"umap": UmapProjection()} if "umap" in core.default_interpreters({}) else {}

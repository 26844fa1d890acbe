"""LIT's own interpreters, as far as they work with our fields: on the right rows, and with a word for a wrong configuration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lit_nlp.api import components, types
from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model
from lit_nlp.components import core, curves, gradient_maps, nearest_neighbors, pca, projection, tcav
from lit_nlp.lib import utils

from lit_probe.errors import LitProbeError
from lit_probe.lit.host.config_values import Key, any_text, boolean, number, one_of, read_keys, settings_of, whole_number
from lit_probe.lit.host.dataset import probe_dataset
from lit_probe.lit.host.fields import LABEL, PROBE
from lit_probe.lit.host.model import is_probe_model, probe_model
from lit_probe.lit.host.per_dataset import per_dataset
from lit_probe.lit.host.row_selection import select_rows
from lit_probe.lit.host.turns import Turns
from lit_probe.lit.host.umap_projection import umap_projection

# Of LIT's own computations so many run at a time: each may hold copies of all vectors, and numpy itself uses several cores.
MOST_AT_ONCE = 4
TURNS = Turns(MOST_AT_ONCE)


class HeldOutCurves(curves.CurvesInterpreter):
    """Precision-recall and ROC curves over the dev rows among those asked for, or over test rows where there is no dev row.

    Train and edited rows are left out.
    """

    def is_compatible(self, model: lit_model.Model, dataset: lit_dataset.Dataset) -> bool:
        """True for an encoder with layer probes on rows that have a label."""
        return is_probe_model(model) and bool(super().is_compatible(model, dataset))

    def run(
        self,
        inputs: Sequence[types.JsonDict],
        model: lit_model.Model,
        dataset: lit_dataset.Dataset,
        model_outputs: Sequence[types.JsonDict] | None = None,
        config: types.JsonDict | None = None,
    ) -> dict[str, Any]:
        """The points of both curves; none where the rows are all of one kind, for which there are no curves.

        Args:
          inputs: the rows of the data set, a slice, a facet or a selection.
          model: an encoder with layer probes.
          dataset: the data set that the rows belong to.
          model_outputs: what the model predicts for them, if LIT has asked already.
          config: ``Label``, the class that counts as positive; ``Prediction field``, by default the dev-chosen layer's probe.

        Raises:
          LitProbeError: the configuration names no class, or a field that is not compared with the label.
        """
        config, spec = config or {}, model.output_spec()
        comparable = [name for name in utils.find_spec_keys(spec, types.MulticlassPreds) if spec[name].parent == LABEL]
        field = one_of(comparable, PROBE).of(config, curves.TARGET_PREDICTION_KEY)
        label = one_of(spec[field].vocab).of(config, curves.TARGET_LABEL_KEY)
        probes = probe_model(model)
        selected = select_rows([probes.read(example) for example in inputs], probes, probe_dataset(dataset)).reported
        indices = selected.indices if selected else []
        rows = [inputs[index] for index in indices]
        if len({row[LABEL] == label for row in rows}) < 2:
            return {curves.ROC_DATA: [], curves.PR_DATA: []}
        outputs = None if model_outputs is None else [model_outputs[index] for index in indices]
        asked = {curves.TARGET_PREDICTION_KEY: field, curves.TARGET_LABEL_KEY: label}
        run = super().run
        return TURNS.run(lambda: run(rows, model, dataset, outputs, asked))


class NearestNeighbors(nearest_neighbors.NearestNeighbors):
    """The rows whose pooled vectors at one layer are nearest to those of one example."""

    def run(
        self,
        inputs: Sequence[types.JsonDict],
        model: lit_model.Model,
        dataset: lit_dataset.Dataset,
        model_outputs: Sequence[types.JsonDict] | None = None,
        config: types.JsonDict | None = None,
    ) -> list[dict[str, Any]] | None:
        """See LIT's own interpreter.

        Raises:
          LitProbeError: there is not exactly one example, or the configuration names no layer or no number.
        """
        if len(inputs) != 1:
            raise LitProbeError(f"Neighbours are found for one example at a time; {len(inputs)} were sent.")
        keys = {
            "embedding_name": one_of(utils.find_spec_keys(model.output_spec(), types.Embeddings)),
            "num_neighbors": whole_number(1, max(len(dataset), 1), default=min(10, len(dataset))),
        }
        checked = {name: key.of(config or {}, name) for name, key in keys.items()}
        run = super().run
        return TURNS.run(lambda: run(inputs, model, dataset, model_outputs, checked))


class PcaProjection(components.Interpreter):
    """The rows in two or three dimensions by PCA, fitted on the data set alone.

    LIT's own remembers a projection for every configuration that it ever saw, whatever stands in it, and for ever. These are
    forgotten with their model or data set.
    """

    def __init__(self) -> None:
        self._managers = per_dataset(lambda: projection.ProjectionManager(pca.PCAModel))

    def is_compatible(self, model: lit_model.Model, dataset: lit_dataset.Dataset) -> bool:
        """True for an encoder with layer probes."""
        return is_probe_model(model)

    def run(
        self,
        inputs: Sequence[types.JsonDict],
        model: lit_model.Model,
        dataset: lit_dataset.Dataset,
        model_outputs: Sequence[types.JsonDict] | None = None,
        config: types.JsonDict | None = None,
    ) -> list[dict[str, Any]]:
        """The place of each row, ``{"z": […]}``.

        Args:
          inputs: the rows of the data set, and edits.
          model: an encoder with layer probes.
          dataset: the data set that the rows belong to.
          model_outputs: what the model predicts for them, if LIT has asked already.
          config: ``field_name``, the vectors; ``proj_kw``, of which ``n_components`` counts, 2 or 3.

        Raises:
          LitProbeError: the configuration names no vectors, or another number of components.
        """
        settings = settings_of(config)
        asked = {
            "field_name": one_of(utils.find_spec_keys(model.output_spec(), types.Embeddings)).of(settings, "field_name"),
            "proj_kw": {"n_components": whole_number(2, 3, 3).of(settings_of(settings.get("proj_kw")), "n_components")},
        }
        manager = self._managers(model)(dataset)
        return TURNS.run(lambda: list(manager.run(inputs, model, dataset, model_outputs, asked)))


# Salience maps are made by our own rows. The others need regression scores or tabular inputs.
STOCK_INTERPRETERS: dict[str, components.Interpreter] = {
    "nearest neighbors": NearestNeighbors(),
    "pca": PcaProjection(),
    **umap_projection(),
    "curves": HeldOutCurves(),
}


def _ids(value: Any, name: str) -> list[str]:
    if not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
        raise LitProbeError(f"{name!r} must be a list of example ids.")
    return value


class Tcav(tcav.TCAV):
    """Whether a concept, given by examples, bears on a prediction (Kim et al. 2018, arXiv 1711.11279)."""

    def run(
        self,
        inputs: Sequence[types.JsonDict],
        model: lit_model.Model,
        dataset: lit_dataset.Dataset,
        model_outputs: Sequence[types.JsonDict] | None = None,
        config: types.JsonDict | None = None,
    ) -> Any:
        """See LIT's own interpreter.

        Raises:
          LitProbeError: the configuration names no layer, no class or too few examples, or these cannot be told apart.
        """
        settings, spec = settings_of(config), model.output_spec()
        layer = one_of(utils.find_spec_keys(spec, types.Gradients)).of(settings, "grad_layer")
        classes = getattr(spec.get(spec[layer].align), "vocab", None) or ()
        checked = {
            "grad_layer": layer,
            "class_to_explain": one_of(classes).of(settings, "class_to_explain"),
            "concept_set_ids": Key(_ids).of(settings, "concept_set_ids"),
            "negative_set_ids": Key(_ids, []).of(settings, "negative_set_ids"),
            "test_size": number(0.1, 0.9, 0.33).of(settings, "test_size"),
            "random_state": whole_number(0, 2**31, 42).of(settings, "random_state"),
        }
        sent = {row.get("_id") for row in inputs}
        concept = sent & set(checked["concept_set_ids"])
        others = sent & set(checked["negative_set_ids"]) if checked["negative_set_ids"] else sent - concept
        if min(len(concept), len(others)) < _FEWEST_OF_A_CONCEPT:
            raise LitProbeError(
                f"TCAV needs {_FEWEST_OF_A_CONCEPT} examples of the concept and as many others; {len(concept)} and {len(others)} "
                "were sent."
            )
        run = super().run
        try:
            return TURNS.run(lambda: run(inputs, model, dataset, model_outputs, checked))
        except (ValueError, ZeroDivisionError) as error:
            # How numpy and scikit-learn say that there is nothing to fit or to count.
            raise LitProbeError(f"TCAV finds no answer for these examples: {error}. Choose others.") from error


# A third of them is held out, of the concept and of the others.
_FEWEST_OF_A_CONCEPT = 4


class IntegratedGradients(gradient_maps.IntegratedGradients):
    """LIT's own integrated gradients of token fields, of a configuration that its form could have sent."""

    def run(
        self,
        inputs: Sequence[types.JsonDict],
        model: lit_model.Model,
        dataset: lit_dataset.Dataset,
        model_outputs: Sequence[types.JsonDict] | None = None,
        config: types.JsonDict | None = None,
    ) -> list[dict[str, Any]] | None:
        """See LIT's own interpreter.

        Raises:
          LitProbeError: a value makes no sense. Rows in memory are as many as the interpolation steps, so these have a limit.
        """
        result: list[dict[str, Any]] | None = super().run(inputs, model, dataset, model_outputs, read_keys(config, self._keys()))
        return result

    def _keys(self) -> dict[str, Key]:
        spec = self.config_spec()
        steps = spec[gradient_maps.INTERPOLATION_KEY]
        return {
            gradient_maps.CLASS_KEY: any_text(spec[gradient_maps.CLASS_KEY].default),
            gradient_maps.NORMALIZATION_KEY: boolean(spec[gradient_maps.NORMALIZATION_KEY].default),
            gradient_maps.INTERPOLATION_KEY: whole_number(int(steps.min_val), int(steps.max_val), default=int(steps.default)),
        }


# LIT's own, of token fields: see ``token_fields.py``. Its HotFlip is not among them, since ours swaps whole words.
OF_TOKEN_FIELDS: dict[str, components.Interpreter] = {
    **{name: core.default_interpreters({})[name] for name in ("Grad L2 Norm", "Grad ⋅ Input")},
    "Integrated Gradients": IntegratedGradients(),
    "tcav": Tcav(),
}

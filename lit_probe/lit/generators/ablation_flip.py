"""LIT's Ablation Flip, with its examples kept out of LIT's cache."""

from __future__ import annotations

from typing import Any

from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model
from lit_nlp.api import types
from lit_nlp.components import ablation_flip


class AblationFlip(ablation_flip.AblationFlip):
    """Removes the fewest words that make a probe change its answer."""

    def generate(
        self,
        example: types.JsonDict,
        model: lit_model.Model,
        dataset: lit_dataset.Dataset,
        config: types.JsonDict | None = None,
    ) -> list[dict[str, Any]]:
        """The shortened examples, see LIT's own generator.

        LIT's generator shortens copies that keep the original's id, for which the cache answers with the original's
        prediction (or, with strict ids, refuses), so no text ever flips. Without an id they are predicted afresh. It also
        leaves its own notes in the example, which are no fields of the data set.
        """
        fields_only = {name: value for name, value in example.items() if not name.startswith("_")}
        found = super().generate(fields_only, model, dataset, config)
        return [{name: new[name] for name in fields_only} for new in found]

"""A bound on what LIT keeps of a model's predictions: it keeps those of every edit that was ever made, for ever."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

from lit_nlp.lib.caching import CachingModelWrapper

# Beside the rows of the data sets. At 8 layers of 384 units an edit takes about 15 kB, at 25 of 1,024 units 100 kB.
N_EDITS = 2_000


class KeptPredictions(OrderedDict[Hashable, Any]):
    """Predictions by example: those of so many examples that were asked for last. The others are predicted anew.

    LIT holds a lock of its own around all calls.

    Args:
      size: how many.
    """

    def __init__(self, size: int):
        super().__init__()
        self._size = size

    def get(self, key: Hashable, default: Any = None) -> Any:
        """The prediction, which is asked for now."""
        if key in self:
            self.move_to_end(key)
        return super().get(key, default)

    def __setitem__(self, key: Hashable, value: Any) -> None:
        super().__setitem__(key, value)
        while len(self) > self._size:
            self.popitem(last=False)


def keep_last(model: CachingModelWrapper, n_rows: int) -> CachingModelWrapper:
    """Makes LIT keep the predictions of so many rows and of the last edits.

    Args:
      model: what LIT has wrapped in its cache; nothing was predicted yet.
      n_rows: how many rows the data sets have that it can be asked about.

    Returns:
      The same model.
    """
    model._cache._d = KeptPredictions(n_rows + N_EDITS)
    return model

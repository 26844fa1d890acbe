"""What LIT imports at its start and our server asks for late or never, imported when somebody asks for it.

LIT imports SHAP, UMAP and ROUGE for interpreters and metrics of which our pages show UMAP alone, and these take most of the
time of LIT's own import: numba, matplotlib, nltk.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

LATE = ("shap", "umap", "rouge_score.rouge_scorer")


class _LateModule(ModuleType):
    """Stands in a module's place until one of its names is asked for, and has all names of the real one.

    The standard library's `LazyLoader` does not bear that several threads ask first (https://github.com/python/cpython/issues/114763).
    """

    def __init__(self, spec: ModuleSpec):
        super().__init__(spec.name)
        self.__spec__, self.__file__ = spec, spec.origin
        if spec.submodule_search_locations is not None:
            self.__path__ = spec.submodule_search_locations
        self._lock = threading.RLock()

    def __getattr__(self, name: str) -> Any:
        # Whoever looks through all modules, as `inspect` does, asks for such names in passing.
        if name.startswith("__"):
            raise AttributeError(f"{self.__name__} is not imported yet, and what stands for it has no {name!r}.")
        with self._lock:
            if sys.modules.get(self.__name__) is self:
                del sys.modules[self.__name__]
                try:
                    import_module(self.__name__)
                except BaseException:
                    sys.modules[self.__name__] = self
                    raise
        return getattr(sys.modules[self.__name__], name)


def import_late(names: Sequence[str] = LATE) -> None:
    """From now on, importing one of these modules takes no time, but asking it for something the first time does.

    For a process of our own, before LIT is imported in it. What is imported already stays, and what is not installed stays
    absent.

    Args:
      names: of modules.
    """
    for name in names:
        try:
            spec = None if name in sys.modules else find_spec(name)
        except ModuleNotFoundError:  # the package that it is part of is not installed
            continue
        if spec is not None:
            sys.modules[name] = _LateModule(spec)

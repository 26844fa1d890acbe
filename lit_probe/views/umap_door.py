"""What holds for every use of UMAP: whether it is installed, its seed, and that no two fits run at a time."""

from __future__ import annotations

import threading
from importlib.util import find_spec

SEED = 0

# UMAP needs more rows than the number of components that it starts from, which is one more than those that are shown.
FEWEST_ROWS = 5

# Its compiled loops bear no two at a time: whoever fits or places points holds this.
umap_turn = threading.Lock()


def umap_is_installed() -> bool:
    """Whether ``umap-learn`` (the extra ``umap``) is there; does not import it, which takes seconds."""
    return find_spec("umap") is not None

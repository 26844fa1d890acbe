"""What encoders and their activations take of the memory, told before any weight is loaded."""

from __future__ import annotations

import math
import shutil
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from lit_probe.encoder.cache import Cache
from lit_probe.encoder.dtypes import DTYPES, FLOAT32
from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.memory import MemoryBudget, check_weights, in_gb
from lit_probe.errors import LitProbeError
from lit_probe.results import Result


@dataclass(frozen=True)
class MemoryNeed(Result):
    """What is needed at most; all in bytes.

    Attributes:
      weights: the weights of all encoders in their dtypes, each once.
      dtypes: the dtypes of these encoders.
      activations: the pooled vectors of all texts at all sites, as they are kept.
      n_texts: the number of these texts.
      on_disk: whether activations lie in the cache's folder, from which they are read bit by bit, and not in memory.
      rows: what these are: texts, or words.
      disk_free: how many bytes are free where the cache's folder is; None without one.
    """

    weights: int
    dtypes: tuple[str, ...]
    activations: int
    n_texts: int
    on_disk: bool
    rows: str = "texts"
    disk_free: int | None = None

    @property
    def held(self) -> int:
        """What is in memory at once, in bytes."""
        return self.weights + (0 if self.on_disk else self.activations)

    @property
    def words(self) -> str:
        """What is needed, in a few words."""
        words = f"{in_gb(self.weights)} of weights in {' and '.join(self.dtypes)}"
        told = f"{words} and {in_gb(self.activations)} of activations of {self.n_texts:,} {self.rows}"
        return told if self.activations else words

    def told(self, budget: MemoryBudget) -> str:
        """What is needed and what there is, of the memory and of the cache's disk."""
        where = f" ({'in the cache' if self.on_disk else 'no cache'})" if self.activations else ""
        return f"Memory: {self.words}{where}{'; ' if budget.words else ''}{budget.words}.{self._disk()}"

    def _disk(self) -> str:
        if self.disk_free is None or not self.activations:
            return ""
        free = f" The cache's disk has {in_gb(self.disk_free)} free"
        if self.activations <= self.disk_free:
            return f"{free}."
        return (
            f"{free}: what is not kept there yet may not fit, and is then computed without it. Less is written with the option "
            "cache_dtype=bfloat16; the option cache_dir names another disk."
        )


def memory_need(runs: Iterable[tuple[Encoder, str]], n_texts: int, cache: Cache | None = None, rows: str = "texts") -> MemoryNeed:
    """What some encoders need. Reads headers of files, no weights.

    Args:
      runs: encoders, each with the name of its pooling; the same with the same pooling counts once.
      n_texts: how many texts are encoded by each.
      cache: where activations are kept; in memory where there is none.
      rows: what has a vector each: texts, or words.
    """
    weights: dict[Hashable, int] = {}
    activations: dict[Hashable, int] = {}
    dtypes: dict[str, None] = {}
    for encoder, pooling in runs:
        own = (encoder.checkpoint.identity, encoder.dtype, encoder.random_seed)
        read = (encoder.max_length, encoder.keep, encoder.sites if encoder.at_sites else None, pooling)
        weights[own] = encoder.n_weight_bytes
        activations[own, read] = n_texts * sum(encoder.widths) * DTYPES[FLOAT32 if cache is None else cache.dtype]
        dtypes[encoder.dtype] = None
    folder = None if cache is None else cache.folder
    disk_free = None if folder is None else shutil.disk_usage(folder).free
    held = sum(activations.values())
    return MemoryNeed(sum(weights.values()), tuple(dtypes), held, n_texts, folder is not None, rows, disk_free)


def check_need(need: MemoryNeed, encoders: Sequence[Encoder], budget: MemoryBudget, n_splits: int = 3) -> None:
    """That all of it fits.

    Without a budget of somebody's, activations on disk are let pass: each encoder asks for its weights' room when it loads them,
    and a run that finds all in the cache loads none.

    Args:
      need: from `memory_need`.
      encoders: those that it is the need of.
      budget: how much there is.
      n_splits: how many splits the texts are in, for advice.

    Raises:
      EncoderError: the weights of one encoder are too large by themselves.
      LitProbeError: all together is.
    """
    if need.held <= budget.n_bytes or (need.on_disk and not budget.given):
        return
    for encoder in encoders:
        if encoder.n_weight_bytes:
            check_weights(encoder.checkpoint, encoder.dtype, budget)
    left, fitting = budget.n_bytes - need.weights, []
    if need.activations and not need.on_disk:
        rows = math.floor(left / need.activations * need.n_texts / max(1, n_splits))
        # Of words train alone is cut; dev and test keep theirs.
        option = "max_examples" if need.rows == "texts" else "max_words"
        fitting += [f"the option {option}={rows}"] if rows > 0 else []
        fitting += ["a folder for the option cache_dir, from which activations are read"] if left > 0 else []
    advice = f"Would fit: {', or '.join(fitting)}." if fitting else "Give fewer encoders at a time, or a larger memory budget."
    raise LitProbeError(f"{need.words} take {in_gb(need.held)} of memory, and {budget.words}. {advice}")

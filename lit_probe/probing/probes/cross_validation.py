"""The folds on which a probe's regularisation is chosen: by group where groups exist."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

N_FOLDS = 3

_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class Folds:
    """A division of the train split.

    Attributes:
      pairs: per fold, the row indices to fit on and the row indices to score.
      by: ``"group"`` or ``"row"``.
      note: why it is not the usual division, or an empty string.
    """

    pairs: tuple[tuple[NDArray[np.int64], NDArray[np.int64]], ...]
    by: str
    note: str


def stratified_folds(labels: ArrayLike, groups: ArrayLike | None, seed: int) -> Folds:
    """Three shuffled folds with like shares of each class: scikit-learn's StratifiedGroupKFold, StratifiedKFold without groups.

    A class with 2 examples makes two folds. Where groups are so few that the fitting part of some fold would lack a class, two
    folds by group are tried, then folds by row; `Folds.note` says so.

    Args:
      labels: ``[n_examples]`` class indices, at least 2 of each class.
      groups: ``[n_examples]`` what must not be split, or None.
      seed: the seed of the shuffle.
    """
    classes = np.ascontiguousarray(labels, dtype=np.int64)
    codes = None if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1].astype(np.int64).tobytes()
    # All layers ask for the same folds at the same time: the first works them out, the others wait for its answer.
    with _ONE_AT_A_TIME:
        return _folds(classes.tobytes(), codes, seed)


def plain_folds(n_rows: int, groups: ArrayLike | None, seed: int) -> Folds:
    """Three shuffled folds of rows whose labels are numbers: scikit-learn's GroupKFold, KFold without groups.

    Fewer than three groups make folds by row; `Folds.note` says so.

    Args:
      n_rows: the number of rows, 3 or more.
      groups: ``[n_rows]`` what must not be split, or None.
      seed: the seed of the shuffle.
    """
    from sklearn.model_selection import GroupKFold, KFold

    places, note = np.empty((n_rows, 0)), ""
    if groups is not None:
        codes = np.unique(np.asarray(groups), return_inverse=True)[1]
        if codes.max() + 1 >= N_FOLDS:
            splitter = GroupKFold(N_FOLDS, shuffle=True, random_state=seed)
            return Folds(tuple(splitter.split(places, groups=codes)), "group", note)
        note = f"fewer than {N_FOLDS} groups, hence folds by row"
    return Folds(tuple(KFold(N_FOLDS, shuffle=True, random_state=seed).split(places)), "row", note)


@lru_cache(maxsize=4)
def _folds(label_bytes: bytes, group_bytes: bytes | None, seed: int) -> Folds:
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    labels = np.frombuffer(label_bytes, dtype=np.int64)
    rarest = int(np.bincount(labels)[np.unique(labels)].min())
    note = f"{rarest} examples of the rarest class, hence {rarest} folds" if rarest < N_FOLDS else ""
    if group_bytes is not None:
        groups = np.frombuffer(group_bytes, dtype=np.int64)
        for n_folds in range(min(N_FOLDS, rarest, groups.max() + 1), 1, -1):
            splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
            pairs = tuple(splitter.split(labels, labels, groups))
            if _every_class_is_fitted(labels, pairs):
                few = f"groups too few for {N_FOLDS} folds by group, hence {n_folds}" if n_folds < min(N_FOLDS, rarest) else ""
                return Folds(pairs, "group", note or few)
        note = "groups too few for folds by group that keep every class, hence folds by row"
    splitter = StratifiedKFold(min(N_FOLDS, rarest), shuffle=True, random_state=seed)
    return Folds(tuple(splitter.split(labels, labels)), "row", note)


def _every_class_is_fitted(labels: NDArray[np.int64], pairs: Iterable[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> bool:
    n_classes = np.unique(labels).size
    return all(held.size and np.unique(labels[fitted]).size == n_classes for fitted, held in pairs)

"""How far something is: what long computations report, and bars that show it in a terminal or a notebook."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Protocol

# Hears how far one computation is: so many parts done, of so many. It may raise `CancelledError`, which ends the computation.
Progress = Callable[[int, int], None]


def no_progress(done: int, total: int) -> None:
    """Hears nothing."""


class StudyProgress(Protocol):
    """Hears how far a study is."""

    def __call__(self, step: str, done: int, total: int, unit: str) -> None:
        """``done`` of ``total`` ``unit`` (texts, layers) of ``step`` are finished."""


def of_step(progress: StudyProgress | None, step: str, unit: str) -> Progress:
    """What one step of several reports to: ``progress`` hears its name and what is counted.

    Args:
      progress: hears all steps; None for nobody.
      step: the name of this one.
      unit: what is counted, in the plural: texts, layers.
    """
    if progress is None:
        return no_progress
    return lambda done, total: progress(step, done, total, unit)


def of_part(progress: Progress, start: int, stop: int, total: int) -> Progress:
    """What a part of a computation reports to that takes it from ``start`` to ``stop`` of ``total``."""
    return lambda done, of: progress(start + round((stop - start) * done / of) if of else stop, total)


def tqdm_progress() -> StudyProgress:
    """A progress bar per step, with the rate and the time left: on stderr, or in the cell of a notebook."""
    # It looks at the place it is imported in, and warns where a notebook lacks ipywidgets.
    from tqdm.auto import tqdm

    bars: dict[str, tqdm[Any]] = {}

    def show(step: str, done: int, total: int, unit: str) -> None:
        bar = bars.get(step)
        if bar is None:
            bar = bars[step] = tqdm(total=total, desc=step, unit=f" {unit}", file=sys.stderr, leave=False, delay=0.5)
        bar.update(done - bar.n)
        if done >= total:
            bars.pop(step).close()

    return show

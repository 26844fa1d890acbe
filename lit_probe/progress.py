"""How far something is: what long computations report, and bars that show it in a terminal or a notebook."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Protocol

_MINUTE = 60

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


def about(seconds: float) -> str:
    """An expected time as people say it: no more exact than it is known.

    >>> [about(seconds) for seconds in (0.2, 7.4, 33, 58, 140, 1260, 5000)]
    ['about 1 s', 'about 7 s', 'about 35 s', 'about 1 minute', 'about 2 minutes', 'about 20 minutes', 'about 1.5 hours']
    """
    if (rounded := _rounded(seconds)) < _MINUTE:
        return f"about {rounded} s"
    if (rounded := _rounded(seconds / _MINUTE)) < _MINUTE:
        return f"about {rounded} minute{'s' * (rounded > 1)}"
    hours = max(1, round(2 * seconds / _MINUTE**2) / 2)
    return f"about {hours:g} hour{'s' * (hours > 1)}"


def _rounded(amount: float) -> int:
    """To whole ones below ten, to fives above; 1 at least."""
    step = 1 if amount < 10 else 5
    return max(1, step * round(amount / step))


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

"""Progress bars, in a terminal and in a notebook."""

from __future__ import annotations

import sys
from typing import Any

from lit_probe.study import StudyProgress


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

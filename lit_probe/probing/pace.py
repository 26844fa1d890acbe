"""How long parts of a study have taken in this run, and how long more of them will take."""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

# A fit of all layers, as a share of the time in which the network reads the same rows: so that bars move evenly where nothing is
# measured. 0.1 is that of all-MiniLM on two cores of a CPU; of larger networks it is less.
_FIT_BY_READING = 0.1


@dataclass(frozen=True)
class Work:
    """How much there is to do, in what a study's own curve is made of.

    Attributes:
      fits: the fits of probes at all layers to all rows of train; one to some of them is a part of a fit.
      read: the rows of which the study's network, or one of its size, reads the texts.
    """

    fits: float = 0.0
    read: int = 0

    def __add__(self, other: Work) -> Work:
        return Work(self.fits + other.fits, self.read + other.read)

    def in_rows(self, n_train: int) -> int:
        """About how many rows are read in the time that it takes, for a bar.

        >>> Work(fits=2, read=500).in_rows(n_train=1000)
        700
        """
        return self.read + round(self.fits * n_train * _FIT_BY_READING)


@dataclass(frozen=True)
class Pace:
    """How long it has taken in this run; None of what was found in the cache, for then nothing is known.

    Attributes:
      fit_s: seconds of a fit of all layers to train.
      row_s: seconds of reading the text of one row.
    """

    fit_s: float | None = None
    row_s: float | None = None

    def expected(self, work: Work) -> float | None:
        """Seconds that so much will take; None where a part of it was not measured.

        >>> Pace(fit_s=2.0).expected(Work(fits=6)), Pace(fit_s=2.0).expected(Work(fits=6, read=100))
        (12.0, None)
        """
        parts = [(amount, seconds) for amount, seconds in ((work.fits, self.fit_s), (work.read, self.row_s)) if amount]
        if any(seconds is None for _, seconds in parts):
            return None
        return sum(amount * seconds for amount, seconds in parts if seconds is not None)


class Clock:
    """Measures what is done within it.

    Attributes:
      seconds: so many; None before its end.
    """

    seconds: float | None = None

    def __enter__(self) -> Self:
        self._start = time.perf_counter()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.seconds = time.perf_counter() - self._start

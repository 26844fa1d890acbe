"""The vectors of layers, read in blocks of rows, so that more rows take no more memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lit_probe.encoder.activations import Activations, widened
from lit_probe.errors import EncoderError

# Reads ``[n_positions, width]`` numbers of the rows at ``[n_positions]`` positions.
Read = Callable[[NDArray[np.int64]], NDArray[np.generic]]

# Of a unit that varies by no more than so many units in the last place, only rounding is seen.
_ROUNDING = 8


def row_blocks(n_rows: int, block_rows: int) -> Iterator[NDArray[np.int64]]:
    """The positions ``0..n_rows-1``, so many at a time."""
    for start in range(0, n_rows, block_rows):
        yield np.arange(start, min(start + block_rows, n_rows))


def activation_reader(activations: Activations, layer: int) -> Read:
    """Reads rows of one layer from the blocks in which activations are kept, and from no other."""
    ends = np.cumsum([len(block) for block in activations.blocks])

    def read(positions: NDArray[np.int64]) -> NDArray[np.generic]:
        found = np.empty((len(positions), activations.widths[layer]), dtype=np.float32)
        which = np.searchsorted(ends, positions, side="right")
        for place in np.unique(which):
            block, here = activations.blocks[place], which == place
            found[here] = widened(block.values[layer][positions[here] - (ends[place] - len(block))])
        return found

    return read


@dataclass(frozen=True, eq=False)
class LayerRows:
    """The vectors of one layer about their mean, in a scale of their own.

    Attributes:
      mean: ``[width]`` float64.
      scale: how far apart the two furthest values of one unit are; 0 where no unit varies.
    """

    read: Read
    mean: NDArray[np.float64]
    scale: float

    @classmethod
    def of(cls, told: str, read: Read, n_rows: int, block_rows: int, report: Callable[[], None]) -> LayerRows:
        """Reads all rows once.

        Args:
          told: what the layer is called in a message.
          read: reads its rows.
          n_rows: their number, at least 1.
          block_rows: so many are read at a time.
          report: called after each block.

        Raises:
          EncoderError: they hold NaN, infinity or numbers beyond the range of float32.
        """
        n_bad, sums, lows, highs, step = 0, 0.0, np.inf, -np.inf, 0.0
        for positions in row_blocks(n_rows, block_rows):
            given = read(positions)
            step = max(step, float(np.finfo(np.float32 if given.dtype == np.float32 else np.float64).eps))
            values = given.astype(np.float64)
            n_bad += int((~(np.abs(values) <= np.finfo(np.float32).max).all(axis=1)).sum())
            if not n_bad:
                sums = sums + values.sum(axis=0)
                lows, highs = np.minimum(lows, values.min(axis=0)), np.maximum(highs, values.max(axis=0))
            report()
        if n_bad:
            raise EncoderError(
                f"{told} has NaN, infinite or too large numbers in {n_bad:,} of {n_rows:,} rows, and only finite ones can be "
                "compared. Leave these rows out."
            )
        spread = np.asarray(highs - lows)
        varies = spread > _ROUNDING * step * np.maximum(np.abs(lows), np.abs(highs))
        return cls(read, np.asarray(sums / n_rows), float(spread[varies].max(initial=0.0)))

    def centred(self, positions: NDArray[np.int64]) -> NDArray[np.float64]:
        """``[n_positions, width]`` float64 of a layer that varies."""
        values: NDArray[np.float64] = (self.read(positions).astype(np.float64) - self.mean) / self.scale
        return values

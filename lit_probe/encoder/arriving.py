"""Vectors on their way from the device on which they are made: one copy for all places of a batch, for which no pass waits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

# By device, what tells when the last batch that was handed to it is done.
_last_batch: dict[Any, Any] = {}


class ArrivingVectors:
    """The vectors of one batch at all places. To be made, filled and sent on the encoder thread, and to be received anywhere.

    Args:
      n_rows: the number of vectors at each place.
      widths: ``[n_places]``.
      device: on which they are made.
    """

    def __init__(self, n_rows: int, widths: Sequence[int], device: Any):
        import torch

        self._shapes = [(n_rows, width) for width in widths]
        self._sizes = [n_rows * width for width in widths]
        self._flat = torch.empty(sum(self._sizes), device=device)
        self._done: Any = None

    def put(self, place: int, vectors: Tensor) -> None:
        """Keeps ``[n_rows, width]`` vectors of one place, of any kind of numbers, as float32."""
        start = sum(self._sizes[:place])
        self._flat[start : start + self._sizes[place]].view(self._shapes[place]).copy_(vectors)

    def send(self) -> None:
        """Begins the copy. It is made when the device has come so far; on a CPU nothing is to be done.

        A GPU computes what it is handed in turn, however much that is. So that somebody's edit waits for two batches at most,
        this returns when the batch before this one is done.
        """
        import torch

        device = self._flat.device
        if device.type == "cpu":
            return
        if device.type != "cuda":
            self._flat = self._flat.cpu()
            return
        # From pageable memory the copy would make the thread wait for the whole batch.
        here = torch.empty(self._flat.shape, pin_memory=True)
        here.copy_(self._flat, non_blocking=True)
        self._flat = here
        self._done = torch.cuda.current_stream(device).record_event()
        before = _last_batch.get(device)
        _last_batch[device] = self._done
        if before is not None:
            before.synchronize()

    @property
    def is_underway(self) -> bool:
        """Whether it may pay to do something else before they are received."""
        return self._done is not None

    def received(self) -> list[NDArray[np.float32]]:
        """``[n_places]`` arrays ``[n_rows, width]``; waits until they are here. They are gone when this object is."""
        if self._done is not None:
            self._done.synchronize()
        ends = np.cumsum(self._sizes)[:-1]
        return [part.reshape(shape) for part, shape in zip(np.split(self._flat.numpy(), ends), self._shapes, strict=True)]

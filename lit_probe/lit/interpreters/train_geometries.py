"""Distances in the layers of every study of a server, made ready in the background: no question about an edit waits for them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future

from lit_probe.counterfactuals.pair_changes import TrainGeometry
from lit_probe.lit.host.pending_study import PendingStudy
from lit_probe.once import once_per_object
from lit_probe.probing.study import LayerStudy


@once_per_object
def geometry_of(study: PendingStudy) -> TrainGeometry:
    """The study's distances, made once.

    Raises:
      LitProbeError: the study is not ready, or it failed.
    """
    return TrainGeometry(study.result())


def prepare_geometries(studies: Iterable[PendingStudy]) -> None:
    """Sees to it that each study's covariances are computed as soon as it is ready, beside the studies that follow it."""
    for study in studies:
        study.when_done(_preparation(study))


def _preparation(study: PendingStudy) -> Callable[[Future[LayerStudy]], None]:
    def prepare(future: Future[LayerStudy]) -> None:
        if future.exception() is None:
            # A daemon, so that Ctrl-C need not wait; who asks meanwhile computes the layers that are missing.
            threading.Thread(target=geometry_of(study).prepare, name="lit_probe_geometry", daemon=True).start()

    return prepare

"""A study that may still be running: LIT opens first, and panels say what is still being computed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any

from absl import logging

from lit_probe.data.asked import check_on_page
from lit_probe.data.labelled_texts import Splits
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.thread import give_way, in_background
from lit_probe.errors import CancelledError, LitProbeError
from lit_probe.lit.host.messages import failure, is_end_of_program
from lit_probe.probing.memory_need import memory_need
from lit_probe.probing.rules import StudyRules
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import StudyProgress
from lit_probe.scores.decision import Decision


class PendingStudy:
    """The probes of one encoder on one data set: waiting, being computed, ready or failed.

    Args:
      cache: where its activations are kept.
      balanced: whether classes count alike in the fits of its probes.

    Attributes:
      encoder: the frozen encoder.
      splits: the labelled texts.
      rules: how it is scored, and how its layer is chosen.
      future: holds the ``LayerStudy`` when it is ready, or what went wrong.
    """

    def __init__(
        self,
        encoder: Encoder,
        splits: Splits,
        rules: StudyRules | None = None,
        cache: Cache | None = None,
        balanced: bool = False,
    ):
        check_on_page(splits.name, splits.unit, splits.target)
        self.encoder = encoder
        self.splits = splits
        self.rules = rules or StudyRules()
        self._balanced = balanced
        self.future: Future[LayerStudy] = Future()
        self._message = f"Waiting to encode {splits.name} with {encoder.name}{_size(encoder, splits, cache)}"
        self._fraction = 0.0

    @property
    def decision(self) -> Decision:
        """The rule by which its probes' probabilities become a class, known before they are fitted."""
        return self.rules.decision_for(self.splits.train.labels, len(self.splits.label_names), balanced=self._balanced)

    def compute(self, probe_layers: Callable[[StudyProgress], LayerStudy]) -> None:
        """Runs ``probe_layers(progress)`` and keeps its result or its error; never raises."""
        try:
            self.future.set_result(probe_layers(self.report))
        except CancelledError as error:
            self.future.set_exception(error)
        except LitProbeError as error:
            if not is_end_of_program(error):
                logging.error("%s on %s failed: %s", self.encoder.name, self.splits.name, error)
            self.future.set_exception(error)
        # Whatever else goes wrong must reach the panels, or they would show progress for ever.
        except BaseException as error:
            if not is_end_of_program(error):
                logging.exception("%s on %s failed unexpectedly", self.encoder.name, self.splits.name)
            self.future.set_exception(error)

    def report(self, step: str, done: int, total: int, unit: str) -> None:
        """Takes note of how far the study is, and lets those go first who wait for an answer."""
        self._message = f"{step}: {done:,} of {total:,} {unit}"
        self._fraction = done / total if total else 1.0
        give_way()

    @property
    def ready(self) -> bool:
        """Whether there is a result."""
        return self.future.done() and self.future.exception() is None

    def status(self) -> dict[str, Any] | None:
        """What a panel shows instead of numbers: ``computing`` or ``failed``; None when the study is ready."""
        if not self.future.done():
            return {"status": "computing", "message": self._message, "fraction": self._fraction}
        if error := self.future.exception():
            return {"status": "failed", "message": self._failure(error)}
        return None

    def result(self) -> LayerStudy:
        """The study. Never waits: requests that do would take all the server's threads.

        Raises:
          LitProbeError: it is not ready, or it failed.
        """
        if not self.future.done():
            raise LitProbeError(self.not_ready)
        if error := self.future.exception():
            raise LitProbeError(self._failure(error)) from error
        return self.future.result()

    @property
    def not_ready(self) -> str:
        """What those are told who ask for a prediction while the study is computed."""
        return f"The probes of {self.encoder.name} on {self.splits.name} are still being computed: {self._message}."

    def _failure(self, error: BaseException) -> str:
        return failure(f"The probes of {self.encoder.name} on {self.splits.name} could not be computed", error)


def _size(encoder: Encoder, splits: Splits, cache: Cache | None) -> str:
    """What a study will take of the memory, in brackets; nothing of vectors."""
    if not encoder.has_network:
        return ""
    n_rows = sum(len(rows) for _, rows in splits.items())
    try:
        return f" ({memory_need([(encoder, '')], n_rows, cache, f'{splits.unit}s').words})"
    except LitProbeError:
        return ""  # files that cannot be read are told when they are loaded


def compute_in_background(studies: Iterable[tuple[PendingStudy, Callable[[StudyProgress], LayerStudy]]]) -> threading.Thread:
    """Computes studies one after another on a thread of their own, so that the server answers meanwhile."""

    def run() -> None:
        with in_background():
            for study, probe_layers in studies:
                study.compute(probe_layers)

    # A daemon, so that Ctrl-C need not wait for the last text: what is finished is in the cache already.
    thread = threading.Thread(target=run, name="lit_probe_studies", daemon=True)
    thread.start()
    return thread

"""A study that may still be running: LIT opens first, and panels say what is still being computed."""

from __future__ import annotations

import threading
import time
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

# A failed study looks at its files no more often.
_LOOK_EVERY_S = 1.0
# Studies take the machine one after another, those that are tried again too.
_TURN = threading.Lock()


class PendingStudy:
    """The probes of one encoder on one data set: waiting, being computed, ready or failed.

    A study that has failed can be tried again, and tries itself once the encoder's files are others than it failed with.

    Args:
      cache: where its activations are kept.
      balanced: whether classes count alike in the fits of its probes.
      on_request: whether those who ask may have it tried again.

    Attributes:
      encoder: the frozen encoder.
      splits: the labelled texts.
      rules: how it is scored, and how its layer is chosen.
      future: holds the ``LayerStudy`` when it is ready, or what went wrong; another one once it is tried again.
    """

    def __init__(
        self,
        encoder: Encoder,
        splits: Splits,
        rules: StudyRules | None = None,
        cache: Cache | None = None,
        balanced: bool = False,
        on_request: bool = True,
    ):
        check_on_page(splits.name, splits.unit, splits.target)
        self.encoder = encoder
        self.splits = splits
        self.rules = rules or StudyRules()
        self._balanced = balanced
        self._on_request = on_request
        self.future: Future[LayerStudy] = Future()
        self._message = f"Waiting to encode {splits.name} with {encoder.name}{_size(encoder, splits, cache)}"
        self._fraction = 0.0
        self._probe_layers: Callable[[StudyProgress], LayerStudy] | None = None
        self._listeners: list[Callable[[Future[LayerStudy]], None]] = []
        self._files: object = None
        self._next_look = 0.0
        self._ended = False
        self._lock = threading.Lock()

    @property
    def decision(self) -> Decision:
        """The rule by which its probes' probabilities become a class, known before they are fitted."""
        return self.rules.decision_for(self.splits.train.labels, len(self.splits.label_names), balanced=self._balanced)

    def compute(self, probe_layers: Callable[[StudyProgress], LayerStudy]) -> None:
        """Runs ``probe_layers(progress)`` and keeps its result or its error; never raises."""
        self._probe_layers, self._files = probe_layers, self._files_now()
        try:
            study = probe_layers(self.report)
            if self.encoder.has_network:
                self.encoder.rely_on_files()
            self.future.set_result(study)
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

    def when_done(self, listener: Callable[[Future[LayerStudy]], None]) -> None:
        """Calls the listener with the future that is done, each time that the study is computed."""
        with self._lock:
            self._listeners.append(listener)
            future = self.future
        future.add_done_callback(listener)

    def retry(self) -> bool:
        """Computes a failed study again, in the background; False where nothing failed, or it is not computed here."""
        with self._lock:
            probe_layers = self._probe_layers
            if probe_layers is None or self._ended or not self.failed:
                return False
            self.future = Future()
            for listener in self._listeners:
                self.future.add_done_callback(listener)
            self._message, self._fraction = f"Trying {self.splits.name} with {self.encoder.name} again", 0.0
        if self.encoder.has_network:
            self.encoder.forget_files()
        compute_in_background([(self, probe_layers)])
        return True

    def end(self) -> None:
        """Ends the computation at its next report of progress; it is not tried again."""
        self._ended = True

    def report(self, step: str, done: int, total: int, unit: str) -> None:
        """Takes note of how far the study is, and lets those go first who wait for an answer.

        Raises:
          CancelledError: it has been ended.
        """
        if self._ended:
            raise CancelledError("the server is ending.")
        self._message = f"{step}: {done:,} of {total:,} {unit}"
        self._fraction = done / total if total else 1.0
        give_way()

    @property
    def ready(self) -> bool:
        """Whether there is a result."""
        return self.future.done() and self.future.exception() is None

    @property
    def failed(self) -> bool:
        """Whether something went wrong."""
        return self.future.done() and self.future.exception() is not None

    def status(self) -> dict[str, Any] | None:
        """What a panel shows instead of numbers: ``computing`` or ``failed``; None when the study is ready.

        With ``failed`` stands ``can_retry``: whether those who ask may have it tried again.
        """
        self._look_at_files()
        if not self.future.done():
            return {"status": "computing", "message": self._message, "fraction": self._fraction}
        if error := self.future.exception():
            can_retry = self._on_request and self._probe_layers is not None
            return {"status": "failed", "message": self._failure(error, on_page=can_retry), "can_retry": can_retry}
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

    def _look_at_files(self) -> None:
        """Tries a failed study again where its encoder's files have changed since it began."""
        if self.failed and time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + _LOOK_EVERY_S
            if self._files_now() != self._files:
                self.retry()

    def _files_now(self) -> object:
        """Equal while nobody has touched the encoder's files; None where it has none."""
        return self.encoder.checkpoint.files_now()

    def _failure(self, error: BaseException, *, on_page: bool = False) -> str:
        what = f"The probes of {self.encoder.name} on {self.splits.name} could not be computed"
        return failure(what, error, on_page=on_page)


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
        for study, probe_layers in studies:
            with _TURN, in_background():
                study.compute(probe_layers)

    # A daemon, so that Ctrl-C need not wait for the last text: what is finished is in the cache already.
    thread = threading.Thread(target=run, name="lit_probe_studies", daemon=True)
    thread.start()
    return thread

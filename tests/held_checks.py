"""Checks that begin, say that half is done and go on when they are let go: what a page waits for, held still."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import Any

import pytest

from lit_probe.checks.battery import CHECKS, run_check
from lit_probe.errors import CancelledError
from lit_probe.lit.interpreters import probe_checks

PATIENCE_S = 20


class HeldChecks:
    """Takes the place of all checks that take long.

    Attributes:
      go_on: lets all of them go on.
      started: by check, whether it has begun.
      over: by check, whether it has ended once.
      cancelled: the checks that were given up, in order.
    """

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.started: dict[str, threading.Event] = defaultdict(threading.Event)
        self.over: dict[str, threading.Event] = defaultdict(threading.Event)
        self.cancelled: list[str] = []
        self._runs: list[threading.Event] = []

    @classmethod
    def instead_of_checks(cls, monkeypatch: pytest.MonkeyPatch) -> HeldChecks:
        """Held checks, which every panel gets from now on."""
        held = cls()
        monkeypatch.setattr(probe_checks, "run_check", held._run)
        return held

    def finish(self) -> None:
        """Lets all of them go on, and waits until those that have begun are over."""
        self.go_on.set()
        for over in self._runs:
            assert over.wait(PATIENCE_S)

    def _run(self, name: str, study: Any, cache: Any, progress: Any, variant: str | None) -> Any:
        if CHECKS[name].quick:
            return run_check(name, study, cache, progress, variant)
        self._runs.append(over := threading.Event())
        try:
            progress(1, 2)
            self.started[name].set()
            assert self.go_on.wait(PATIENCE_S)
            progress(1, 2)
            return run_check(name, study, cache, progress, variant)
        except CancelledError:
            self.cancelled.append(name)
            raise
        finally:
            self.over[name].set()
            over.set()

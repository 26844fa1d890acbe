"""Checks, and searches for copies, that begin and go on when they are let go: what a page waits for, held still."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import Any

import pytest

from lit_probe.checks import battery
from lit_probe.checks.battery import CHECKS, run_check
from lit_probe.checks.leakage import NearDuplicates, near_duplicates
from lit_probe.data.labelled_texts import Splits
from lit_probe.errors import CancelledError
from lit_probe.lit.host import copies
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


class HeldSearch:
    """Takes the place of the search for copies across splits, as if every data set were large.

    Attributes:
      go_on: lets all searches go on.
      n_begun: how many have begun.
    """

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.n_begun = 0

    @classmethod
    def instead_of_searches(cls, monkeypatch: pytest.MonkeyPatch) -> HeldSearch:
        """A held search, which every data set gets from now on."""
        held = cls()
        monkeypatch.setattr(copies, "FOUND_AT_ONCE", 0)
        monkeypatch.setattr(battery, "near_duplicates", held._find)
        return held

    def finish(self) -> None:
        """Lets all of them go on, and waits until they are over."""
        self.go_on.set()
        for thread in threading.enumerate():
            if thread.name == copies.THREAD:
                thread.join(PATIENCE_S)
                assert not thread.is_alive()

    def _find(self, splits: Splits) -> NearDuplicates:
        self.n_begun += 1
        assert self.go_on.wait(PATIENCE_S)
        return near_duplicates(splits)

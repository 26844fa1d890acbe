"""Places for what cannot be interrupted: who waits for one, who gives up, and what becomes of what has begun."""

from __future__ import annotations

import threading
import time

import pytest

from lit_probe.encoder.wanted import check_wanted, while_wanted
from lit_probe.errors import CancelledError
from lit_probe.lit.host.turns import Turns

PATIENCE_S = 20


class Asking(threading.Thread):
    """Asks for a computation, until it gives up."""

    def __init__(self, turns: Turns, compute):
        super().__init__(daemon=True)
        self.given_up = threading.Event()
        self.found: object = None
        self._turns, self._compute = turns, compute
        self.start()

    def run(self) -> None:
        def check() -> None:
            if self.given_up.is_set():
                raise CancelledError("given up")

        try:
            with while_wanted(check):
                self.found = self._turns.run(self._compute)
        except Exception as error:
            self.found = error

    def over(self) -> object:
        self.join(PATIENCE_S)
        assert not self.is_alive()
        return self.found


def test_who_gives_up_is_let_go_and_what_has_begun_keeps_its_place_until_it_ends():
    turns, go_on, begun = Turns(1), threading.Event(), []

    def held(name):
        def compute():
            begun.append(name)
            assert go_on.wait(PATIENCE_S)
            return name

        return compute

    first = Asking(turns, held("first"))
    while not begun:
        time.sleep(0.01)
    waiting, leaving = Asking(turns, held("waiting")), Asking(turns, held("leaving"))
    for one in (first, leaving):
        one.given_up.set()
        assert isinstance(one.over(), CancelledError), "while the first computation goes on"
    assert begun == ["first"] and waiting.is_alive()
    go_on.set()
    assert waiting.over() == "waiting"
    assert begun == ["first", "waiting"], "what was given up before it began is never begun"


def test_an_error_is_told_and_gives_its_place_back():
    turns = Turns(1)
    for _ in range(3):
        with pytest.raises(ValueError, match="told"):
            turns.run(lambda: int("told"))
    assert turns.run(lambda: 5) == 5


def test_where_the_system_has_no_thread_left_the_place_is_given_back(monkeypatch):
    def refuses(self):
        raise RuntimeError("can't start new thread")

    turns = Turns(1)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuses)
        with pytest.raises(RuntimeError, match="new thread"):
            turns.run(lambda: 5)
    with while_wanted(_for_seconds(PATIENCE_S)):
        assert turns.run(lambda: 5) == 5


def _for_seconds(seconds):
    until = time.monotonic() + seconds

    def check() -> None:
        if time.monotonic() > until:
            raise CancelledError("waited for too long")

    return check


def test_what_a_computation_asks_of_the_encoder_knows_when_nobody_wants_it():
    begun = threading.Event()

    def compute():
        begun.set()
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                check_wanted()
            except CancelledError:
                ended.set()
                raise
            time.sleep(0.01)

    ended = threading.Event()
    asking = Asking(Turns(1), compute)
    assert begun.wait(PATIENCE_S)
    asking.given_up.set()
    assert ended.wait(PATIENCE_S) and isinstance(asking.over(), CancelledError)

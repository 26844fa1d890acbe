"""Whose turn it is on the one thread that does torch work."""

from __future__ import annotations

import threading
import time

import pytest

from lit_probe.encoder.thread import give_way, in_background, on_encoder_thread

PATIENCE_S = 20


class Background:
    """Threads that want turn after turn, as bulk work does, until the context ends."""

    def __init__(self, turns: list[str], n_threads: int = 3, patience_s: float = PATIENCE_S, turn_s: float = 0.01):
        self._turns, self._turn_s, self._patience_s = turns, turn_s, patience_s
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._work) for _ in range(n_threads)]

    def _turn(self) -> None:
        self._turns.append("background")
        time.sleep(self._turn_s)

    def _work(self) -> None:
        with in_background(self._patience_s):
            while not self._over.is_set():
                on_encoder_thread(self._turn)

    def __enter__(self) -> Background:
        for thread in self._threads:
            thread.start()
        deadline = time.monotonic() + PATIENCE_S
        while len(self._turns) < 5:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


@pytest.fixture
def turns() -> list[str]:
    return []


def test_an_edit_of_several_turns_waits_for_one_batch_of_background_work_at_most(turns):
    with Background(turns):
        for _ in range(3):
            on_encoder_thread(turns.clear)  # whatever ran before the edit had the thread
            for _ in range(4):
                on_encoder_thread(turns.append, "edit")
                time.sleep(0.02)  # what a request does beside its passes
            assert turns == ["edit"] * 4
            time.sleep(0.3)
            assert "background" in turns, "it goes on when nobody wants the thread any more"


def test_the_turn_that_is_running_is_the_only_one_that_an_edit_waits_for(turns):
    with Background(turns, turn_s=0.05):
        seen = len(turns)
        on_encoder_thread(turns.append, "edit")
        assert turns[seen:].count("background") <= 1 and turns[-1] == "edit"


def test_background_work_gets_a_turn_while_edits_come_without_end(turns):
    with Background(turns, patience_s=0.1):
        on_encoder_thread(turns.clear)
        until = time.monotonic() + 1
        while time.monotonic() < until:
            on_encoder_thread(turns.append, "edit")
        assert turns.count("background") >= 3
        assert turns.count("edit") > turns.count("background")


def test_turns_of_one_lane_come_in_the_order_of_asking(turns):
    began, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        began.set()
        assert go_on.wait(PATIENCE_S)

    threads = [threading.Thread(target=on_encoder_thread, args=(hold,))]
    threads[0].start()
    assert began.wait(PATIENCE_S)
    for name in "abc":
        threads.append(threading.Thread(target=on_encoder_thread, args=(turns.append, name)))
        threads[-1].start()
        time.sleep(0.05)
    go_on.set()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert turns == ["a", "b", "c"]


@pytest.mark.parametrize("background", [False, True])
def test_an_error_reaches_who_asked_and_the_thread_goes_on(background):
    def work() -> None:
        with pytest.raises(ZeroDivisionError):
            on_encoder_thread(lambda: 1 / 0)
        # A turn within a turn is the same turn.
        assert on_encoder_thread(lambda: on_encoder_thread(threading.get_ident)) == on_encoder_thread(threading.get_ident)

    if not background:
        work()
        return
    with in_background():
        work()


def test_who_is_not_in_the_background_gives_way_to_nobody():
    on_encoder_thread(int)
    start = time.monotonic()
    for _ in range(1_000):
        give_way()
    assert time.monotonic() - start < 0.2


def test_giving_way_waits_no_longer_than_the_thread_has_worked_since():
    over = threading.Event()

    def edit_without_end() -> None:
        while not over.is_set():
            on_encoder_thread(time.sleep, 0.001)

    thread = threading.Thread(target=edit_without_end)
    thread.start()
    try:
        with in_background():
            time.sleep(0.1)
            start = time.monotonic()
            give_way()
            assert 0.05 < time.monotonic() - start < 1
            start = time.monotonic()
            for _ in range(100):
                give_way()  # there is next to no work in between
            assert time.monotonic() - start < 1
    finally:
        over.set()
        thread.join(PATIENCE_S)

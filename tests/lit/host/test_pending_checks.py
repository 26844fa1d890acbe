"""Computations in the background: asked for, told of, cancelled, failed. Threads wait for events, never for the clock."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lit_probe.errors import DatasetError
from lit_probe.lit.host.pending_checks import PendingChecks

PATIENCE_S = 20


class Held:
    """A computation that reports two of four steps and goes on when it is let go."""

    def __init__(self, result=None, error: BaseException | None = None):
        self.started, self.go_on, self.over = threading.Event(), threading.Event(), threading.Event()
        self.result, self.error = {"layers": [1, 2]} if result is None else result, error
        self.n_runs, self.thread = 0, None

    def __call__(self, progress):
        self.n_runs += 1
        self.thread = threading.current_thread()
        try:
            progress(2, 4)
            self.started.set()
            assert self.go_on.wait(PATIENCE_S)
            progress(3, 4)
            if self.error is not None:
                raise self.error
            return self.result
        finally:
            self.over.set()


def ask(checks, key, compute, quick=False):
    return checks.ask(key, f"Check {key}", compute, quick=quick)


def answer_of(checks, key, compute, quick=False):
    """What it is in the end, asked again and again as a panel does."""
    deadline = time.monotonic() + PATIENCE_S
    while (answer := ask(checks, key, compute, quick))["status"] == "computing":
        assert time.monotonic() < deadline, answer
        time.sleep(0.005)
    return answer


@pytest.fixture
def checks() -> PendingChecks:
    return PendingChecks()


def test_the_first_to_ask_starts_it_and_nobody_waits(checks):
    held = Held()
    assert ask(checks, "a", held)["status"] == "computing"
    assert held.started.wait(PATIENCE_S)
    assert ask(checks, "a", held) == {"status": "computing", "message": "Check a: 50%", "fraction": 0.5}
    held.go_on.set()
    assert answer_of(checks, "a", held) == {"status": "ready", "layers": [1, 2]}
    assert held.n_runs == 1 and held.thread is not threading.current_thread() and held.thread.daemon


def test_long_computations_run_one_after_another_in_the_order_of_asking(checks):
    first, second, third = Held(), Held(), Held()
    for key, held in (("a", first), ("b", second), ("c", third)):
        ask(checks, key, held)
    assert first.started.wait(PATIENCE_S)
    assert ask(checks, "b", second)["message"] == "Check b: waiting for 1 other computation"
    assert ask(checks, "c", third)["message"] == "Check c: waiting for 2 other computations"
    first.go_on.set()
    assert second.started.wait(PATIENCE_S) and not third.started.is_set()
    second.go_on.set()
    third.go_on.set()
    assert answer_of(checks, "c", third)["status"] == "ready"
    assert first.thread is second.thread is third.thread


def test_a_quick_one_does_not_wait_for_a_long_one(checks):
    long, quick = Held(), Held({"layers": []})
    quick.go_on.set()
    ask(checks, "long", long)
    assert long.started.wait(PATIENCE_S)
    assert answer_of(checks, "quick", quick, quick=True) == {"status": "ready", "layers": []}
    long.go_on.set()
    assert answer_of(checks, "long", long)["status"] == "ready"


def test_a_cancelled_computation_ends_at_its_next_report_and_starts_anew_when_asked_again(checks):
    held = Held()
    ask(checks, "a", held)
    assert held.started.wait(PATIENCE_S)
    assert checks.cancel("a", "Check a") == {"status": "cancelled", "message": "Check a was cancelled."}
    held.go_on.set()
    assert held.over.wait(PATIENCE_S)
    assert held.n_runs == 1
    assert answer_of(checks, "a", held)["status"] == "ready"
    assert held.n_runs == 2


def test_a_cancelled_one_that_waits_is_never_run(checks):
    first, second, third = Held(), Held(), Held()
    ask(checks, "a", first)
    ask(checks, "b", second)
    checks.cancel("b", "Check b")
    first.go_on.set()
    third.go_on.set()
    assert answer_of(checks, "c", third)["status"] == "ready"
    assert second.n_runs == 0


def test_what_is_ready_cannot_be_cancelled_and_what_was_never_asked_can(checks):
    held = Held()
    held.go_on.set()
    ready = answer_of(checks, "a", held)
    assert checks.cancel("a", "Check a") == ready == answer_of(checks, "a", held)
    assert held.n_runs == 1
    assert checks.cancel("never asked", "It")["status"] == "cancelled"


def test_a_failure_is_told_as_a_sentence_and_the_next_one_who_asks_starts_anew(checks):
    held = Held(error=DatasetError("The control cannot be balanced."))
    held.go_on.set()
    assert answer_of(checks, "a", held) == {"status": "failed", "message": "The control cannot be balanced."}
    held.error = None
    assert answer_of(checks, "a", held)["status"] == "ready"


def test_an_unexpected_error_keeps_its_details_for_the_log_and_the_thread_goes_on(checks):
    broken, fine = Held(error=ZeroDivisionError("/secret/path")), Held()
    ask(checks, "a", broken)
    ask(checks, "b", fine)
    for held in (broken, fine):
        held.go_on.set()
    assert answer_of(checks, "a", broken) == {
        "status": "failed",
        "message": "Check a: ZeroDivisionError (the log says more).",
    }
    assert answer_of(checks, "b", fine)["status"] == "ready"


def test_many_who_ask_at_once_get_one_computation(checks):
    held = Held()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(checks, "a", held), range(50)))
        held.go_on.set()
        assert {answer["status"] for answer in answers} == {"computing"}
        ends = list(pool.map(lambda _: answer_of(checks, "a", held), range(50)))
    assert held.n_runs == 1 and all(end == ends[0] for end in ends)


def test_asking_and_cancelling_at_random_from_many_threads_leaves_no_two_long_ones_at_once(checks):
    running, overlaps, lock = [], [], threading.Lock()

    def compute(progress):
        with lock:
            running.append(1)
            overlaps.append(len(running))
        try:
            for step in range(5):
                time.sleep(0.0005)
                progress(step, 5)
        finally:
            with lock:
                running.pop()
        return {}

    def play(player):
        for turn in range(30):
            key = (player + turn) % 4
            if turn % 3 == 2:
                checks.cancel(key, "It")
            else:
                ask(checks, key, compute)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(play, range(6)))
    for key in range(4):
        assert answer_of(checks, key, compute)["status"] == "ready"
    assert max(overlaps) == 1


def test_all_can_be_ended_at_once(checks):
    first, second = Held(), Held()
    ask(checks, "a", first)
    assert first.started.wait(PATIENCE_S)
    ask(checks, "b", second)
    checks.cancel_all()
    first.go_on.set()
    assert first.over.wait(PATIENCE_S)
    first.thread.join(PATIENCE_S)
    assert not first.thread.is_alive() and second.n_runs == 0


def test_no_thread_is_left_when_there_is_nothing_to_do(checks):
    held = Held()
    held.go_on.set()
    answer_of(checks, "a", held)
    held.thread.join(PATIENCE_S)
    assert not held.thread.is_alive()


def test_a_computation_that_nobody_asks_about_any_more_ends_at_its_next_report():
    checks = PendingChecks(patience_s=0.05)
    held = Held()
    ask(checks, "a", held)
    assert held.started.wait(PATIENCE_S)
    time.sleep(0.1)
    held.go_on.set()
    assert held.over.wait(PATIENCE_S)
    # Whoever comes back gets it all the same, computed anew.
    again = Held()
    again.go_on.set()
    checks = PendingChecks(patience_s=PATIENCE_S)
    assert answer_of(checks, "a", again) == {"status": "ready", "layers": [1, 2]}


def test_what_waits_and_is_not_asked_for_any_more_is_never_begun_and_the_next_one_need_not_wait():
    checks = PendingChecks(patience_s=0.2)
    first, left, wanted = Held(), Held(), Held()
    ask(checks, "first", first)
    assert first.started.wait(PATIENCE_S)
    ask(checks, "left", left)
    ask(checks, "wanted", wanted)
    wanted.go_on.set()
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        ask(checks, "first", first)
        ask(checks, "wanted", wanted)
        time.sleep(0.02)
    first.go_on.set()
    assert answer_of(checks, "wanted", wanted)["status"] == "ready"
    assert answer_of(checks, "first", first)["status"] == "ready"
    assert left.n_runs == 0, "the page that had asked for it was left"


def test_two_pages_that_wait_for_one_computation_keep_it_alive_while_either_asks():
    checks = PendingChecks(patience_s=0.2)
    held = Held()
    ask(checks, "a", held)
    assert held.started.wait(PATIENCE_S)
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        assert ask(checks, "a", held)["status"] == "computing"
        time.sleep(0.02)
    held.go_on.set()
    assert answer_of(checks, "a", held)["status"] == "ready" and held.n_runs == 1

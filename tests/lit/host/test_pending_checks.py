"""Computations in the background: asked for, told of, cancelled, failed. Threads wait for events, never for the clock."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lit_probe.errors import DatasetError
from lit_probe.lit.host.asker import Asker
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


# ---- who waits: questions of pages


def asker(page: str, question: int = 1) -> Asker:
    return Asker(page, question)


def ask_as(checks, who: Asker | None, key, compute):
    return checks.ask(key, f"Check {key}", compute, quick=False, asker=who)


def running(checks, who: Asker | None = None, key="running") -> Held:
    """A computation that this one waits for and that has begun, so that others wait behind it."""
    held = Held()
    ask_as(checks, who, key, held)
    assert held.started.wait(PATIENCE_S)
    return held


def test_a_page_that_has_been_left_lets_go_of_everything_it_asked_for_at_once(checks):
    first, waiting, other = running(checks, asker("old")), Held(), Held()
    ask_as(checks, asker("old", 2), "waiting", waiting)
    checks.leave("old")
    # Neither the one that runs to its next report nor the one that is never begun is waited for.
    assert ask_as(checks, asker("new"), "other", other)["message"] == "Check other: starting"
    first.go_on.set()
    assert other.started.wait(PATIENCE_S)
    assert waiting.n_runs == 0
    other.go_on.set()
    assert answer_of(checks, "other", other)["status"] == "ready"


def test_what_another_page_waits_for_goes_on_when_one_is_left(checks):
    held, behind = running(checks, asker("old")), Held()
    ask_as(checks, asker("new"), "running", held)
    checks.leave("old")
    assert ask_as(checks, asker("new", 2), "behind", behind)["message"] == "Check behind: waiting for 1 other computation"
    held.go_on.set()
    behind.go_on.set()
    assert answer_of(checks, "running", held) == {"status": "ready", "layers": [1, 2]} and held.n_runs == 1


def test_a_question_that_is_given_up_lets_go_of_its_own_alone(checks):
    held, kept = running(checks, asker("page", 1)), Held()
    ask_as(checks, asker("page", 2), "kept", kept)
    checks.leave("page", 1)
    assert ask_as(checks, asker("page", 2), "kept", kept)["message"] == "Check kept: starting"
    held.go_on.set()
    kept.go_on.set()
    assert answer_of(checks, "kept", kept)["status"] == "ready"
    assert held.over.is_set() and kept.n_runs == 1
    # The page itself has not been left: it may ask for the same again.
    assert ask_as(checks, asker("page", 1), "running", held)["status"] == "computing"
    checks.cancel_all()


def test_cancel_on_one_page_does_not_end_what_another_page_waits_for(checks):
    held = running(checks, asker("one"))
    ask_as(checks, asker("two"), "running", held)
    cancelled = {"status": "cancelled", "message": "Check running was cancelled."}
    assert checks.cancel("running", "Check running", asker("one")) == cancelled
    assert ask_as(checks, asker("two"), "running", held) == {
        "status": "computing",
        "message": "Check running: 50%",
        "fraction": 0.5,
    }
    held.go_on.set()
    assert answer_of(checks, "running", held)["status"] == "ready" and held.n_runs == 1


def test_what_every_page_has_cancelled_ends(checks):
    held = running(checks, asker("one"))
    ask_as(checks, asker("two"), "running", held)
    for page in ("one", "two"):
        checks.cancel("running", "Check running", asker(page))
    held.go_on.set()
    assert held.over.wait(PATIENCE_S)
    assert answer_of(checks, "running", held)["status"] == "ready" and held.n_runs == 2


def test_a_cancel_without_a_page_is_that_of_programs_alone(checks):
    held = running(checks, asker("one"))
    checks.cancel("running", "Check running")
    assert ask_as(checks, asker("one"), "running", held)["fraction"] == 0.5
    ask_as(checks, None, "running", held)
    checks.cancel("running", "Check running", asker("one"))
    assert ask_as(checks, None, "running", held)["fraction"] == 0.5
    checks.cancel("running", "Check running")
    held.go_on.set()
    assert held.over.wait(PATIENCE_S)
    assert answer_of(checks, "running", held)["status"] == "ready" and held.n_runs == 2


def test_a_program_that_asks_has_no_page_to_leave(checks):
    held = running(checks, None)
    ask_as(checks, asker("page"), "running", held)
    checks.leave("page")
    held.go_on.set()
    assert answer_of(checks, "running", held)["status"] == "ready" and held.n_runs == 1


def test_a_request_that_arrives_after_its_page_was_left_starts_nothing(checks):
    checks.leave("old")
    late = Held()
    for _ in range(2):
        assert ask_as(checks, asker("old"), "late", late) == {
            "status": "computing",
            "message": "Check late: starting",
            "fraction": 0.0,
        }
    other = running(checks, asker("new"), "other")
    assert late.n_runs == 0, "one computation after another"
    other.go_on.set()


def test_leaving_forgets_no_result(checks):
    held = running(checks, asker("page"))
    held.go_on.set()
    ready = answer_of(checks, "running", held)
    checks.leave("page")
    assert ask_as(checks, asker("next"), "running", held) == ready and held.n_runs == 1


def test_what_nobody_has_asked_about_for_a_while_is_not_counted_among_those_to_be_waited_for():
    checks = PendingChecks(patience_s=0.2)
    first = running(checks, asker("one"))
    ask_as(checks, asker("lost"), "lost", Held())
    time.sleep(0.3)
    ask_as(checks, asker("one"), "running", first)
    assert ask_as(checks, asker("one"), "next", Held())["message"] == "Check next: waiting for 1 other computation"
    checks.cancel_all()
    first.go_on.set()


# ---- who goes first, and how many may wait


def test_pages_take_turns_so_that_one_with_many_questions_does_not_hold_up_the_others(checks):
    first = running(checks, asker("many"))
    order: list[str] = []

    def noting(name):
        def compute(progress):
            order.append(name)
            return {}

        return compute

    for number in range(3):
        ask_as(checks, asker("many", number), f"many {number}", noting(f"many {number}"))
    for page in ("one", "other"):
        assert ask_as(checks, asker(page), page, noting(page))["place"] == (1 if page == "one" else 2)
    assert ask_as(checks, asker("many", 2), "many 2", noting("many 2"))["place"] == 5
    first.go_on.set()
    deadline = time.monotonic() + PATIENCE_S
    while ask_as(checks, asker("many", 2), "many 2", noting("many 2"))["status"] != "ready":
        assert time.monotonic() < deadline
    assert order == ["one", "other", "many 0", "many 1", "many 2"]


def test_one_page_may_wait_for_so_many_and_others_are_taken_in_all_the_same():
    checks = PendingChecks(max_of_one=2)
    first = running(checks, asker("many"))
    for number in (1, 2):
        assert ask_as(checks, asker("many", number), number, Held())["status"] == "computing"
    refused = ask_as(checks, asker("many", 3), 3, Held())
    assert refused == {
        "status": "busy",
        "message": "Check 3: This page waits for 2 other computations already; this one is taken in when one of them has begun",
        "place": 3,
    }
    assert ask_as(checks, asker("other"), "other", Held())["status"] == "computing"
    # What it waits for already is no further question, and what has been given up leaves its place.
    assert ask_as(checks, asker("many", 2), 2, Held())["status"] == "computing"
    checks.leave("many", 2)
    assert ask_as(checks, asker("many", 3), 3, Held())["status"] == "computing"
    checks.cancel_all()
    first.go_on.set()


def test_programs_are_one_client_and_all_clients_together_may_wait_for_so_many():
    checks = PendingChecks(max_waiting=3, max_of_one=2)
    first = running(checks, None)
    assert [ask_as(checks, None, number, Held())["status"] for number in range(3)] == ["computing", "computing", "busy"]
    assert [ask_as(checks, asker(page), page, Held())["status"] for page in "ab"] == ["computing", "busy"]
    message = ask_as(checks, asker("b"), "b", Held())["message"]
    assert message == "Check b: the server is busy, 3 other computations wait; this one is taken in when there is room"
    checks.leave("a")
    assert ask_as(checks, asker("b"), "b", Held())["status"] == "computing"
    checks.cancel_all()
    first.go_on.set()


def test_pages_at_one_address_leave_places_to_others_however_many_names_they_make_up():
    checks = PendingChecks(max_waiting=6, max_of_one=2, max_at_address=3)
    first = running(checks, asker("first"))

    def at(address, page):
        return ask_as(checks, Asker(page, 1, address), page, Held())

    assert [at("10.0.0.7", f"made up {n}")["status"] for n in range(5)] == ["computing"] * 3 + ["busy"] * 2
    assert "pages at your address wait for 3 other computations" in at("10.0.0.7", "made up 9")["message"]
    # Where addresses tell nobody apart, as behind a proxy, places are places.
    assert [at(address, f"at {address or 'a proxy'}")["status"] for address in ("10.0.0.8", "", "::7")] == ["computing"] * 3
    # Who comes from another address since then gives up what is theirs all the same.
    checks.cancel("made up 0", "Check made up 0", Asker("made up 0", 1, "10.0.0.9"))
    assert at("10.0.0.7", "made up 9")["status"] == "computing"
    checks.cancel_all()
    first.go_on.set()


def test_what_is_computed_and_what_waits_is_listed_with_who_waits(checks):
    held = running(checks, asker("one", 7))
    ask_as(checks, asker("two", 8), "second", Held())
    ask_as(checks, None, "second", Held())
    assert checks.listed("one") == [
        {"place": 0, "title": "Check running", "fraction": 0.5, "questions": [7], "others": 0},
        {"place": 1, "title": "Check second", "fraction": None, "questions": [], "others": 2},
    ]
    assert [one["others"] for one in checks.listed()] == [1, 2]
    checks.cancel_all()
    assert checks.listed("one") == [] or checks.listed("one")[0]["questions"] == []
    held.go_on.set()


def test_the_results_that_were_asked_for_last_are_kept(checks, monkeypatch):
    monkeypatch.setattr("lit_probe.lit.host.pending_checks._N_RESULTS", 3)
    for number in range(6):
        assert answer_of(checks, number, lambda _: {})["status"] == "ready"
        assert answer_of(checks, 0, lambda _: {})["status"] == "ready"
    assert set(checks.finished()) == {0, 4, 5}

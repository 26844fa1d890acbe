"""What several threads ask for at once is computed once; errors are told to all who wait, and not remembered."""

from __future__ import annotations

import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

from lit_probe.once import Memo, once_per_object


def test_threads_that_ask_at_once_share_one_computation():
    memo: Memo[str, int] = Memo()
    asked, go_on, calls = threading.Barrier(4), threading.Event(), []

    def compute() -> int:
        calls.append(1)
        go_on.wait(10)
        return 7

    def ask() -> int:
        asked.wait(10)
        return memo.get("a", compute)

    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(ask) for _ in range(4)]
        go_on.set()
        assert [answer.result(10) for answer in answers] == [7] * 4
    assert calls == [1] and memo.holds("a")


def test_only_what_is_missing_is_computed_and_in_one_call():
    memo: Memo[int, int] = Memo()
    calls: list[list[int]] = []

    def compute(keys: list[int]) -> dict[int, int]:
        calls.append(keys)
        return {key: key * key for key in keys}

    assert memo.get_all([1, 2], compute) == {1: 1, 2: 4}
    assert memo.get_all([3, 2, 3, 1], compute) == {3: 9, 2: 4, 1: 1}
    assert memo.get_all([], compute) == {}
    assert calls == [[1, 2], [3]]


def test_an_error_reaches_all_and_is_forgotten():
    memo: Memo[str, int] = Memo()

    def fail() -> int:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        memo.get("a", fail)
    assert not memo.holds("a") and memo.get("a", lambda: 3) == 3


def test_the_oldest_results_are_forgotten_first():
    memo: Memo[int, int] = Memo(size=2)
    for key in (1, 2, 1, 3):
        memo.get(key, lambda: 0)
    assert [memo.holds(key) for key in (1, 2, 3)] == [True, False, True]
    assert memo.get_all([5, 6, 7], lambda keys: dict.fromkeys(keys, 1)) == {5: 1, 6: 1, 7: 1}


def test_a_result_lives_as_long_as_its_object():
    class Thing:
        pass

    calls = []
    found = once_per_object(lambda thing: calls.append(1) or [1])
    one, other = Thing(), Thing()
    result = found(one)
    assert found(one) is result and found(other) is not result and calls == [1, 1]
    gone = weakref.ref(one)
    del one
    gc.collect()
    assert gone() is None


def test_what_is_being_computed_is_not_forgotten_however_much_is_asked():
    memo: Memo[int, int] = Memo(size=2)
    begun, go_on, calls = threading.Event(), threading.Event(), []

    def slow(keys: list[int]) -> dict[int, int]:
        calls.append(keys)
        begun.set()
        assert go_on.wait(10)
        return dict.fromkeys(keys, 1)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(memo.get_all, [1, 2, 3, 4], slow)
        assert begun.wait(10)
        second = pool.submit(memo.get_all, [1, 2, 3, 4], slow)
        memo.get(5, lambda: 0)
        go_on.set()
        assert first.result(10) == second.result(10) == dict.fromkeys([1, 2, 3, 4], 1)
    assert calls == [[1, 2, 3, 4]] and len(memo) == 2


def test_a_key_that_was_not_computed_is_an_error_and_nobody_waits_for_ever():
    memo: Memo[str, int] = Memo()
    with pytest.raises(KeyError, match="b"):
        memo.get_all(["a", "b"], lambda keys: {"a": 1})
    assert not memo.holds("a") and memo.get_all(["a", "b"], lambda keys: dict.fromkeys(keys, 2)) == {"a": 2, "b": 2}

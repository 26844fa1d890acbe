"""Several parts of a computation at once: in order, bounded, heard one after another, and ended together."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from lit_probe.encoder import activations, ahead
from lit_probe.encoder.ahead import made_ahead
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import Encoder, load_encoder
from lit_probe.encoder.thread import in_background, on_encoder_thread
from lit_probe.encoder.wanted import while_wanted
from lit_probe.errors import CancelledError, EncoderError
from lit_probe.progress import no_progress, of_part

WAIT_S = 20


def parts_of(n, progress=no_progress):
    return [(number, of_part(progress, 10 * number, 10 * (number + 1), 10 * n)) for number in range(n)]


@pytest.mark.parametrize("n_at_once", [1, 2, 3, 8])
def test_results_come_in_order_and_no_more_parts_are_begun_than_may_be(n_at_once):
    lock, running, most = threading.Lock(), 0, 0

    def make(part, _):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01 * (part % 3))
        with lock:
            running -= 1
        return part * part

    assert list(made_ahead(parts_of(9), make, lambda: n_at_once)) == [part * part for part in range(9)]
    assert most <= n_at_once


def test_results_come_in_order_where_fewer_may_be_made_at_once_later_on():
    # Such as where a model is moved to another device meanwhile.
    for n_asked in range(1, 20):
        asked = iter([3] * n_asked)
        assert list(made_ahead(parts_of(9), lambda part, _: part, lambda asked=asked: next(asked, 1))) == list(range(9))


def test_parts_are_really_made_at_once():
    both = threading.Barrier(2)
    assert list(made_ahead(parts_of(2), lambda part, _: both.wait(WAIT_S) >= 0, lambda: 2)) == [True, True]


def test_one_at_a_time_is_made_on_the_thread_that_asks_and_only_when_it_is_asked_for():
    made = []
    results = made_ahead(parts_of(3), lambda part, _: made.append(part) or threading.current_thread(), lambda: 1)
    assert next(results) is threading.current_thread() and made == [0]


@pytest.mark.parametrize("n_at_once", [1, 3])
def test_progress_never_goes_back_and_reaches_the_end(n_at_once):
    heard = []

    def make(part, report):
        for done in range(5):
            report(done, 4)
            time.sleep(0.002 * (5 - part))  # later parts are quicker

    list(made_ahead(parts_of(4, lambda done, total: heard.append((done, total))), make, lambda: n_at_once))
    assert heard == sorted(heard) and heard[-1] == (40, 40)


def test_the_first_error_is_told_and_no_thread_works_on():
    begun, ends = [], threading.Event()

    def make(part, report):
        begun.append(part)
        if part == 0:
            raise EncoderError("broken")
        while not ends.is_set():
            report(0, 1)
            time.sleep(0.005)

    with pytest.raises(EncoderError, match="broken"):
        list(made_ahead(parts_of(50), make, lambda: 3))
    assert len(begun) <= 3
    assert not [one for one in threading.enumerate() if one.name.startswith("lit_probe_ahead")]


def test_who_hears_the_progress_can_end_it_all():
    def progress(done, total):
        if done >= 5:
            raise CancelledError("enough")

    def make(part, report):
        for done in range(1_000):
            report(done, 1_000)
            time.sleep(0.001)

    with pytest.raises(CancelledError, match="enough"):
        list(made_ahead(parts_of(4, progress), make, lambda: 3))


def test_whoever_takes_no_more_results_leaves_no_thread_behind():
    results = made_ahead(parts_of(20), lambda part, _: part, lambda: 3)
    assert next(results) == 0
    results.close()
    assert not [one for one in threading.enumerate() if one.name.startswith("lit_probe_ahead")]


def test_what_nobody_wants_any_more_ends_between_two_batches_on_every_thread():
    turns = []

    def check():
        if len(turns) > 6:
            raise CancelledError("gone")

    def make(part, _):
        for _ in range(1_000):
            on_encoder_thread(turns.append, part)

    with while_wanted(check), pytest.raises(CancelledError, match="gone"):
        list(made_ahead(parts_of(6), make, lambda: 3))
    assert len(turns) < 20


def test_threads_that_work_ahead_stay_in_the_lane_of_who_asks():
    turns, over = [], threading.Event()

    def make(part, _):
        while not over.is_set():
            on_encoder_thread(turns.append, "background")
            time.sleep(0.001)

    def work():
        with in_background(WAIT_S):
            list(made_ahead(parts_of(3), make, lambda: 3))

    worker = threading.Thread(target=work)
    worker.start()
    try:
        deadline = time.monotonic() + WAIT_S
        while len(turns) < 5 and time.monotonic() < deadline:
            time.sleep(0.005)
        on_encoder_thread(turns.clear)
        for _ in range(4):
            on_encoder_thread(turns.append, "edit")
            time.sleep(0.02)
        assert turns == ["edit"] * 4
    finally:
        over.set()
        worker.join(WAIT_S)
    assert not worker.is_alive()


def test_blocks_that_are_made_at_once_have_the_same_digits_and_entries(tiny_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(activations, "BLOCK_SIZE", 16)
    texts = [f"{'good ' * (i % 23)}film" for i in range(100)]
    encoder = load_encoder(str(tiny_folder()))
    one_by_one = Cache(tmp_path / "one").activations(encoder, texts)
    monkeypatch.setattr(Encoder, "blocks_at_once", 3)
    threads, submit = set(), ahead.ThreadPoolExecutor.submit
    monkeypatch.setattr(ahead.ThreadPoolExecutor, "submit", lambda *args: threads.add(1) or submit(*args))
    heard = []
    at_once = Cache(tmp_path / "three").activations(encoder, texts, progress=lambda *one: heard.append(one))
    alone = activations.extract_activations(encoder, texts)
    assert threads and heard == sorted(heard) and heard[-1] == (100, 100)
    for other in (at_once, alone):
        assert np.array_equal(other.values, one_by_one.values) and other.fingerprint == one_by_one.fingerprint
    entries = [{one.name for one in (tmp_path / name / "activations").iterdir()} for name in ("one", "three")]
    assert entries[0] == entries[1]

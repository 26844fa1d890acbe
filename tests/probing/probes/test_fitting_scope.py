import threading
import warnings

import pytest
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_info

from lit_probe.probing.probes.fitting_scope import FittingScope


def blas_threads() -> set[int]:
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_blas_keeps_to_one_thread_inside_and_gets_its_threads_back():
    scope = FittingScope()
    before = blas_threads()
    with scope, scope:
        assert blas_threads() == {1}
    assert blas_threads() == before
    with pytest.raises(ZeroDivisionError), scope:
        _ = 1 / 0
    assert blas_threads() == before


def test_the_last_thread_to_leave_undoes_the_settings():
    scope = FittingScope()
    entered, leave = threading.Event(), threading.Event()

    def stay() -> None:
        with scope:
            entered.set()
            leave.wait()

    before = blas_threads()
    other = threading.Thread(target=stay)
    with scope:
        other.start()
        entered.wait()
    assert blas_threads() == {1}
    leave.set()
    other.join()
    assert blas_threads() == before


def test_convergence_warnings_are_silent_inside_only():
    scope = FittingScope()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with scope:
            warnings.warn("too few steps", ConvergenceWarning, stacklevel=1)
        with pytest.raises(ConvergenceWarning):
            warnings.warn("too few steps", ConvergenceWarning, stacklevel=1)

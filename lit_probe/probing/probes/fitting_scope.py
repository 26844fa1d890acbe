"""What holds for the whole process while probes are being fitted."""

import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from types import TracebackType


class FittingScope:
    """While at least one thread is inside: BLAS on one thread, and no convergence warnings.

    Layers are fitted side by side, one per core, so each fit must keep to one thread; that also makes the digits independent of
    the number of cores. Convergence is recorded with the fit instead of warned about. Both settings belong to the process, not to
    a thread, so the first to enter makes them and the last to leave undoes them. torch has its own threads and is not touched.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._stack = ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            if not self._users:
                self._begin()
            self._users += 1

    def _begin(self) -> None:
        # Imported here because a start from the cache fits nothing; before the limit, because it only reaches loaded libraries.
        import sklearn.linear_model  # noqa: F401
        from sklearn.exceptions import ConvergenceWarning
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        # threadpoolctl lets only the thread that set a limit undo it, and the first to enter need not be the last to leave.
        keeper = self._stack.enter_context(ThreadPoolExecutor(1))
        limits = keeper.submit(threadpool_limits, 1, "blas").result()
        self._stack.callback(lambda: keeper.submit(limits.restore_original_limits).result())
        self._stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore", ConvergenceWarning)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._lock:
            self._users -= 1
            if not self._users:
                self._stack.close()


fitting_scope = FittingScope()

"""What is computed once, though several threads ask for it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from concurrent.futures import Future
from functools import wraps
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from lit_probe.errors import CancelledError

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Memo(Generic[K, V]):
    """Remembers results by key. A thread that asks for one in the making waits for it; an error is told to all, and forgotten.

    Only where the thread that computes it gives up, the next one computes it: it has not given up.

    Args:
      size: the number of last results to remember; None for all.
    """

    def __init__(self, size: int | None = None):
        self._size = size
        self._futures: OrderedDict[K, Future[V]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._futures)

    def holds(self, key: K) -> bool:
        """Whether the result is there, so that asking for it takes no time."""
        with self._lock:
            known = self._futures.get(key)
        return known is not None and known.done()

    def get(self, key: K, compute: Callable[[], V]) -> V:
        """The result for ``key``, from ``compute`` if nobody has asked before."""
        return self.get_all([key], lambda _: {key: compute()})[key]

    def get_all(self, keys: Iterable[K], compute: Callable[[list[K]], Mapping[K, V]]) -> dict[K, V]:
        """The results for ``keys``. ``compute`` gets those that nobody has asked for before, all in one call."""
        wanted: dict[K, Future[V]] = {}
        mine = []
        with self._lock:
            for key in dict.fromkeys(keys):
                if key not in self._futures:
                    self._futures[key] = Future()
                    mine.append(key)
                wanted[key] = self._futures[key]
                self._futures.move_to_end(key)
        if mine:
            try:
                found = compute(mine)
                values = [found[key] for key in mine]
            except BaseException as error:
                with self._lock:
                    for key in mine:
                        del self._futures[key]
                for key in mine:
                    wanted[key].set_exception(error)
                raise
            for key, value in zip(mine, values, strict=True):
                wanted[key].set_result(value)
            self._forget_oldest()
        results: dict[K, V] = {}
        for key, future in wanted.items():
            try:
                results[key] = future.result()
            except CancelledError:
                results |= self.get_all([key], compute)
        return results

    def _forget_oldest(self) -> None:
        """Keeps the last ``size`` results, and whatever is still being computed."""
        with self._lock:
            done = [key for key, future in self._futures.items() if future.done()]
            for key in done[: len(done) - self._size] if self._size is not None and len(done) > self._size else ():
                del self._futures[key]


def once_per_object(make: Callable[[K], V]) -> Callable[[K], V]:
    """A function of one object that computes once for each, and forgets the result when the object is gone.

    >>> @once_per_object
    ... def members_of(kind: type) -> list[str]:
    ...     return dir(kind)
    >>> members_of(int) is members_of(int)
    True
    """
    memos: WeakKeyDictionary[Any, Memo[None, V]] = WeakKeyDictionary()
    lock = threading.Lock()

    @wraps(make)
    def once(key: K) -> V:
        with lock:
            memo = memos.setdefault(key, Memo())
        return memo.get(None, lambda: make(key))

    return once

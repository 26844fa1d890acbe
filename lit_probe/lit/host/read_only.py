"""A server for a class: what it knows is shown and short questions are answered; nothing long is begun, nothing is changed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from lit_nlp.api import components

from lit_probe.encoder.cache import Cache, LookedUp
from lit_probe.errors import LitProbeError
from lit_probe.lit.host.asker import Asker
from lit_probe.lit.host.pending_checks import Compute, PendingChecks
from lit_probe.progress import Progress

T = TypeVar("T")

NOT_COMPUTED = (
    "This server is read-only (--read_only): what takes long is not computed here. What was computed before with the same cache, "
    "by a server without that flag, is shown."
)
NOT_CHANGED = "This server is read-only (--read_only): nothing is made, changed or cancelled on it."

# Of what costs passes of its own for each example and is kept nowhere, so many examples at a time. A page asks about one or two.
MOST_ANEW = 20
# Of what costs one pass and is kept: a generator may make as many edits, and their predictions are asked for together.
MOST_NEW_TEXTS = 200

# LIT's own that read every row anew, over minutes.
_LONG_INTERPRETERS = frozenset({"umap", "tcav", "Integrated Gradients"})


class _NotKeptError(LitProbeError):
    """It would have to be computed."""


@dataclass
class _LookUps:
    """How many results one computation that makes nothing has found since it last told how far it is."""

    n_found: int = 0


# Of what is computed now. Threads that a computation begins, as for several blocks at once, take it with them.
_look_ups: ContextVar[_LookUps | None] = ContextVar("look_ups", default=None)


class _KeptCache(Cache):
    """A cache that, while it is asked to, gives what it has and makes nothing."""

    def __init__(self, of: Cache):
        vars(self).update(vars(of))  # whose folder has been checked already

    @contextmanager
    def making_nothing(self) -> Iterator[Progress]:
        """Within it, what is not kept is refused; gives the progress function of what may only look up.

        Who reports progress without having found anything since the last report has begun to work.
        """
        mine = _LookUps()

        def look_ups_alone(done: int, total: int) -> None:
            if 0 < done < total and not mine.n_found:
                _refuse()
            mine.n_found = 0

        outside = _look_ups.set(mine)
        try:
            yield look_ups_alone
        finally:
            _look_ups.reset(outside)

    def found_or_made(
        self, place: LookedUp[T], make: Callable[[], T], save: Callable[[T, Path], None], load: Callable[[Path], T]
    ) -> T:
        """See `Cache.found_or_made`."""
        if (mine := _look_ups.get()) is None:
            return super().found_or_made(place, make, save, load)
        found = super().found_or_made(place, _refuse, save, load)
        mine.n_found += 1
        return found


class ReadOnlyChecks(PendingChecks):
    """`PendingChecks` that compute what takes a second, and of all else tell only what the cache has kept.

    Args:
      cache: where earlier servers have kept their results.
    """

    def __init__(self, cache: Cache | None = None):
        self._kept = _KeptCache(cache or Cache(None))
        super().__init__(self._kept)

    def ask(self, key: Hashable, title: str, compute: Compute, *, quick: bool, asker: Asker | None = None) -> dict[str, Any]:
        """See `PendingChecks.ask`; ``failed`` with the reason for what is long and not kept."""
        if quick:
            return super().ask(key, title, compute, quick=True, asker=asker)
        return super().ask(key, title, lambda _: self._look_up(compute), quick=True, asker=asker)

    def cancel(self, key: Hashable, title: str, asker: Asker | None = None) -> dict[str, Any]:
        """Does nothing: another reader may wait for it, and nothing here takes long."""
        return {"status": "failed", "message": NOT_CHANGED}

    def _look_up(self, compute: Compute) -> dict[str, Any]:
        try:
            with self._kept.making_nothing() as progress:
                return compute(progress)
        except _NotKeptError:
            # An answer and no error: nothing went wrong that a log should tell.
            return {"status": "failed", "message": NOT_COMPUTED, "can_retry": False}


def check_may_change(checks: PendingChecks) -> None:
    """Refuses what would change the server for everybody.

    Raises:
      LitProbeError: the server is read-only.
    """
    if isinstance(checks, ReadOnlyChecks):
        raise LitProbeError(NOT_CHANGED)


def check_few(checks: PendingChecks, n_examples: int) -> None:
    """Refuses what costs passes for each example, and that nothing keeps, of many examples at once.

    Raises:
      LitProbeError: the server is read-only, and there are more than `MOST_ANEW`.
    """
    if isinstance(checks, ReadOnlyChecks):
        _refuse_many(n_examples, MOST_ANEW, f"of what is computed anew for each example it takes {MOST_ANEW}")


def check_few_new(checks: PendingChecks, n_new: Callable[[], int]) -> None:
    """Refuses many texts at once that stand in no data set.

    Args:
      checks: of the server.
      n_new: counts them. It is not asked where any number is welcome.

    Raises:
      LitProbeError: the server is read-only, and there are more than `MOST_NEW_TEXTS`.
    """
    if isinstance(checks, ReadOnlyChecks):
        _refuse_many(n_new(), MOST_NEW_TEXTS, f"it reads {MOST_NEW_TEXTS} edited texts")


def _refuse_many(n_sent: int, most: int, takes: str) -> None:
    if n_sent > most:
        raise LitProbeError(f"This server is read-only (--read_only): {takes} at a time; {n_sent:,} were sent.")


def short_generators(generators: Mapping[str, components.Generator]) -> dict[str, components.Generator]:
    """Those that need not ask the model for every word of a text."""
    return {name: one for name, one in generators.items() if getattr(one, "max_inputs", None) is None}


def short_interpreters(interpreters: Mapping[str, components.Interpreter]) -> dict[str, components.Interpreter]:
    """Those without LIT's own that take minutes, which nothing keeps."""
    return {name: one for name, one in interpreters.items() if name not in _LONG_INTERPRETERS}


def _refuse() -> Any:
    raise _NotKeptError(NOT_COMPUTED)

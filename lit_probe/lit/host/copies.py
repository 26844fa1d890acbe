"""Texts with a copy in another split: known before the page opens, or looked for while it is open already."""

from __future__ import annotations

import threading
from concurrent.futures import Future

from absl import logging

from lit_probe.checks.battery import kept_near_duplicates, stored_near_duplicates
from lit_probe.checks.leakage import NearDuplicates
from lit_probe.data.labelled_texts import Splits
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.thread import in_background
from lit_probe.errors import LitProbeError
from lit_probe.lit.host.messages import failure, is_end_of_program
from lit_probe.lit.host.pending_checks import NotReadyError

# Characters of all texts: of so many they are found in about two seconds, and the page is opened with them.
FOUND_AT_ONCE = 2_000_000
THREAD = "lit_probe_copies"
# Data sets are searched one after another: each search takes memory of its own.
_TURN = threading.Lock()


class Copies:
    """The rows of a data set whose text has a copy in another split.

    They are known at once where texts are few or the cache has them. Else they are looked for on a thread of its own, beside the
    study, and no page waits for them.

    Args:
      splits: the labelled texts.
      cache: where they are kept.

    Attributes:
      known_at_once: what was known when this was made; None where they are looked for.
    """

    def __init__(self, splits: Splits, cache: Cache | None = None):
        cache = cache or Cache(None)
        self._what = f"copies of texts of {splits.name} in its other splits"
        self._found: Future[NearDuplicates] = Future()
        few = sum(len(text) for _, rows in splits.items() for text in rows.whole_texts) <= FOUND_AT_ONCE
        self.known_at_once = stored_near_duplicates(splits, cache) if few else kept_near_duplicates(splits, cache)
        if self.known_at_once is not None:
            self._found.set_result(self.known_at_once)
        else:
            # A daemon, so that Ctrl-C need not wait.
            threading.Thread(target=self._look, args=(splits, cache), name=THREAD, daemon=True).start()

    @property
    def looking(self) -> bool:
        """Whether they are still being looked for."""
        return not self._found.done()

    def result(self) -> NearDuplicates:
        """What was found. Never waits.

        Raises:
          NotReadyError: they are still being looked for.
          LitProbeError: they could not be.
        """
        if self.looking:
            raise NotReadyError({"status": "computing", "message": f"Looking for {self._what}", "fraction": 0.0})
        if error := self._found.exception():
            raise LitProbeError(failure(f"Looking for {self._what} failed", error)) from error
        return self._found.result()

    def _look(self, splits: Splits, cache: Cache) -> None:
        try:
            with _TURN, in_background():
                found = stored_near_duplicates(splits, cache)
        # Whatever goes wrong must reach the panels, or they would show for ever that it is under way.
        except BaseException as error:
            if not is_end_of_program(error):
                logging.exception("Looking for %s failed", self._what)
            self._found.set_exception(error)
            return
        self._found.set_result(found)

"""How long one request may take, and whether anybody still waits for its answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus
from wsgiref.types import WSGIEnvironment

from lit_probe.errors import CancelledError
from lit_probe.lit.server.guard import Refusal

# waitress's word for whether the client has hung up; other servers have none.
_LEFT = "waitress.client_disconnected"


class Patience:
    """Ends the work for a request whose client has left or whose time is over. It is asked between two batches.

    LIT's own computations (PCA, curves, a fit of UMAP) hear nothing once they have begun: they have places, see ``Turns``. What
    panels have computed in the background has rules of its own: see ``PendingChecks``.

    Args:
      environ: the request.
      seconds: its time.
    """

    def __init__(self, environ: WSGIEnvironment, seconds: float):
        self._left: Callable[[], bool] = environ.get(_LEFT, lambda: False)
        self._seconds, self._until = seconds, time.monotonic() + seconds
        self._over = False

    def check(self) -> None:
        """Ends the work.

        Raises:
          CancelledError: the client has left, or the time is over.
        """
        if self._left():
            raise CancelledError("Whoever asked has left.")
        if time.monotonic() > self._until:
            self._over = True
            raise CancelledError("The request took too long.")

    def check_over(self) -> None:
        """Says that the work was ended.

        Raises:
          Refusal: 503.
        """
        if self._over:
            raise Refusal(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"This took longer than {self._seconds:,.0f} seconds and was ended. Ask for fewer or shorter texts, or start the "
                "server with a larger --request_timeout.",
                {"Retry-After": "10"},
            )

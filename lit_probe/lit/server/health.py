"""Two addresses for whoever keeps servers running: whether this one is alive, and whether its studies are done.

They are answered to any host name and without a token, and hold numbers alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from http import HTTPStatus
from wsgiref.types import WSGIEnvironment

from werkzeug.wrappers import Response

from lit_probe.lit.host.pending_study import PendingStudy
from lit_probe.lit.server import guard

ALIVE, READY = "/healthz", "/readyz"
PATHS = frozenset({ALIVE, READY})


@dataclass(frozen=True)
class StudyCounts:
    """How many studies of a server are in which state."""

    ready: int = 0
    computing: int = 0
    failed: int = 0

    @classmethod
    def of(cls, studies: Iterable[PendingStudy]) -> StudyCounts:
        """Counts them as they are now."""
        counts = {"ready": 0, "computing": 0, "failed": 0}
        for study in studies:
            counts[(study.status() or {"status": "ready"})["status"]] += 1
        return cls(**counts)

    @property
    def are_done(self) -> bool:
        """Whether nothing is computed any more, and something can be shown: one broken checkpoint does not close the page."""
        return not self.computing and (self.ready > 0 or not self.failed)


def answer(environ: WSGIEnvironment, counts: StudyCounts | None) -> Response:
    """200, or 503 while the server is not ready; without counts nobody knows yet which studies there will be.

    Raises:
      Refusal: another method than GET and HEAD.
    """
    guard.check_method(environ, "GET", "HEAD")
    headers = {"Cache-Control": "no-store"}
    if environ.get("PATH_INFO") == ALIVE:
        return Response('{"alive": true}', content_type="application/json", headers=headers)
    ready = counts is not None and counts.are_done
    body = json.dumps({"ready": ready, "studies": None if counts is None else asdict(counts)})
    status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
    return Response(body, status, content_type="application/json", headers=headers | ({} if ready else {"Retry-After": "2"}))

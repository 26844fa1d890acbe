"""What a server writes about itself: no texts of its data unless that was asked for, and no traceback where a person erred."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

from lit_probe.errors import LitProbeError

# How LIT tells an exception, with its message and its traceback; our own errors become a 400, which our log tells in one line.
_LITS_REPORT = "Uncaught error: %s \n\n %s"


def set_up_logs(*, as_json: bool = False, texts: bool = False) -> None:
    """Decides what the process writes on stderr.

    Args:
      as_json: one JSON object a line, with ``time``, ``level``, ``logger``, ``event`` and what is known beside it.
      texts: whether lines of JSON also hold what was filled into the event, which may be a text of the data or a path.
    """
    lits = logging.getLogger("absl")
    if not any(isinstance(one, _NoReportOfA400) for one in lits.filters):
        lits.addFilter(_NoReportOfA400())
    if as_json:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(JsonLines(texts=texts))
        for logger in (logging.getLogger(), lits):
            logger.handlers[:] = []
        lits.propagate = True
        logging.getLogger().addHandler(handler)
        logging.getLogger("lit_probe").setLevel(logging.INFO)


class _NoReportOfA400(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if record.msg != _LITS_REPORT or not isinstance(record.args, tuple):
            return True
        last = str(record.args[-1]).rstrip().rpartition("\n  ")[2].partition("\n")[2] or str(record.args[-1])
        return f"{LitProbeError.__module__}." not in last.partition(":")[0]


class JsonLines(logging.Formatter):
    """One JSON object a line.

    A record's ``safe`` (given as ``extra={"safe": {…}}``) holds what may always be told. What is filled into a message may be a
    text of the data, so without ``texts`` the event is told unfilled, and an exception by its kind and its places in the code.
    """

    def __init__(self, *, texts: bool):
        super().__init__()
        self._texts = texts

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "event": record.getMessage() if self._texts else str(record.msg),
            **getattr(record, "safe", {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            kind, error, places = record.exc_info
            line["exception"] = kind.__qualname__
            line["places"] = [f"{place.name} ({place.filename}:{place.lineno})" for place in traceback.extract_tb(places)]
            if self._texts:
                line["message"] = str(error)
        return json.dumps(line)

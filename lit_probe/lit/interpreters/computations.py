"""What the server computes in the background, and for whom."""

from __future__ import annotations

from typing import Any

from lit_probe.data.asked import CLASSES, NUMBER, TEXT, WORD
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
from lit_probe.lit.interpreters.question import Question


class ComputationsInterpreter(ProbeInterpreter):
    """Everything that runs or waits, for all pages. A page gives its own up by ``/lit_probe/left``, and no other page's."""

    keys = {}
    units = (TEXT, WORD)
    targets = (CLASSES, NUMBER)

    def waits_for(self, question: Question) -> dict[str, Any] | None:
        """It waits for nothing."""
        return None

    def answer(self, question: Question) -> dict[str, Any]:
        """``computations`` as `PendingChecks.listed` gives them, about the page that asks."""
        asker = question.asker
        return {"computations": question.probes.checks.listed(None if asker is None else asker.page)}

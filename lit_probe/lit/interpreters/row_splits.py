"""Which split each example is in, where the data set on the page does not say so itself."""

from __future__ import annotations

from typing import Any

from lit_probe.data.asked import CLASSES, NUMBER, TEXT, WORD
from lit_probe.lit.host import fields
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
from lit_probe.lit.interpreters.question import Question


class RowSplitsInterpreter(ProbeInterpreter):
    """Train, dev or test for each example. A data set of somebody else's is divided when its probes are made."""

    keys = {}
    reads_texts = True
    units = (TEXT, WORD)
    targets = (CLASSES, NUMBER)

    def answer(self, question: Question) -> dict[str, Any]:
        """The splits in the order of the examples; what is in none, such as an edit, is not in the probes' data."""
        of_rows = (None if fields.is_edited(example) else fields.split_of(example) for example in question.inputs)
        return {"splits": [split or fields.NOT_IN_DATA for split in of_rows]}

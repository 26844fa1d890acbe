"""The code on the pages of docs/, for the tests that run it."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"


def code_on(page: str, language: str = "python") -> list[str]:
    """The blocks of one language, in order; ``""`` for those that name none, such as an entry of a registry."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", (DOCS / page).read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    return [code for name, code in blocks if name == language]

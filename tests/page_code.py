"""The code that a page of the documentation shows, run as if it stood in the file that the page names."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

DOCS = Path(__file__).parent.parent / "docs"


def blocks_of(page: str, language: str = "python") -> list[str]:
    """A page's blocks of one language, in order; ``""`` for those that name none, such as an entry of a registry."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", (DOCS / page).read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    return [code for name, code in blocks if name == language]


def as_module(monkeypatch: pytest.MonkeyPatch, code: str, name: str) -> ModuleType:
    """The code as a new module of that name, which is there as long as the test runs."""
    module = ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)
    exec(code, module.__dict__)
    return module


def within(module: ModuleType, *blocks: str, **more: Any) -> dict[str, Any]:
    """The names that the blocks define among those of a module, which itself stays as it is."""
    names = {**vars(module), **more}
    for code in blocks:
        exec(code, names)
    return names

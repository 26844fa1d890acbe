"""The page for those who come from NeuroX: each name of ours that it gives exists."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

PAGE = (Path(__file__).parent.parent / "docs/neurox.md").read_text("utf-8")
NAMES = sorted({name for row in PAGE.splitlines() if row.startswith("|") for name in re.findall(r"`(lit_probe\.[\w.]+)`", row)})


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_ours_on_the_page_exists(name):
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found = import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            found = getattr(found, part)
        return
    raise AssertionError(name)


def test_every_row_names_one_of_ours():
    rows = [row for row in PAGE.splitlines() if row.startswith("| `")]
    assert len(rows) > 25 and all("lit_probe." in row for row in rows)

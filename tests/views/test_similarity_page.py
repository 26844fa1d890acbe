"""The section of the page on pictures about similarity of layers: its Python runs, and the names that it gives are there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import lit_probe
from lit_probe.views.similarity_measures import MEASURES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/pictures.md").read_text("utf-8").split("\n## Which layers say the same\n")[1].split("\n## ")[0]


def test_its_python_runs(tiny_folder):
    code = "\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
    code = code.replace("sentence-transformers/all-MiniLM-L6-v2", str(tiny_folder()))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "CKA of the layers of tiny-bert (down)" in done.stdout and "Probe directions of the layers" in done.stdout
    assert "CKA of each layer (across) and the same layer of the end" in done.stdout and "previous (" in done.stdout


def test_it_has_a_row_for_every_measure():
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == list(MEASURES)


def test_what_it_says_to_do_in_place_of_ecco_is_there():
    rows = [row.split("|")[2] for row in PAGE.split("### Coming from Ecco")[1].splitlines() if row.startswith("| ")][1:]
    assert len(rows) == 5
    panel = (ROOT / "lit_probe/client/views/layer_similarity_module.js").read_text("utf-8")
    for row in rows:
        names, measures = re.findall(r"`lit_probe\.(\w+)`", row), re.findall(r'measure="(\w+)"', row)
        titles = re.findall(r"\*\*(.+?)\*\*", row)
        assert names or titles, row
        assert all(hasattr(lit_probe, name) for name in names) and set(measures) <= set(MEASURES)
        assert all(f"static title = '{title}'" in panel for title in titles)

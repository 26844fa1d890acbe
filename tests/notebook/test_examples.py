"""The example notebooks, executed from the first cell to the last as a newcomer would."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from cells import errors, run

EXAMPLES = sorted((Path(__file__).parent.parent.parent / "examples").glob("*.ipynb"))


def kinds(cell) -> list[str]:
    """What the outputs of a cell are, progress bars aside."""
    bars = "application/vnd.jupyter.widget-view+json"
    return [
        output.get("name") or "+".join(sorted(output["data"])) for output in cell.outputs if bars not in output.get("data", {})
    ]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_and_shows_what_its_file_shows(path, tmp_path):
    stored = nbformat.read(path, as_version=4)
    done = run(stored.copy(), tmp_path)
    assert errors(done) == []
    cells = [(before, after) for before, after in zip(stored.cells, done.cells, strict=True) if after.cell_type == "code"]
    for before, after in cells:
        assert kinds(before) == kinds(after), after.source


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_examples_file_holds_its_outputs_without_bars_errors_or_folders_of_a_machine(path):
    stored = nbformat.read(path, as_version=4)
    assert errors(stored) == [] and any(cell.get("outputs") for cell in stored.cells)
    outputs = str([cell.outputs for cell in stored.cells if cell.cell_type == "code"])
    for word in ("/home/", "/root/", "/tmp/", "widget-view", "Warning"):
        assert word not in outputs, word

"""Cells of code, run in a real kernel, and what they printed and showed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat

RUNNER = Path(__file__).parent / "run_notebook.py"


def environment(folder: Path) -> dict[str, str]:
    """Variables under which Jupyter reads and writes in the folder alone, and lit_probe keeps its results there."""
    places = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "XDG_CACHE_HOME")
    return {
        **os.environ,
        **{name: str(folder / name.lower()) for name in places},
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
    }


def notebook_of(cells: Sequence[str]) -> nbformat.NotebookNode:
    """A notebook for the environment's own kernel."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return notebook


def run(notebook: nbformat.NotebookNode, folder: Path, cwd: Path | None = None) -> nbformat.NotebookNode:
    """The notebook with its outputs; the kernel has ended."""
    source, target = folder / "source.ipynb", folder / "target.ipynb"
    nbformat.write(notebook, source)
    command = [sys.executable, str(RUNNER), str(source), str(target)]
    done = subprocess.run(command, env=environment(folder), cwd=cwd or folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return nbformat.read(target, as_version=4)


def printed(cell: nbformat.NotebookNode, stream: str = "stdout") -> str:
    """What a cell printed."""
    return "".join(output["text"] for output in cell.outputs if output.get("name") == stream)


def shown(cell: nbformat.NotebookNode, kind: str) -> list[str]:
    """What a cell showed or returned, in one form, such as ``"text/html"``."""
    return [output["data"][kind] for output in cell.outputs if kind in output.get("data", {})]


def errors(notebook: nbformat.NotebookNode) -> list[str]:
    """Errors that ended cells, as ``"Name: message"``."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [f"{output['ename']}: {output['evalue']}" for output in outputs if output["output_type"] == "error"]

"""Runs the notebooks of examples/ from top to bottom, offline, and stores what they show.

    python tools/make_notebooks.py [NAME ...]

The notebooks are their own source: edit their cells, then run this. Progress bars, and what differs between runs or machines
(times, versions, widget state), are left out. A notebook in which a cell fails stays as it was.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

EXAMPLES = Path(__file__).parent.parent / "examples"
BAR = "application/vnd.jupyter.widget-view+json"


def make(path: Path) -> None:
    """Runs one notebook and writes it back.

    Raises:
      CellExecutionError: a cell failed.
    """
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        # Away from the sources, so that none can be imported by chance.
        client = NotebookClient(notebook, timeout=300, record_timing=False, resources={"metadata": {"path": folder}})
        client.execute()
    notebook.metadata = {name: notebook.metadata[name] for name in ("kernelspec", "language_info")}
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata = {}
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if BAR not in output.get("data", {})]
    nbformat.write(notebook, path)


if __name__ == "__main__":
    os.environ["HF_HUB_OFFLINE"] = "1"
    for name in sys.argv[1:] or sorted(path.stem for path in EXAMPLES.glob("*.ipynb")):
        start = time.monotonic()
        make(EXAMPLES / f"{name}.ipynb")
        print(f"{name}: {time.monotonic() - start:.0f} s")

"""Runs a notebook in a real kernel: ``python run_notebook.py FROM TO``. Errors in cells stay in the notebook.

A process of its own, because nbclient runs an asyncio loop and Playwright refuses to work beside one.
"""

from __future__ import annotations

import sys

import nbformat
from nbclient import NotebookClient

if __name__ == "__main__":
    source, target = sys.argv[1:]
    notebook = nbformat.read(source, as_version=4)
    NotebookClient(notebook, timeout=120, kernel_name="python3", allow_errors=True).execute()
    nbformat.write(notebook, target)

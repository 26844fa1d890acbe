"""A real JupyterLab, as a user starts it, with jupyter-server-proxy in it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cells import environment

PATIENCE_S = 60
TOKEN = "a-token-of-the-tests"


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab.

    Attributes:
      url: its address, with a slash at the end.
      base: the path of that address, under which jupyter-server-proxy answers too.
      folder: where its notebooks are.
      token: the word that lets a browser in.
    """

    url: str
    base: str
    folder: Path
    token: str = TOKEN


@contextmanager
def running_lab(folder: Path, base: str) -> Iterator[Lab]:
    """A JupyterLab that writes into the folder alone, under the path ``base``."""
    notebooks = folder / "notebooks"
    notebooks.mkdir()
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0"]
    command += [f"--ServerApp.base_url={base}", f"--ServerApp.root_dir={notebooks}", f"--IdentityProvider.token={TOKEN}"]
    variables = environment(folder)
    # No question about news, which would cover the page, and no look at registries.
    settings = Path(variables["JUPYTER_CONFIG_DIR"]) / "labconfig"
    settings.mkdir(parents=True)
    quiet = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}
    (settings / "default_setting_overrides.json").write_text(json.dumps(quiet))
    with (folder / "lab.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=variables, cwd=notebooks)
    try:
        deadline, runtime = time.monotonic() + PATIENCE_S, Path(variables["JUPYTER_RUNTIME_DIR"])
        while not (found := list(runtime.glob("jpserver-*.json"))):
            assert process.poll() is None and time.monotonic() < deadline, (folder / "lab.log").read_text()
            time.sleep(0.2)
        port = json.loads(found[0].read_text())["port"]
        yield Lab(f"http://127.0.0.1:{port}{base}", base, notebooks)
    finally:
        process.terminate()  # it ends its kernels first
        process.wait(timeout=30)

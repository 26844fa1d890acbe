"""`server.py` and the wheel: the program as it is deployed, really serving."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from live_server import SERVE, curve, live_server, post, scores

ROOT = Path(__file__).parent.parent


MODEL = "tiny-bert-on-demo"


def flags(tiny_folder) -> list[str]:
    return [f"--model={tiny_folder()}", "--datasets=demo"]


def test_server_py_serves_the_same_numbers_as_layers_json(tiny_folder, tmp_path):
    options = flags(tiny_folder)
    with live_server(options, tmp_path, [sys.executable, str(ROOT / "server.py")], cwd=ROOT) as url:
        assert list(post(url, "get_info")["models"]) == [MODEL]
        served = curve(url, MODEL, "demo")
    cache = f"--cache_dir={tmp_path / 'cache'}"
    layers = [sys.executable, "-m", "lit_probe.cli", "layers", *options, cache, f"--out={tmp_path / 'out'}"]
    subprocess.run(layers, check=True, capture_output=True)
    written = json.loads((tmp_path / "out/layers.json").read_text())["datasets"]["demo"]
    dev = scores(served, "dev")
    assert [row["score"] for row in dev] == [row["accuracy"] for row in written["layers"]]
    assert [row["low"] for row in dev] == [row["accuracy_low"] for row in written["layers"]]
    assert served["best_layer"] == written["best_layer"]


def test_get_wsgi_app_is_what_a_deployment_server_needs(tiny_folder, tmp_path):
    code = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
import server
from werkzeug.test import Client
app = server.get_wsgi_app({[*flags(tiny_folder), f"--cache_dir={tmp_path}"]!r})
client = Client(app)
print(client.get("/", base_url="http://127.0.0.1:5432").status_code)
print(sorted(client.post("/get_info", base_url="http://127.0.0.1:5432", json={{}}).json["models"]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.split() == ["200", "['tiny-bert-on-demo']"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_serve_prints_a_link_with_its_token_and_ends_on_a_signal_while_it_computes(tiny_folder, tmp_path, number, code):
    command = [*SERVE, *flags(tiny_folder), "--port=0", "--token=auto", f"--cache_dir={tmp_path}", "--device=cpu"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    printed = process.stdout.readline()
    link, address = re.search(r"((http://127\.0\.0\.1:\d+/)\?token=[\w-]{32}) ", printed).groups()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with pytest.raises(urllib.error.HTTPError, match="401"):
        opener.open(address, timeout=20)
    assert opener.open(link, timeout=20).url == address
    process.send_signal(number)
    _, log = process.communicate(timeout=20)
    assert process.returncode == code
    assert "Traceback" not in log and link.rpartition("=")[2] not in log


def test_a_port_in_use_is_said_in_one_line(tiny_folder, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [*SERVE, *flags(tiny_folder), f"--port={port}", f"--cache_dir={tmp_path}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert f"{port}" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def installed_wheel(tmp_path_factory) -> Path:
    """A folder into which the wheel was installed, away from the source tree."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder / "dist"), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    [wheel] = (folder / "dist").glob("lit_probe-*.whl")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder / "site"), str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    return folder / "site"


def test_the_wheel_holds_everything_that_is_served(installed_wheel):
    source = {path.relative_to(ROOT / "lit_probe") for path in (ROOT / "lit_probe").rglob("*") if path.is_file()}
    source = {path for path in source if "__pycache__" not in path.parts}
    installed = {
        path.relative_to(installed_wheel / "lit_probe") for path in (installed_wheel / "lit_probe").rglob("*") if path.is_file()
    }
    assert source - installed == set()
    assert (installed_wheel / "lit_probe/layouts/__init__.py").is_file()
    assert not (installed_wheel / "layouts").exists()


def test_the_installed_wheel_serves(installed_wheel, tiny_folder, tmp_path):
    environment = {"PYTHONPATH": str(installed_wheel)}
    where = "import lit_probe, lit_probe.layouts; print(lit_probe.__file__, lit_probe.layouts.__file__)"
    printed = subprocess.run(
        [sys.executable, "-c", where],
        env={**os.environ, **environment},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout.count(str(installed_wheel)) == 2
    with live_server(flags(tiny_folder), tmp_path, env=environment, cwd=tmp_path) as url:
        assert "layer-metrics-module" in json.dumps(post(url, "get_info")["layouts"])
        with urllib.request.urlopen(url) as page:
            [script] = re.findall(r'src="\./(lit_probe/\w+/index\.js)"', page.read().decode())
        with urllib.request.urlopen(url + script) as response:
            assert response.headers["Content-Type"].startswith("text/javascript")
        assert curve(url, MODEL, "demo")["n_layers"] == 4

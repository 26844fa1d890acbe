"""The files of `deploy/`, read as their programs read them, and gunicorn, really serving behind a folder of a proxy."""

from __future__ import annotations

import configparser
import http.client
import json
import os
import re
import runpy
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from lit_probe import cli

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
TOKEN = "a-token-for-the-tests-of-gunicorn"


def accepted(command: list[str]) -> None:
    """That `lit-probe` takes these arguments."""
    cli.FLAGS.unparse_flags()
    assert cli.parse(["lit-probe", *command])[0] == "serve"


# ---- Docker


def instructions() -> list[tuple[str, str]]:
    """Each instruction of the Dockerfile with its arguments."""
    text = re.sub(r"^\s*#.*\n", "", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in text.splitlines() if line.strip()]


def test_the_image_runs_as_a_user_without_rights_and_ends_on_sigterm():
    names = [name for name, _ in instructions()]
    assert set(names) <= set("FROM RUN WORKDIR COPY USER ENV VOLUME EXPOSE STOPSIGNAL HEALTHCHECK ENTRYPOINT CMD".split())
    last = instructions()[len(names) - 1 - names[::-1].index("FROM") :]
    [user] = [argument for name, argument in last if name == "USER"]
    assert user not in ("root", "0")
    after = [name for name, _ in last][[name for name, _ in last].index("USER") :]
    assert "RUN" not in after and "COPY" not in after
    # A shell as the first process would keep the signal for itself.
    for name in ("ENTRYPOINT", "CMD"):
        [argument] = [one for which, one in last if which == name]
        assert isinstance(json.loads(argument), list)
    assert ("STOPSIGNAL", "SIGTERM") in last
    assert not any(re.search(r"TOKEN\s*=", argument) for _, argument in instructions())
    tagged = [argument for name, argument in instructions() if name == "FROM"]
    assert all(re.match(r"python:3\.\d+", one) for one in tagged)


def test_the_image_serves_what_lit_probe_understands_and_asks_its_own_health():
    found = dict(instructions())
    program, *flags = json.loads(found["ENTRYPOINT"])
    assert program.endswith("/lit-probe")
    accepted([*flags, *json.loads(found["CMD"])])
    assert cli.FLAGS.host == "0.0.0.0"
    assert "/healthz" in found["HEALTHCHECK"] and str(cli.FLAGS.port) in found["HEALTHCHECK"]
    assert found["EXPOSE"] == str(cli.FLAGS.port)


def test_what_is_kept_outlives_the_container_results_their_key_and_models():
    found = dict(instructions())
    accepted(json.loads(found["ENTRYPOINT"])[1:])
    folders = {cli.FLAGS.cache_dir, *(re.search(rf"{name}=(\S+)", found["ENV"])[1] for name in ("XDG_CONFIG_HOME", "HF_HOME"))}
    assert all(folder.startswith(f"{found['VOLUME']}/") for folder in folders) and len(folders) == 3


def test_compose_opens_this_machine_alone_and_needs_a_token():
    [(_, service)] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"].items()
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert ":?" in service["environment"]["LIT_PROBE_TOKEN"]
    assert service["read_only"] and service["cap_drop"] == ["ALL"] and service["init"]
    assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).resolve() == DEPLOY / "Dockerfile"
    accepted(["serve", *service["command"]])


# ---- systemd


def test_the_unit_has_no_rights_and_starts_what_lit_probe_understands():
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str
    unit.read_string((DEPLOY / "lit-probe.service").read_text())
    service = unit["Service"]
    assert service["DynamicUser"] == service["NoNewPrivileges"] == "yes" and service["ProtectSystem"] == "strict"
    assert service["KillSignal"] == "SIGTERM" and int(service["TimeoutStopSec"]) >= 6
    assert "TOKEN" not in service["ExecStart"] and service["EnvironmentFile"]
    program, *flags = shlex.split(service["ExecStart"])
    assert program.endswith("/lit-probe")
    accepted(flags)
    assert cli.FLAGS.cache_dir.startswith(f"/var/cache/{service['CacheDirectory']}/")


# ---- gunicorn


def test_gunicorn_is_told_one_worker_with_threads_and_no_token_in_its_log():
    settings = runpy.run_path(str(DEPLOY / "gunicorn.conf.py"))
    assert (settings["workers"], settings["worker_class"]) == (1, "gthread") and settings["threads"] >= 16
    assert settings["bind"].startswith("127.0.0.1:")
    # %(r)s, %(q)s and %(f)s hold the whole address.
    assert not re.search(r"%\((?:r|q|f)\)s", settings["access_log_format"])


@pytest.fixture(scope="module")
def gunicorn(tiny_folder, tmp_path_factory) -> Iterator[tuple[subprocess.Popen[bytes], int, Path]]:
    folder = tmp_path_factory.mktemp("gunicorn")
    log = folder / "gunicorn.log"
    flags = [f"--model={tiny_folder()}", "--datasets=demo", f"--cache_dir={folder / 'cache'}", "--device=cpu"]
    command = [sys.executable, "-m", "gunicorn", f"--config={DEPLOY / 'gunicorn.conf.py'}", "--bind=127.0.0.1:0"]
    command += ["--access-logfile=-", f"server:get_wsgi_app({flags!r})"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "LIT_PROBE_TOKEN": TOKEN}
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, env=environment)
    try:
        deadline = time.monotonic() + 120
        while not (found := re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", log.read_text())):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield process, int(found[1]), log
    finally:
        process.kill()
        process.wait()


Body = bytes | Iterator[bytes] | None


def ask(port: int, method: str, path: str, body: Body = None, **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    answer.body = answer.read()
    return answer


def test_gunicorn_serves_asks_for_the_token_refuses_in_words_and_ends(gunicorn):
    process, port, log = gunicorn
    assert ask(port, "GET", "/healthz").status == 200
    assert ask(port, "GET", "/").status == 401
    welcome = ask(port, "GET", f"/?token={TOKEN}")
    assert (welcome.status, welcome.getheader("Location")) == (303, "./")
    cookie = {"Cookie": welcome.getheader("Set-Cookie").partition(";")[0]}
    page = ask(port, "GET", "/", **cookie)
    assert page.status == 200
    # Behind a folder of a proxy every address has to be relative.
    assert not re.findall(rb'(?:href|src)="(?:/|http)', page.body)
    info = ask(port, "POST", "/get_info", b"{}", **cookie)
    assert list(json.loads(info.body)["models"]) == ["tiny-bert-on-demo"]
    large = b"x" * (33 * 2**20)
    refused = ask(port, "POST", "/get_info", large, **cookie)
    assert (refused.status, b"The request is larger than" in refused.body) == (413, True)
    # Nobody has declared how large this one is, nobody asks for its body here, and this one is not let in.
    assert ask(port, "POST", "/get_info", iter([large[: 2**20]] * 33), **cookie).status == 413
    assert ask(port, "POST", "/save_datapoints", large, **cookie).status == 403
    assert ask(port, "POST", "/get_info", large).status == 401
    start = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    assert time.monotonic() - start < 12
    assert TOKEN not in log.read_text() and "/get_info" in log.read_text()

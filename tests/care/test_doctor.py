"""``lit-probe doctor``: what is there is said, what is missing is said with what to do, and decides the exit code."""

from __future__ import annotations

import json
import socket
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from unset_flags import unset_flags

from lit_probe.care import doctor
from lit_probe.care.doctor import MISSING, OK, WARNING
from lit_probe.cli import main
from lit_probe.encoder.cache_key import key_file

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def flags(tiny_folder, tmp_path) -> list[str]:
    return [f"--model={tiny_folder()}", f"--cache_dir={tmp_path / 'cache'}", "--port=0"]


def run(*flags: str) -> int:
    unset_flags()
    return main(["lit-probe", "doctor", *flags])


def test_a_whole_installation_is_well_in_a_line_each(flags, capsys, tmp_path):
    assert run(*flags) == 0
    *lines, _, last = capsys.readouterr().out.splitlines()
    assert last == "All that is needed is there."
    assert {line.split()[0] for line in lines} <= {OK, WARNING} and all(len(line) < 300 for line in lines)
    assert not (tmp_path / "cache").exists(), "it makes nothing"
    assert run(*flags, "--json") == 0
    abouts = [one["about"].split()[0] for one in json.loads(capsys.readouterr().out)]
    assert abouts == ["Python", "lit-probe", "compiler", "cache", "cache", "model", "LIT's", "our", "port", "GPU"]


def test_the_versions_of_python_are_those_of_the_package():
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    oldest, newest = (".".join(map(str, one)) for one in (doctor.OLDEST_PYTHON, doctor.TOO_NEW_PYTHON))
    assert wanted == f">={oldest},<{newest}"


def test_a_python_of_another_version_is_missing(monkeypatch):
    monkeypatch.setattr("sys.version_info", (3, 13, 0))
    assert doctor.python().state == MISSING and "Python 3.11 or 3.12" in doctor.python().advice


@pytest.mark.parametrize("found", ["1.2.0", None])
def test_a_library_of_another_version_or_none_is_named(monkeypatch, found):
    def version(name: str) -> str:
        if name == "lit-nlp" and found is None:
            raise metadata.PackageNotFoundError(name)
        return found if name == "lit-nlp" else real(name)

    real = metadata.version
    monkeypatch.setattr(metadata, "version", version)
    [_, wrong] = doctor.versions()
    assert (wrong.about, wrong.state, wrong.advice) == ("lit-nlp", MISSING, "Run pip install 'lit-nlp==1.3.1'.")


def test_a_model_that_is_not_there_or_not_whole_is_said(tmp_path, tiny_folder):
    (tmp_path / "config.json").write_text("{}")
    assert doctor.model(str(tmp_path), None).state == MISSING
    assert doctor.model(str(tmp_path / "none"), None).state == MISSING
    assert doctor.model("someone/else", None).state == WARNING
    assert doctor.model(str(tiny_folder()), None).state == OK


def test_a_cache_that_does_not_work_is_said(tmp_path):
    assert doctor.cache(None, False)[0].state == WARNING
    (tmp_path / "file").write_text("x")
    assert doctor.cache(tmp_path / "file", False)[0].state == MISSING
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    [found] = doctor.cache(tmp_path / "open", False)
    assert found.state == MISSING and "--shared_cache" in found.says
    assert doctor.cache(tmp_path / "open", True)[0].state == OK


def test_a_key_that_is_no_secret_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert (doctor.cache_key().state, key_file().exists()) == (OK, False)
    key_file().parent.mkdir()
    key_file().write_bytes(b"k" * 32)
    key_file().chmod(0o644)
    assert doctor.cache_key().state == WARNING and doctor.cache_key().advice == "Remove the file."
    key_file().chmod(0o600)
    assert doctor.cache_key().state == OK


def test_a_file_of_the_page_that_is_lost_is_missing(tmp_path, monkeypatch):
    import shutil

    shutil.copytree(doctor._CLIENT, tmp_path / "client")
    monkeypatch.setattr(doctor, "_CLIENT", tmp_path / "client")
    assert [one.state for one in doctor.browser_files()] == [OK, OK]
    (tmp_path / "client" / "words" / "files.js").unlink()
    (tmp_path / "client" / "page" / "answers.js").write_text("")
    found = doctor.browser_files()[1]
    assert found.state == MISSING and "answers.js, files.js" in found.says


def test_every_file_of_the_client_is_looked_for():
    assert doctor._client_files() == set(doctor._CLIENT.rglob("*.js"))


def test_a_port_in_use_is_said():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        found = doctor.port("127.0.0.1", taken.getsockname()[1])
    assert found.state == WARNING and "in use" in found.says


def test_a_server_that_others_reach_without_a_token_is_said():
    assert doctor.port("0.0.0.0", 0).state == doctor.MISSING
    assert "--token=auto" in doctor.port("0.0.0.0", 0).says
    assert doctor.port("0.0.0.0", 0, "a-token-of-sixteen-letters").state == doctor.OK
    assert "16 to 256" in doctor.port("127.0.0.1", 0, "short").says


def test_something_that_is_missing_is_exit_code_1(flags, tmp_path, capsys):
    assert run(*flags, f"--model={tmp_path / 'none'}") == 1
    assert "missing  model" in capsys.readouterr().out

"""The command line answers as soon as it can: the curve before the checks, each check when it is there, and Ctrl-C keeps them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from test_cli import SIX, run, six_class_table

from lit_probe.checks.battery import CHECKS, USUAL_CHECKS
from lit_probe.report.run_file import read_run

QUICK = [name for name in USUAL_CHECKS if CHECKS[name].quick]
# So many other splits that nobody waits for the last one.
ENDLESS = "--repeat=1000"


@pytest.fixture
def flags(tiny_folder, tmp_path) -> list[str]:
    words = tuple({*SIX, *"the was and we saw it again today there with a friend".split()})
    table = six_class_table(tmp_path / "feelings.csv", classes=2)
    own = [f"--model={tiny_folder(words=words)}", f"--cache_dir={tmp_path / 'cache'}", f"--out={tmp_path / 'out'}"]
    return [*own, f"--datasets=csv={table}", "--text_column=review", "--label_column=feeling"]


def started(command: str, *flags: str) -> subprocess.Popen[str]:
    """The command as a process that hears Ctrl-C, whatever runs the tests."""
    return subprocess.Popen(
        [sys.executable, "-m", "lit_probe.cli", command, *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TQDM_DISABLE": "1"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def checks_of(folder: Path) -> list[str]:
    [one] = json.loads((folder / "layers.json").read_text())["datasets"].values()
    return list(one["checks"])


def test_ctrl_c_keeps_what_is_done_and_the_same_command_goes_on(flags, tmp_path, capsys, monkeypatch):
    process, out = started("layers", *flags, f"--checks={','.join(QUICK)}", ENDLESS), tmp_path / "out"
    assert process.stdout is not None
    printed = []
    for line in process.stdout:
        printed.append(line)
        # Copies are looked for after the quick checks, and before other splits are made.
        if "has a copy in another split" in line or "rows, exact copies of" in line:
            break
    curve = next(place for place, line in enumerate(printed) if "<- chosen on dev" in line)
    assert curve < next(place for place, line in enumerate(printed) if line.startswith("Comparison of layers: "))
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=300)
    assert process.returncode == 130
    assert f"lit-probe: interrupted. What is done stands in {out}/: layers.json, layers.csv, layers.svg. " in said
    assert "Not done: other splits of feelings. The same command goes on where the cache ends." in said
    assert checks_of(out) == [name for name in CHECKS if name in QUICK]
    assert read_run(out / "layers.json").datasets[0].at["near_duplicates"]
    assert not list(out.glob(".*"))

    def refuse(*_: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr("lit_probe.checks.battery.calibration", refuse)
    monkeypatch.setattr("lit_probe.probing.study.LayerwiseProbe.fit", refuse)
    assert run("layers", *flags, "--checks=quick") == 0
    assert checks_of(out) == [name for name in CHECKS if name in QUICK]


def test_ctrl_c_before_the_first_curve_writes_nothing_and_says_so(flags, tmp_path):
    process = started("layers", *flags)
    assert process.stderr is not None
    # It is told just before torch is loaded, which takes a while.
    next(line for line in process.stderr if line.startswith("lit-probe: Memory"))
    process.send_signal(signal.SIGINT)
    printed, said = process.communicate(timeout=300)
    assert process.returncode == 130 and not printed
    # The shorter sentence where it comes before the first text is read.
    assert re.search(r"^lit-probe: interrupted(\.| before a curve was there; nothing is written to )", said, re.MULTILINE)
    assert not list((tmp_path / "out").iterdir())


def test_a_report_that_is_interrupted_leaves_no_page(flags, tmp_path):
    page = tmp_path / "page.html"
    process = started("report", *flags, "--checks=none", ENDLESS, f"--out={page}")
    assert process.stderr is not None
    next(line for line in process.stderr if line.startswith("lit-probe: Memory"))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=300)
    assert process.returncode == 130 and not page.exists()


def test_without_a_word_layers_runs_the_quick_checks_and_says_which_others_there_are(flags, tmp_path, capsys):
    assert run("layers", *flags) == 0
    printed, out = capsys.readouterr().out, tmp_path / "out"
    assert checks_of(out) == [name for name in CHECKS if name in QUICK]
    others = [CHECKS[name].title for name in USUAL_CHECKS if name not in QUICK]
    told = re.escape(f"Not checked, because it fits probes anew: {', '.join(others)}. Add --checks=all")
    assert re.search(told + r" \(about .+\)\.\n", printed), printed
    assert run("layers", *flags) == 0
    # The curve is kept by now, and tells no pace.
    assert re.search(told + r"\.\n", capsys.readouterr().out)
    assert run("layers", *flags, "--checks=none") == 0
    assert checks_of(out) == [] and "Not checked" not in capsys.readouterr().out


def test_whoever_names_a_control_gets_selectivity(flags, tmp_path):
    assert run("layers", *flags, "--control=first_word") == 0
    assert checks_of(tmp_path / "out") == [name for name in CHECKS if name in (*QUICK, "selectivity")]


def test_a_report_tells_all_checks_where_nobody_names_any(flags, tmp_path):
    page = tmp_path / "page.html"
    assert run("report", *flags, f"--out={page}") == 0
    assert "Learning curve: not run" not in page.read_text() and "Selectivity: not run" not in page.read_text()


@pytest.mark.parametrize("checks", ["none,all", "quick,none", "none,selectivity"])
def test_none_stands_alone(flags, checks, capsys):
    assert run("layers", *flags, f"--checks={checks}") == 1
    assert f"--checks={checks} asks for none and for others. Leave one of them out." in capsys.readouterr().err

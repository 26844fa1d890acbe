"""What a run of the benchmarks concludes, and what it does not."""

from __future__ import annotations

import sys
from dataclasses import asdict
from importlib.machinery import ModuleSpec
from types import ModuleType

import pytest

from benchmarks import __main__ as command
from benchmarks.figures import Figure, Times, machine, moved, of_rounds, runs_in, tell


def run_of(*figures, busy=False, on=None):
    benchmarks = {"one": {"busy": busy, "figures": [asdict(figure) for figure in figures]}}
    return {"machine": on or machine(), "benchmarks": benchmarks}


def ratio(low, high, name="a / b", unit="x"):
    return Figure(name, (low + high) / 2, unit, low, high, rounds=5)


def test_a_ratio_is_one_of_medians_with_the_quartiles_of_the_rounds():
    times = Times({"ours": [2.0, 4.0, 6.0, 8.0, 10.0], "bare": [1.0, 2.0, 3.0, 2.0, 2.0]})
    figure = times.ratio("ours / bare", "ours", "bare", at_most=2.5)
    assert (times["ours"], times["bare"]) == (6, 2)
    assert (figure.value, figure.low, figure.high, figure.rounds) == (3, 2, 4, 5)
    assert figure.missed
    assert str(figure) == "ours / bare: 3x (quartiles 2 to 4, at most 2.5)"


def test_of_two_rounds_no_spread_is_told():
    assert of_rounds("twice", [1.0, 2.0], "s").low is None


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (ratio(1, 2), ratio(1.5, 3), 0),
        (ratio(1, 2), ratio(2.5, 3), 1),
        (ratio(2.5, 3), ratio(1, 2), 1),
        (Figure("a / b", 1), Figure("a / b", 9), 0),  # measured once: no spread is known
        (ratio(1, 2), ratio(2.5, 3, name="another"), 0),
    ],
)
def test_what_moved_is_what_moved_by_more_than_the_spread(before, after, told):
    assert len(moved([run_of(before)], run_of(after))) == told


@pytest.mark.parametrize("busy", [(True, False), (False, True), (True, True)])
def test_nothing_is_concluded_from_a_busy_machine(busy):
    before, after = busy
    assert not moved([run_of(ratio(1, 2), busy=before)], run_of(ratio(5, 6), busy=after))


def test_seconds_are_compared_on_one_kind_of_machine_and_ratios_on_all():
    other = {**machine(), "processor": "another"}
    assert not moved([run_of(ratio(1, 2, unit="s"), on=other)], run_of(ratio(5, 6, unit="s")))
    assert moved([run_of(ratio(1, 2, unit="s"))], run_of(ratio(5, 6, unit="s")))
    assert moved([run_of(ratio(1, 2), on=other)], run_of(ratio(5, 6)))


def test_a_benchmark_is_compared_with_its_own_last_run():
    another = {"machine": machine(), "benchmarks": {"two": {"busy": False, "figures": []}}}
    busy = run_of(ratio(5, 6), busy=True)
    assert moved([run_of(ratio(1, 2)), busy, another], run_of(ratio(5, 6)))
    assert not moved([run_of(ratio(1, 2)), run_of(ratio(5, 6)), another], run_of(ratio(5, 6)))
    assert not moved([], run_of(ratio(5, 6)))


@pytest.fixture
def benchmark(monkeypatch):
    """A benchmark of one figure, and a machine of a load that can be set."""
    module = ModuleType("benchmarks.planted", "One planted figure.")
    module.__spec__ = ModuleSpec("benchmarks.planted", None)
    module.main = lambda: tell(ratio(1, 2))
    monkeypatch.setitem(sys.modules, "benchmarks.planted", module)
    monkeypatch.setattr(command, "WAIT_S", 0)
    load = [0.0]
    monkeypatch.setattr(command, "load_per_core", lambda: load[0])
    return module, load


def test_a_run_is_a_file_and_the_next_one_says_what_moved(benchmark, tmp_path, capsys):
    module, _ = benchmark
    assert command.main(["planted"], tmp_path) == 0
    written = runs_in(tmp_path)[-1]
    assert written["benchmarks"]["planted"]["figures"] == [asdict(ratio(1, 2))]
    assert written["machine"]["cores"] > 0
    module.main = lambda: tell(ratio(3, 4))
    assert command.main(["planted"], tmp_path) == 0
    assert "planted: a / b moved from 1.5 to 3.5 x" in capsys.readouterr().out


def test_a_busy_machine_misses_nothing_and_says_why(benchmark, tmp_path, capsys):
    module, load = benchmark
    module.main = lambda: tell(Figure("a / b", 9, at_most=1))
    load[0] = 1.6
    assert command.main(["planted"], tmp_path) == 0
    assert "nothing is concluded" in capsys.readouterr().out
    load[0] = 0.5
    assert command.main(["planted"], tmp_path) == 1
    assert "missed" in capsys.readouterr().out


def test_one_that_fails_costs_only_itself(benchmark, tmp_path):
    module, _ = benchmark

    def fail():
        tell(ratio(1, 2))
        raise SystemExit("no data")

    module.main = fail
    assert command.main(["planted"], tmp_path) == 1
    written = runs_in(tmp_path)[-1]["benchmarks"]["planted"]
    assert written["failed"]
    assert len(written["figures"]) == 1


def test_one_that_cannot_be_imported_costs_only_itself(benchmark, tmp_path, monkeypatch):
    def refuse(name):
        raise ImportError(name)

    with monkeypatch.context() as patch:
        patch.setattr(command, "import_module", refuse)
        assert command.main(["solver"], tmp_path) == 1
    assert runs_in(tmp_path)[-1]["benchmarks"]["solver"]["failed"]


def test_a_name_that_no_benchmark_has_is_said_before_anything_runs(tmp_path, capsys):
    assert command.main(["solver", "planted nowhere"], tmp_path) == 2
    assert "There is no benchmark 'planted nowhere'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())

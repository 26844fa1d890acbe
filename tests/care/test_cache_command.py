"""``lit-probe cache``: it tells what is there, takes away what it is told to and nothing else, and follows no link."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from tiny_probing import tiny_splits
from unset_flags import unset_flags

from lit_probe.care.kept_entries import DAY_S, kept_entries
from lit_probe.cli import main
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import load_encoder
from lit_probe.lit.host.kept_wishes import Wish, keep_wish


@pytest.fixture
def folder(tmp_path) -> Path:
    """Three entries of two kinds, used 40, 20 and 0 days ago."""
    cache = Cache(tmp_path / "cache")
    for number, kind in enumerate(("checks", "checks", "baselines")):
        cache.json_result(kind, {"asked": number}, lambda number=number: {"rows": [0] * 1000 * (number + 1)})
    for one, days in zip(
        sorted((tmp_path / "cache").glob("*/*"), key=lambda path: path.stat().st_mtime), (40, 20, 0), strict=True
    ):
        then = time.time() - days * DAY_S
        os.utime(one, (then, then))
    return tmp_path / "cache"


def run(folder: Path, *arguments: str) -> int:
    unset_flags()
    return main(["lit-probe", "cache", f"--cache_dir={folder}", *arguments])


def days(folder: Path) -> list[int]:
    return sorted(round((time.time() - one.used) / DAY_S) for one in kept_entries(folder))


def test_it_lists_and_measures(folder, capsys):
    assert run(folder, "list") == 0
    listed = capsys.readouterr().out
    assert [line.split()[0] for line in listed.splitlines()[1:]] == ["kind", "baselines", "checks", "checks"]
    assert "40.0 days" in listed and "kB" in listed
    assert run(folder, "size") == 0
    assert [line.split()[:2] for line in capsys.readouterr().out.splitlines()[2:]] == [
        ["baselines", "1"],
        ["checks", "2"],
        ["all", "3"],
    ]
    assert run(folder, "size", "--json") == 0
    assert {one["kind"] for one in json.loads(capsys.readouterr().out)} == {"baselines", "checks"}


def test_it_prunes_by_age_and_by_size_the_least_used_first(folder, capsys):
    assert run(folder, "prune", "--older_than=30", "--dry_run") == 0
    assert "Would take away 1 entries" in capsys.readouterr().out and days(folder) == [0, 20, 40]
    assert run(folder, "prune", "--older_than=30") == 0
    assert days(folder) == [0, 20]
    largest = max(one.n_bytes for one in kept_entries(folder))
    assert run(folder, "prune", f"--max_size={largest / 1e9}") == 0
    assert days(folder) == [0]
    assert run(folder, "prune", "--max_size=0") == 0
    assert list(folder.iterdir()) == [], "empty kinds go too"


def test_an_entry_that_is_read_is_used(folder):
    cache = Cache(folder)
    cache.json_result("checks", {"asked": 0}, lambda: pytest.fail("computed again"))
    assert days(folder) == [0, 0, 20]


def test_prune_asks_what_may_go(folder, capsys):
    assert run(folder, "prune") == 1
    assert "Say what may go: --older_than=30" in capsys.readouterr().err and len(days(folder)) == 3


@pytest.mark.parametrize("flag", ["--older_than=-1", "--max_size=-0.5", "--max_size=much"])
def test_numbers_that_mean_nothing_are_refused(folder, flag):
    assert run(folder, "prune", flag) == 2
    assert len(days(folder)) == 3


def test_clear_asks_first(folder, capsys, monkeypatch):
    assert run(folder, "clear") == 1
    assert "Add --yes" in capsys.readouterr().err and len(days(folder)) == 3
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    for answer, n_left in (("", 3), ("n", 3), ("y", 0)):
        monkeypatch.setattr("builtins.input", lambda _, answer=answer: answer)
        assert run(folder, "clear") == (1 if n_left else 0)
        assert len(days(folder)) == n_left


def test_clear_takes_entries_and_leftovers_and_leaves_what_is_not_ours(folder, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine").write_text("keep")
    (folder / "notes.txt").write_text("a user's own")
    (folder / "checks" / "diary").mkdir()
    (folder / "linked").symlink_to(elsewhere)
    (folder / "checks" / ("c" * 40)).symlink_to(elsewhere)
    [entry] = (folder / "baselines").iterdir()
    (entry / "link").symlink_to(elsewhere)
    old, young = (folder / "checks" / f"unfinished-abcdefg{one}" for one in "12")
    for work in (old, young):
        (work / "entry").mkdir(parents=True)
    for path in (old / "entry", old):
        os.utime(path, (0, 0))
    assert run(folder, "clear", "--yes") == 0
    left = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    assert left == {
        "notes.txt",
        "linked",
        "checks",
        "checks/diary",
        f"checks/{'c' * 40}",
        f"checks/{young.name}",
        f"checks/{young.name}/entry",
    }
    assert (elsewhere / "mine").read_text() == "keep"


def test_verify_names_what_cannot_be_trusted_and_prune_takes_it_away(folder, tiny_folder, capsys):
    keep_wish(
        Cache(folder), load_encoder(str(tiny_folder())), tiny_splits(), Wish("w", "label", None, "logistic", "mean", "layers")
    )
    n_entries = len(kept_entries(folder))
    assert run(folder, "verify") == 0
    assert f"{n_entries} of {n_entries} entries are sound." in capsys.readouterr().out
    [entry] = (folder / "baselines").iterdir()
    (entry / "result.json").write_text("{}")
    assert run(folder, "verify") == 1
    said = capsys.readouterr().out
    assert f"baselines/{entry.name}: the content of result.json has changed" in said and "prune --untrusted" in said
    assert run(folder, "verify", "--json") == 1
    assert [one["kind"] for one in json.loads(capsys.readouterr().out) if one["fault"]] == ["baselines"]
    assert run(folder, "prune", "--untrusted") == 0
    assert run(folder, "verify") == 0 and len(kept_entries(folder)) == n_entries - 1


def test_without_a_folder_there_is_nothing_to_do(tmp_path, capsys):
    for word in ("list", "size", "verify", "clear"):
        assert run(tmp_path / "none", word) == 0
        assert "Nothing is kept in" in capsys.readouterr().out
    assert not (tmp_path / "none").exists()
    assert main(["lit-probe", "cache", "list", "--cache_dir="]) == 0


def test_what_is_no_folder_of_ones_own_is_refused(folder, tmp_path, capsys):
    (tmp_path / "file").write_text("x")
    assert run(tmp_path / "file", "clear", "--yes") == 1
    assert "is no folder" in capsys.readouterr().err
    folder.chmod(0o777)
    assert run(folder, "clear", "--yes") == 1
    assert "Others may write" in capsys.readouterr().err and len(days(folder)) == 3
    assert run(folder, "clear", "--yes", "--shared_cache") == 0


def test_other_words_and_flags_are_refused(folder, capsys):
    assert run(folder, "burn") == 1
    assert "Choose one of: clear, list, prune, size, verify." in capsys.readouterr().err
    assert run(folder) == 2 and run(folder, "list", "clear") == 2 and run(folder, "list", "--datasets=demo") == 2

"""The command line with several targets: one run, one map, and a card that asks the same again."""

from __future__ import annotations

import csv
import json
import re

import pytest
from test_cli import flags as flags
from test_cli import run


@pytest.fixture
def table(tmp_path):
    file = tmp_path / "walks.csv"
    rows = [
        (f"we saw the {thing} again {place} {row}{'?' if row % 5 == 0 else ''}", mood, place, f"row {row}")
        for row in range(120)
        for thing, mood in [("sun", "joy") if row % 2 else ("rain", "sadness")]
        for place in ["there" if row % 3 else "today"]
    ]
    with file.open("w", newline="") as opened:
        csv.writer(opened).writerows([("text", "label", "place", "id"), *rows])
    return file


def test_targets_give_a_data_set_each_and_a_map(flags, table, tmp_path, capsys):
    asked = [*flags, f"--datasets=csv={table}", "--checks=none"]
    assert run("layers", *asked, "--targets=columns,surface:question") == 0
    printed, out = capsys.readouterr().out, tmp_path / "out"
    assert "Concepts of walks by layers of tiny-bert" in printed and "Not asked: id. " in printed
    written = json.loads((out / "layers.json").read_text())
    names = ["walks (label)", "walks (place)", "walks (surface:question)"]
    assert list(written["datasets"]) == names
    [concepts] = written["concepts"]
    assert {row["study"] for row in concepts["rows"]} == set(names)
    for row in concepts["rows"]:
        layers = written["datasets"][row["study"]]["layers"]
        assert [cell["score"] for cell in row["cells"]] == [one[row["headline"]] for one in layers]
    with (out / "concepts.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 3 * 4
    assert ">place<" in (out / "concepts.svg").read_text()
    assert (out / "layers-walks-label.svg").exists()

    single = tmp_path / "single"
    assert run("layers", *flags[:-1], *asked[3:], f"--out={single}", "--targets=place") == 0
    alone = json.loads((single / "layers.json").read_text())
    assert alone["datasets"]["walks (place)"] == written["datasets"]["walks (place)"]
    assert alone["concepts"][0]["rows"] == [row for row in concepts["rows"] if row["target"] == "place"]
    assert run("layers", *flags[:-1], *asked[3:], f"--out={single}") == 0
    plain = json.loads((single / "layers.json").read_text())
    assert plain["datasets"]["walks"]["layers"] == written["datasets"]["walks (label)"]["layers"]
    assert "concepts" not in plain


def test_the_card_of_several_targets_asks_the_same_again(flags, table, tmp_path, capsys):
    assert run("layers", *flags, f"--datasets=csv={table}", "--checks=none", "--targets=place,label") == 0
    first = json.loads((tmp_path / "out" / "layers.json").read_text())
    assert run("layers", f"--from={tmp_path / 'out' / 'layers.json'}", flags[1], f"--out={tmp_path / 'again'}") == 0
    assert json.loads((tmp_path / "again" / "layers.json").read_text()) == first
    moved = table.read_text().replace("today,row 3\n", "there,row 3\n")
    table.write_text(moved)
    assert run("layers", f"--from={tmp_path / 'out' / 'layers.json'}", flags[1], f"--out={tmp_path / 'again'}") == 1
    assert "rows of walks (place) have the sha256" in capsys.readouterr().err


def test_a_report_shows_the_map(flags, table, tmp_path):
    assert run("layers", *flags, f"--datasets=csv={table}", "--checks=none", "--targets=place,id,label") == 0
    page = tmp_path / "page.html"
    assert run("report", f"--results={tmp_path / 'out' / 'layers.json'}", f"--out={page}") == 0
    html = page.read_text("utf-8")
    assert "Concepts of <bdi>walks</bdi> by layers" in html
    assert 'class="command"' in html and "--targets=" in html
    assert "was not asked" in html
    again = tmp_path / "again.html"
    assert (
        run("report", *flags[:2], f"--datasets=csv={table}", "--checks=none", "--targets=place,id,label", f"--out={again}") == 0
    )
    assert again.read_text("utf-8") == html


def test_neurons_of_each_target(flags, table, tmp_path, capsys):
    asked = [*flags, f"--datasets=csv={table}", "--targets=place,id", "--layer=1", "--ranking=weight_mass"]
    assert run("neurons", *asked) == 0
    assert "walks is not asked for id." in capsys.readouterr().err
    assert (tmp_path / "out" / "neurons.json").exists()


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        ("colour", "walks has no target 'colour'. Choose of: label, place, id, surface:n_words"),
        ("id", "120 classes for 120 rows"),
        ("", "No target was named for walks"),
        ("place,,label", "walks has no target ''"),
    ],
)
def test_a_target_that_is_none_gets_one_clear_line(flags, table, capsys, targets, said):
    assert run("layers", *flags, f"--datasets=csv={table}", f"--targets={targets}") == 1
    told = capsys.readouterr().err
    assert said in told and "Traceback" not in told


def test_serve_takes_no_targets(flags, capsys):
    assert run("serve", *flags[:2], "--targets=label") == 2
    assert "serve does not use --targets" in capsys.readouterr().err


def test_targets_whose_names_are_alike_as_files_have_a_picture_each(flags, tmp_path, capsys):
    file = tmp_path / "walks.csv"
    rows = [(f"we saw it {row}", row % 2, row % 3, row // 2 % 2) for row in range(120)]
    with file.open("w", newline="") as opened:
        csv.writer(opened).writerows([("text", "label", "the/place", "the place"), *rows])
    asked = [*flags, f"--datasets=csv={file}", "--targets=the/place,the place"]
    assert run("layers", *asked, "--checks=none") == 0
    pictures = sorted(path.name for path in (tmp_path / "out").glob("layers-*.svg"))
    assert pictures == ["layers-walks-the-place-2.svg", "layers-walks-the-place.svg"]


def test_the_memory_of_texts_that_are_asked_several_things_is_counted_once(flags, table, capsys):
    told = []
    for targets in ("label", "label,place,surface:question"):
        assert run("layers", *flags, f"--datasets=csv={table}", "--checks=none", f"--targets={targets}", "--cache_dir=") == 0
        told += [re.findall(r"activations of \d+ texts", capsys.readouterr().err)]
    assert told[0] == told[1] == ["activations of 120 texts"]


def test_several_values_give_a_data_set_each_joint_scores_and_a_card(flags, tmp_path, capsys):
    file = tmp_path / "films.csv"
    with file.open("w", newline="") as opened:
        cells = [[word for place, word in enumerate(("sun", "rain")) if row >> place & 1] or ["snow"] for row in range(160)]
        rows = [(f"we saw the {' '.join(own)} again {row}", "|".join(own)) for row, own in enumerate(cells)]
        csv.writer(opened).writerows([("text", "label"), *rows])
    asked = [*flags, f"--datasets=csv={file}", "--multilabel", "--checks=none"]
    assert run("layers", *asked) == 0
    assert "All 3 values together on test: macro F1" in capsys.readouterr().out
    first = json.loads((tmp_path / "out" / "layers.json").read_text())
    assert list(first["datasets"]) == [f"films (label:{word})" for word in ("rain", "snow", "sun")]
    assert [one["split"] for one in first["concepts"][0]["joint"]] == ["dev", "test"]
    assert run("report", *asked) == 0
    assert "All values together, each decided at its own" in (tmp_path / "out" / "report.html").read_text()
    assert run("layers", f"--from={tmp_path / 'out' / 'layers.json'}", flags[1], f"--out={tmp_path / 'again'}") == 0
    assert json.loads((tmp_path / "again" / "layers.json").read_text())["concepts"] == first["concepts"]
    capsys.readouterr()
    for command in ("serve", "extract"):
        assert run(command, f"--datasets=csv={file}", "--multilabel", flags[0]) == 1
        assert "has several values" in capsys.readouterr().err


@pytest.mark.parametrize("asked", ["conll", "conll[label=2,missing=Y,max_words=60]", "csv[annotate=words:sun]", "demo"])
def test_the_card_of_words_asks_the_same_again(flags, table, tmp_path, asked):
    file = tmp_path / "tags.conll"
    lines = [f"the DET O\nsun{row} X B-A\nagain {'Y' if row % 9 == 0 else 'X'} O\n\n" for row in range(60)]
    file.write_text("".join(lines), "utf-8")
    form, _, options = asked.partition("[")
    source = {"conll": f"={file}", "csv": f"={table}", "demo": "[annotate=words:the a]"}[form]
    named = f"--datasets={form}{source}" + (f"[{options}" if options else "")
    assert run("layers", *flags, named, "--checks=none") == 0
    first = json.loads((tmp_path / "out" / "layers.json").read_text())
    assert run("layers", f"--from={tmp_path / 'out' / 'layers.json'}", flags[1], f"--out={tmp_path / 'again'}") == 0
    assert json.loads((tmp_path / "again" / "layers.json").read_text()) == first

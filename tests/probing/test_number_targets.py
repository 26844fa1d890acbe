"""Columns of numbers among the targets: one map of classes and numbers, each row with the digits of its single run."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from sklearn.metrics import r2_score
from test_cli import flags as flags
from test_cli import run

from lit_probe.data import load_dataset
from lit_probe.data.asking import Unasked, ask, ask_all
from lit_probe.data.options import DatasetOptions
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import DatasetError
from lit_probe.probing.concept_map import concepts_of
from lit_probe.probing.rules import StudyRules
from lit_probe.probing.study import probe_layers

WORDS = "good bad dull great film movie plot scene music ending".split()


@pytest.fixture
def table(tmp_path):
    random = np.random.default_rng(0)
    file = tmp_path / "walks.csv"
    with file.open("w", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(["text", "label", "length", "stars", "endless", "mixed", "same"])
        for row in range(160):
            text = " ".join(random.choice(WORDS, random.integers(3, 30))) + f" {row}"
            length = "" if row % 40 == 7 else f"{len(text.split()) + random.normal():.3f}"
            endless = "inf" if row == 5 else str(row / 3)
            mixed = "many" if row == 5 else str(row / 3)
            writer.writerow([text, "ab"[row % 2], length, row % 3 - 1, endless, mixed, "2.5"])
    return file


@pytest.fixture
def splits(table):
    return load_dataset("csv", str(table), DatasetOptions())


def test_a_column_of_numbers_asks_for_a_number_and_few_values_for_classes(splits):
    asked = ask(splits, "length")
    assert asked.target == "number" and asked.label_names == () and asked.name == "walks (length)"
    n_left = sum(len(rows) for _, rows in splits.items()) - sum(len(rows) for _, rows in asked.items())
    assert n_left == 4 and sum(count for why, count in asked.provenance["dropped"].items() if "of length" in why) == 4
    for split, rows in asked.items():
        whole = dict(splits.items())[split]
        where = asked.asked_of.rows[split]
        assert rows.texts == tuple(whole.texts[row] for row in where)
        assert rows.labels.tolist() == [float(whole.columns["length"][row]) for row in where]
    assert ask(splits, "stars").target == "classes"


def test_what_is_no_column_of_numbers_says_why(splits):
    told = {one.target: one.error for one in ask_all(splits, ["columns"]) if isinstance(one, Unasked)}
    assert set(told) == {"endless", "mixed", "same"} and all(told.values())


def test_too_few_numbers_are_refused(tmp_path):
    file = tmp_path / "few.csv"
    rows = [f"text {row},{'ab'[row % 2]},{row / 7 if row % 5 == 0 else ''}" for row in range(60)]
    file.write_text("\n".join(["text,label,rating", *rows]))
    with pytest.raises(DatasetError, match="rating"):
        ask(load_dataset("csv", str(file), DatasetOptions()), "rating")


def test_every_row_has_the_digits_of_its_single_run(splits, tiny_folder):
    encoder = load_encoder(str(tiny_folder(seed=7)))
    study = probe_layers(encoder, ask(splits, "label"), rules=StudyRules(headline="auroc"))
    found = concepts_of(study, ["columns"])
    rows = {row.target: row for row in found.rows}
    assert set(rows) == {"label", "stars", "length"} and rows["length"].headline == "r2" and rows["label"].headline == "auroc"
    alone = probe_layers(encoder, ask(splits, "length"))
    scores = alone.metrics("dev").scores["r2"]
    assert [cell.score for cell in rows["length"].cells] == [score.value for score in scores]
    assert rows["length"].best_layer == alone.best_layer and rows["length"].test == alone.test_metrics().scores["r2"]
    labels = alone.splits.dev.labels
    mean = r2_score(labels, np.full(len(labels), alone.splits.train.labels.mean()))
    assert rows["length"].baseline == pytest.approx(mean)
    for cell in rows["length"].cells:
        assert cell.above == pytest.approx((cell.score - mean) / (1 - mean))
    assert "Of a number the score is R²" in found.measure
    assert "Of a number" not in concepts_of(study, ["label", "stars"]).measure


def test_a_number_may_be_the_label_and_the_columns_classes(table, tiny_folder):
    splits = load_dataset("csv", str(table), DatasetOptions(label_column="length", target="number"))
    found = ask_all(splits, ["label", "stars", "surface:n_words"])
    assert [one.target for one in found] == ["number", "classes", "classes"]
    assert np.array_equal(found[0].train.labels, splits.train.labels)


def test_the_command_line_writes_one_map_and_a_card_that_asks_the_same(flags, table, tmp_path, capsys):
    asked = [*flags, f"--datasets=csv={table}", "--checks=baselines", "--targets=label,length,stars"]
    assert run("layers", *asked) == 0
    out = tmp_path / "out"
    written = json.loads((out / "layers.json").read_text())
    [concepts] = written["concepts"]
    assert {row["target"]: row["headline"] for row in concepts["rows"]} == {
        "label": "accuracy",
        "length": "r2",
        "stars": "accuracy",
    }
    for row in concepts["rows"]:
        layers = written["datasets"][row["study"]]["layers"]
        assert [cell["score"] for cell in row["cells"]] == [one[row["headline"]] for one in layers]
    assert "; of a number alpha by" in written["made_by"]["probes"] and "r2" in written["made_by"]
    assert run("report", f"--results={out / 'layers.json'}", f"--out={tmp_path / 'page.html'}") == 0
    page = (tmp_path / "page.html").read_text()
    assert "A number is asked for." in page and "ridge" in page
    again = tmp_path / "again"
    capsys.readouterr()
    assert run("layers", f"--from={out / 'layers.json'}", f"--out={again}", *[one for one in flags if "cache" in one]) == 0
    assert json.loads((again / "layers.json").read_text()) == written

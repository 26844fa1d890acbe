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


@pytest.mark.parametrize(
    ("asked", "kinds"),
    [
        (["--targets=length,label", "--probe=logistic", "--regularisation=0.125"], {"label": {"C": 0.125}, "length": None}),
        (["--targets=label,length", "--regularisation=0.125"], {"label": {"C": 0.125}, "length": None}),
        (["--targets=label,length", "--class_weight=balanced"], {"label": {"class_weight": "balanced"}, "length": None}),
        (["--targets=length"], {"length": None}),
        (["--targets=length", "--probe=ridge"], {"length": None}),
        (["--targets=length", "--regularisation=3"], {"length": {"alpha": 3.0}}),
        (["--targets=label,length", "--probe=ridge", "--regularisation=3"], {"length": {"alpha": 3.0}, "label": None}),
    ],
)
def test_options_count_for_the_kind_that_was_meant_and_the_card_repeats_them(flags, table, tmp_path, asked, kinds):
    assert run("layers", *flags, f"--datasets=csv={table}", "--checks=none", *asked) == 0
    out = tmp_path / "out" / "layers.json"
    written = json.loads(out.read_text())
    for name, one in written["datasets"].items():
        settings, given = one["probes"][0], kinds[name.partition(" (")[2].rstrip(")")]
        if given is None:
            assert {"cv", "class_weight"} & set(settings) == {"cv"}
        else:
            assert {key: settings[key] for key in given} == given
    again = tmp_path / "again"
    assert run("layers", f"--from={out}", f"--out={again}", "--checks=none", *[one for one in flags if "cache" in one]) == 0
    assert json.loads((again / "layers.json").read_text()) == written


def test_a_kind_that_serves_no_target_is_refused_before_any_work(flags, table, tmp_path, capsys):
    for asked, words in [
        (["--targets=label", "--probe=ridge"], "is about a number"),
        (["--targets=length", "--probe=mlp"], "is about classes"),
        (["--targets=label,length", "--probe=attention"], "is about classes"),
        (["--targets=length", "--class_weight=balanced"], "does not take"),
    ]:
        assert run("layers", *flags, f"--datasets=csv={table}", "--checks=none", *asked) == 1
        assert words in capsys.readouterr().err
        assert not (tmp_path / "out" / "layers.json").exists()


def test_a_column_that_is_meant_as_numbers_names_the_word_that_is_none(splits):
    told = {one.target: one.error for one in ask_all(splits, ["columns"]) if isinstance(one, Unasked)}
    assert "'many'" in told["mixed"] and "inf" in told["endless"] and "is the label a number" not in told["mixed"]


def test_numbers_whose_squares_cannot_be_added_are_refused(tmp_path):
    file = tmp_path / "huge.csv"
    rows = [f"text {row},{'ab'[row % 2]},{row + 1}e{300 if row % 2 else 290}" for row in range(60)]
    file.write_text("\n".join(["text,label,rating", *rows]))
    with pytest.raises(DatasetError, match="lie so far apart"):
        ask(load_dataset("csv", str(file), DatasetOptions()), "rating")


def test_a_column_that_is_called_as_several_targets_is_told_in_a_sentence(tmp_path):
    file = tmp_path / "named.csv"
    rows = [f"text {row},{'ab'[row % 2]},{'xyz'[row % 3]}" for row in range(60)]
    file.write_text("\n".join(["text,label,surface", *rows]))
    splits = load_dataset("csv", str(file), DatasetOptions())
    [left] = [one for one in ask_all(splits, ["columns"]) if isinstance(one, Unasked)]
    assert left.target == "surface" and "stands for several targets" in left.error

"""``layers --similarity``: which layers say the same, in numbers and figures, and the series of several encoders."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from test_cli import flags as flags
from test_cli import run, six_class_table
from unset_flags import unset_flags

from lit_probe import cli, probe_activations
from lit_probe.figures import save_layer_similarity, save_similarity_series
from lit_probe.flags import parse
from lit_probe.views.layer_similarity import layer_similarity
from lit_probe.views.similarity_series import similarity_series


@pytest.fixture
def asked(flags, tmp_path) -> list[str]:
    """One encoder, its table and the folder that results go to."""
    table = six_class_table(tmp_path / "six.csv")
    columns = ["--text_column=review", "--label_column=feeling"]
    return ["layers", *flags, f"--datasets=csv={table}", *columns, "--checks=none"]


def test_one_encoder_has_a_table_and_a_figure_of_its_layers(asked, tmp_path, capsys):
    assert run(*asked, "--similarity=cka,probe_cosine,cka") == 0
    assert "layers.svg, similarity.csv, similarity.svg" in capsys.readouterr().out
    rows = list(csv.DictReader((tmp_path / "out" / "similarity.csv").open(newline="")))
    assert len(rows) == 2 * 4 * 4 and {row["measure"] for row in rows} == {"cka", "probe_cosine"}
    own = [row for row in rows if row["measure"] == "cka" and row["layer"] == row["other_layer"]]
    assert all(float(row["value"]) == pytest.approx(1) and row["dataset"] == "six" for row in own)
    drawn = (tmp_path / "out" / "similarity.svg").read_text("utf-8")
    assert ">CKA, " in drawn and ">Probe directions, " in drawn and "six: which layers say the same" in drawn


def test_several_encoders_are_a_series_in_their_order(asked, tmp_path, capsys):
    trained = next(one for one in asked if one.startswith("--model=")).removeprefix("--model=")
    asked = [one for one in asked if not one.startswith("--model=")]
    named = f"--model={trained}[weights=random],{trained}"
    assert run(*asked, named, "--similarity=cka") == 0
    printed = capsys.readouterr().out
    assert "CKA of each layer (across) and the same layer of tiny-bert on" in printed
    assert "similarity-series.csv, similarity-series.svg" in printed
    rows = list(csv.DictReader((tmp_path / "out" / "similarity-series.csv").open(newline="")))
    assert len(rows) == 2 * 16 + 2 * 4 + 4
    assert [row["one"] for row in rows[:32:16]] == ["tiny-bert (random weights)", "tiny-bert"]
    drawn = (tmp_path / "out" / "similarity-series.svg").read_text("utf-8")
    assert all(f">same layer of the {beside}<" in drawn for beside in ("last", "first", "previous"))
    assert (tmp_path / "out" / "tiny-bert" / "similarity.svg").is_file()


def test_what_has_no_linear_probes_is_told_and_the_rest_is_written(asked, tmp_path, capsys):
    assert run(*asked, "--probe=mlp", "--similarity=probe_cosine,svcca") == 0
    assert "no probe_cosine of six. Probes of kind 'mlp' are not linear" in capsys.readouterr().err
    rows = list(csv.DictReader((tmp_path / "out" / "similarity.csv").open(newline="")))
    assert {row["measure"] for row in rows} == {"svcca"} and all(row["by_chance"] for row in rows)


def test_a_measure_that_has_too_few_rows_is_told_and_the_rest_is_written(flags, tmp_path, capsys):
    table = tmp_path / "ten.csv"
    table.write_text(
        "text,label\n" + "".join(f"the film was {'good' if i % 2 else 'bad'} {'and ' * i},{i % 2}\n" for i in range(10))
    )
    trained = next(one for one in flags if one.startswith("--model=")).removeprefix("--model=")
    named = f"--model={trained},{trained}[weights=random]"
    asked = [one for one in flags if not one.startswith("--model=")]
    assert run("layers", *asked, named, f"--datasets=csv={table}", "--checks=none", "--similarity=probe_cosine,cka") == 0
    said = capsys.readouterr()
    few = "Layers are compared on 4 rows or more, and there are 2 rows. Take more texts."
    assert said.err.count(f"lit-probe: no probe_cosine of ten. {few}") == 2
    assert said.err.count(f"lit-probe: no probe_cosine of the series on ten. {few}") == 1
    assert "similarity-series.csv" in said.out
    for file in ("tiny-bert/similarity.csv", "tiny-bert (random weights)/similarity.csv", "similarity-series.csv"):
        assert {row["measure"] for row in csv.DictReader((tmp_path / "out" / file).open(newline=""))} == {"cka"}


def test_encoders_of_other_depths_are_no_series(tmp_path, capsys):
    unset_flags()
    parse(["lit-probe", "layers", "--similarity=cka,svcca"])
    values = np.random.default_rng(0).normal(size=(60, 4, 3))
    deep, shallow = (probe_activations(values[:, :n], [0, 1] * 30, name=f"of {n}") for n in (4, 2))
    assert cli._write_series(tmp_path, {"mine": [deep, shallow]}) == []
    said = capsys.readouterr().err
    for measure in ("cka", "svcca"):
        assert (
            f"no {measure} of the series on mine. A series is of checkpoints with the same layers, and of-4 has 4 layers" in said
        )


def test_an_unknown_measure_is_refused_before_any_work(flags, capsys):
    assert run("layers", *flags, "--similarity=cka,ckb") == 1
    said = "Unknown measure of similarity 'ckb'. Choose one of: cka, probe_cosine, pwcca, svcca."
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(("n", "n_layers"), [(2, 1), (9, 3), (26, 2)])
def test_figures_of_few_and_many_checkpoints_and_of_a_layer_that_does_not_vary(tmp_path, n, n_layers):
    values = np.random.default_rng(0).normal(size=(n, 12, n_layers, 3))
    values[0, :, 0] = 1.0
    found = similarity_series({f"a run, step {i * 1000}": one for i, one in enumerate(values)})
    save_similarity_series([found.to_json()] * 2, "a title", tmp_path / "series.svg")
    drawn = (tmp_path / "series.svg").read_text("utf-8")
    assert "a title" in drawn and "a run, step 0" in drawn
    save_layer_similarity([layer_similarity(values[0]).to_json()], "a title", tmp_path / "layers.svg")
    assert "a title" in (tmp_path / "layers.svg").read_text("utf-8")

"""The command line as a user calls it: tables, files, and a clear word for every wrong call."""

from __future__ import annotations

import csv
import functools
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import datasets
import numpy as np
import pytest
from counted import note_budgets
from nli_rows import write_nli_table
from unset_flags import unset_flags

from lit_probe import cli
from lit_probe.checks.baselines import BASELINES
from lit_probe.checks.control_task import CONTROLS
from lit_probe.encoder.encoder import load_encoder
from lit_probe.encoder.joining import JOININGS
from lit_probe.encoder.memory import MemoryBudget
from lit_probe.encoder.pooling import POOLINGS
from lit_probe.errors import ProbeError

SIX = {"sun": "joy", "rain": "sadness", "dog": "surprise", "night": "fear", "queue": "anger", "mud": "disgust"}


def run(*arguments: str) -> int:
    unset_flags()
    return cli.main(["lit-probe", *arguments])


@pytest.fixture
def flags(tiny_folder, tmp_path) -> list[str]:
    words = tuple({*SIX, *"the was and we saw it again today there with a friend".split()})
    return [f"--model={tiny_folder(words=words)}", f"--cache_dir={tmp_path / 'cache'}", f"--out={tmp_path / 'out'}"]


def six_class_table(path: Path, classes: int = 6) -> Path:
    ends = ["", "again", "today", "with a friend", "and we saw it", "there", "and it was the sun"]
    rows = [
        (f"{start} {word} {end}".strip(), label)
        for word, label in list(SIX.items())[:classes]
        for start in ("the", "we saw the", "it was the", "there was the", "a")
        for end in ends
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("review", "feeling"), *rows])
    return path


@pytest.mark.parametrize("classes", [3, 6])
def test_a_table_with_string_labels_gives_a_table_of_layers_and_three_files(flags, tmp_path, capsys, classes):
    table = six_class_table(tmp_path / "feelings.csv", classes)
    data = [f"--datasets=csv={table}", "--text_column=review", "--label_column=feeling"]
    assert run("layers", *flags, *data, "--checks=all") == 0
    printed = capsys.readouterr().out
    assert "chosen on dev" in printed
    out = tmp_path / "out"
    result = json.loads((out / "layers.json").read_text())["datasets"]["feelings"]
    assert result["label_names"] == sorted(list(SIX.values())[:classes])
    assert [row["layer"] for row in result["layers"]] == [0, 1, 2, 3]
    assert {"n", "accuracy", "accuracy_low", "accuracy_high", "auroc", "recall:joy"} <= set(result["layers"][0])
    assert result["test"]["layer"] == result["best_layer"]
    with (out / "layers.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["accuracy"]) for row in rows] == [row["accuracy"] for row in result["layers"]]
    svg = (out / "layers.svg").read_text()
    assert "<svg" in svg
    assert ">majority class<" in svg
    for baseline in BASELINES.values():
        drawn = baseline.in_figure and "text" in baseline.units
        assert (f">{baseline.title}<" in svg) == drawn
        assert not drawn or baseline.color.lower() in svg
    assert "Comparison of layers: Optimism of choosing layer" in printed
    assert json.loads((out / "layers.json").read_text())["transfer"] == {"groups": [], "notes": []}
    assert "layer (0 = embeddings)" in svg


def test_a_second_run_writes_the_same_bytes_without_torch(flags, tmp_path):
    table = six_class_table(tmp_path / "feelings.csv")
    flags = [*flags, f"--datasets=csv={table}", "--text_column=review", "--label_column=feeling", "--checks=all"]
    code = "import sys; from lit_probe.cli import main; main(); print('torch' in sys.modules, file=sys.stderr)"

    def layers() -> tuple[dict[str, bytes], str]:
        done = subprocess.run([sys.executable, "-c", code, "layers", *flags], capture_output=True, text=True, check=True)
        files = {path.name: path.read_bytes() for path in sorted((tmp_path / "out").iterdir())}
        return files, done.stderr.splitlines()[-1]

    first, loaded_torch = layers()
    assert loaded_torch == "True"
    second, loaded_torch = layers()
    assert loaded_torch == "False"
    assert first == second


def layer_scores(folder: Path, dataset: str) -> list[dict]:
    return json.loads((folder / "layers.json").read_text())["datasets"][dataset]["layers"]


def test_what_is_extracted_gives_the_same_numbers_again(flags, tmp_path, capsys):
    table = [f"--datasets=csv={six_class_table(tmp_path / 'feelings.csv')}", "--text_column=review", "--label_column=feeling"]
    assert run("layers", *flags, *table, "--checks=none") == 0
    expected = layer_scores(tmp_path / "out", "feelings")
    assert run("extract", *flags, *table) == 0
    [file] = tmp_path.glob("out/*.safetensors")
    printed = capsys.readouterr().out
    assert "tiny-bert on feelings: 4 layers of [" in printed and f"Written: {file}, {file.with_suffix('.json')}" in printed
    again = tmp_path / "again"
    own = [f"--cache_dir={tmp_path / 'cache'}", f"--out={again}", "--checks=none"]
    assert run("layers", f"--activations={file}", *own) == 0
    assert layer_scores(again, "feelings") == expected
    printed = capsys.readouterr().out
    assert "no pooling" in printed and re.search(
        r"^lit-probe extract made these vectors: mean pooling, at most 64 tokens of a text \(kept: head\), written in "
        r"float32; the sha256 of the weights begins with [0-9a-f]{12}\.$",
        printed,
        re.MULTILINE,
    )
    assert re.search(r"^    2 .*  block 2( |$)", printed, re.MULTILINE)
    assert run("neurons", f"--activations={file}", *own[:2]) == 0
    assert run("extract", *flags, *table, "--float16") == 0
    assert run("layers", f"--activations={file}", *own) == 0
    half = layer_scores(again, "feelings")
    assert [row["accuracy"] for row in half] == pytest.approx([row["accuracy"] for row in expected], abs=0.1)


def test_a_dtype_is_told_everywhere_and_a_card_gives_it_again(flags, tmp_path, capsys):
    table = [f"--datasets=csv={six_class_table(tmp_path / 'feelings.csv')}", "--text_column=review", "--label_column=feeling"]
    assert run("layers", *flags, *table, "--checks=none", "--dtype=bfloat16") == 0
    assert re.search(r"^lit-probe: Memory: .* MB of weights in bfloat16 and .* \(in the cache\); ", capsys.readouterr().err, re.M)
    written = tmp_path / "out" / "layers.json"
    assert json.loads(written.read_text())["model"]["dtype"] == "bfloat16"
    expected = layer_scores(tmp_path / "out", "feelings")
    page = tmp_path / "report.html"
    assert run("report", f"--results={written}", f"--out={page}") == 0
    assert "--dtype=bfloat16" in page.read_text() and "passes were computed in " in page.read_text()
    own = [f"--cache_dir={tmp_path / 'other'}", f"--out={tmp_path / 'again'}"]
    assert run("layers", f"--from={written}", *own) == 0
    assert layer_scores(tmp_path / "again", "feelings") == expected
    assert run("layers", f"--from={written}", *own, "--dtype=float32") == 1
    assert "dtype is float32, bfloat16 on the card" in capsys.readouterr().err
    assert run("extract", *flags, *table, "--dtype=float16") == 0
    [file] = tmp_path.glob("out/*.safetensors")
    assert run("layers", f"--activations={file}", *own, "--checks=none") == 0
    assert "computed in float16, written in float32; " in capsys.readouterr().out
    assert run("layers", f"--activations={file}", *own, "--dtype=float16") == 1
    assert "in place of an encoder and its texts: leave out --dtype." in capsys.readouterr().err


def test_what_is_extracted_within_a_template_says_so(flags, tmp_path, capsys):
    table = [f"--datasets=csv={six_class_table(tmp_path / 'feelings.csv')}", "--text_column=review", "--label_column=feeling"]
    assert run("extract", *flags, *table, r"--template=It was: {text}\nthere") == 0
    [file] = tmp_path.glob("out/*.safetensors")
    assert json.loads(file.with_suffix(".json").read_text())["template"] == "It was: {text}\nthere"
    assert run("layers", f"--activations={file}", "--cache_dir=", f"--out={tmp_path / 'again'}", "--checks=none") == 0
    assert r"(kept: head), every text within the template It was: {text}\nthere, written in" in capsys.readouterr().out


def test_what_is_extracted_from_rounded_activations_says_so(flags, tmp_path, capsys):
    table = [f"--datasets=csv={six_class_table(tmp_path / 'feelings.csv')}", "--text_column=review", "--label_column=feeling"]
    assert run("extract", *flags, *table, "--cache_dtype=bfloat16") == 0
    [file] = tmp_path.glob("out/*.safetensors")
    assert json.loads(file.with_suffix(".json").read_text())["cache_dtype"] == "bfloat16"
    assert run("layers", f"--activations={file}", "--cache_dir=", f"--out={tmp_path / 'again'}", "--checks=none") == 0
    assert "(kept: head), rounded to bfloat16, written in float32" in capsys.readouterr().out


def test_extracted_vectors_of_pairs_are_of_pairs(flags, tmp_path):
    """By their manifest, and by a table beside an array: the same baselines of the texts, and columns of the same names."""
    table = [f"--datasets=csv={write_nli_table(tmp_path / 'nli.csv')}", "--text_column=premise,hypothesis"]

    def of_texts(folder: Path) -> dict[str, float | None]:
        result = json.loads((folder / "layers.json").read_text())["datasets"]["nli"]
        assert result["data"]["pair"] == ["premise", "hypothesis"]
        found = {one["name"]: one.get("score") for one in result["checks"]["baselines"]["baselines"]}
        return {name: found[name] for name in ("bag_of_words", "second_text", "length")}

    assert run("layers", *flags, *table, "--checks=baselines") == 0
    expected = of_texts(tmp_path / "out")
    assert run("extract", *flags, *table) == 0
    [file] = tmp_path.glob("out/*.safetensors")
    manifest = json.loads(file.with_suffix(".json").read_text())
    assert manifest["pair"] == ["premise", "hypothesis"] and manifest["rows"]["text"][0][1].startswith("we never loved")
    again = [f"--cache_dir={tmp_path / 'cache'}", f"--out={tmp_path / 'again'}", "--checks=baselines"]
    assert run("layers", f"--activations={file}", *again) == 0
    assert of_texts(tmp_path / "again") == expected
    bare = tmp_path / "bare.npy"
    np.save(bare, np.random.default_rng(0).normal(size=(120, 8)))
    assert run("layers", f"--activations={bare}", *table, *again) == 0
    assert of_texts(tmp_path / "again").keys() == expected.keys()


def test_other_sites_than_layers_are_extracted_to_files_of_their_own_and_probed(flags, tmp_path, capsys):
    table = [f"--datasets=csv={six_class_table(tmp_path / 'feelings.csv')}", "--text_column=review", "--label_column=feeling"]
    wanted = "layers,attention,heads,module:encoder.layer.*.output.dense:input"
    assert run("extract", *flags, *table, f"--sites={wanted}") == 0
    assert "tiny-bert on feelings: 12 sites of [" in capsys.readouterr().out
    names = sorted(file.name for file in tmp_path.glob("out/*.safetensors"))
    assert names == [
        "tiny-bert-on-feelings-attention.safetensors",
        "tiny-bert-on-feelings-heads.safetensors",
        "tiny-bert-on-feelings-module-encoder.layer.-.output.dense-input.safetensors",
        "tiny-bert-on-feelings.safetensors",
    ]
    files = [str(tmp_path / "out" / name) for name in (names[3], names[0])]
    own = [f"--out={tmp_path / 'again'}", "--cache_dir=", "--checks=none"]
    assert run("layers", f"--activations={','.join(files)}", *own) == 0
    [_, attention] = sorted((tmp_path / "again").glob("*/layers.json"))
    found = json.loads(attention.read_text())
    assert found["model"]["id"].endswith("attention")
    assert len(found["datasets"]["feelings"]["layers"]) == 3
    assert run("extract", *flags, *table, "--sites=neurons") == 1
    assert "Unknown family of sites 'neurons'" in capsys.readouterr().err


def test_the_table_of_layers_names_places_where_there_are_some(flags, tmp_path):
    table = [f"--datasets=csv={six_class_table(tmp_path / 'feelings.csv')}", "--text_column=review", "--label_column=feeling"]
    assert run("layers", *flags, *table, "--sites=attention,heads", "--checks=none") == 0
    with (tmp_path / "out" / "layers.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["layer"], row["name"], row["family"], row["depth"]) for row in rows[:4]] == [
        ("0", "attention 1", "attention", "1"),
        ("1", "attention 2", "attention", "2"),
        ("2", "attention 3", "attention", "3"),
        ("3", "head 1.0", "heads", "1"),
    ]
    assert run("layers", *flags, *table, "--checks=none") == 0
    with (tmp_path / "out" / "layers.csv").open(encoding="utf-8") as file:
        assert not {"name", "family", "depth"} & set(csv.DictReader(file).fieldnames or ())


def test_the_sites_of_an_encoder_are_listed(flags, capsys):
    assert run("sites", flags[0]) == 0
    printed = capsys.readouterr().out
    assert "  layer: ModuleList\n    0..2: 3 × BertLayer [n_texts, n_tokens, 32]\n" in printed
    assert (
        "--sites=heads: each head's part before the attention's output projection: head 1.0 to head 3.3, 8 units each" in printed
    )
    assert run("sites", flags[0], "--probe=mlp") == 2


def test_other_programs_activations_take_their_rows_from_a_table(tmp_path, capsys):
    rng, labels = np.random.default_rng(0), np.arange(120) % 2
    table, file = tmp_path / "rows.csv", tmp_path / "brain.npy"
    table.write_text("label\n" + "".join(f"{'ab'[label]}\n" for label in labels))
    np.save(file, rng.normal(size=(120, 2, 5)) + labels[:, None, None] * np.array([0, 3])[:, None])
    own = [f"--activations={file}", f"--out={tmp_path}", "--cache_dir=", "--checks=all"]
    assert run("layers", *own, f"--datasets=csv={table}") == 0
    assert "have no texts" in capsys.readouterr().out
    low, high = layer_scores(tmp_path, "rows")
    assert low["accuracy"] < 0.85 < high["accuracy"]
    for arguments, message in (
        (own, "does not say what its rows are"),
        ([*own, f"--datasets=csv={table}", "--model=x"], "leave out --model"),
        ([*own, f"--datasets=csv={table}", "--label_column=mood"], "has no column 'mood'"),
        (["--activations=nowhere.npy"], "There is no file"),
        ([*own, f"--datasets=csv={table}", "--pooling=cls"], "leave out --pooling"),
        ([*own, f"--datasets=csv={table}", "--missing=b"], "leave out --missing"),
        ([*own, f"--datasets=csv={table}", "--template={text}"], "leave out --template"),
        ([*own, f"--datasets=csv={table}", "--chat"], "leave out --chat"),
        ([*own, f"--datasets=csv={table}", "--text_column=words"], "has no column 'words'"),
    ):
        assert run("layers", *arguments) == 1
        assert message in capsys.readouterr().err
    assert run("extract", f"--activations={file}") == 2
    where = ["train", "train", "train", "train", "dev", "dev", "test", "test"] * 15
    table.write_text("label,split\n" + "".join(f"{'ab'[label]},{part}\n" for label, part in zip(labels, where, strict=True)))
    capsys.readouterr()
    assert run("layers", *own[:3], "--checks=none", f"--datasets=csv={table}") == 0
    assert json.loads((tmp_path / "layers.json").read_text())["datasets"]["rows"]["n"] == {"train": 60, "dev": 30, "test": 30}


def test_two_encoders_get_a_folder_each(flags, tiny_folder, tmp_path):
    table = six_class_table(tmp_path / "feelings.csv")
    models = f"--model={tiny_folder()},{tiny_folder('distilbert')}"
    columns = ["--text_column=review", "--label_column=feeling", "--checks=calibration"]
    assert run("layers", *flags, models, f"--datasets=csv={table}", *columns) == 0
    assert (tmp_path / "out/tiny-bert/layers.json").is_file()
    assert (tmp_path / "out/tiny-distilbert/layers.csv").is_file()


def test_runs_of_one_encoder_get_a_folder_each_and_files_that_give_the_same_again(flags, tiny_folder, tmp_path, capsys):
    folder = tiny_folder()
    data = [*flags, "--datasets=demo", "--checks=none", "--max_examples=120"]
    runs = {"tiny-bert": "", "tiny-bert (cls mlp)": "[pooling=cls,probe=mlp]", "tiny-bert (random weights)": "[weights=random]"}
    assert run("layers", *data, f"--model={','.join(f'{folder}{brackets}' for brackets in runs.values())}") == 0
    assert "tiny-bert (cls mlp) on demo: mlp probe, cls pooling" in capsys.readouterr().out
    written = {name: json.loads((tmp_path / "out" / name / "layers.json").read_text()) for name in runs}
    assert [one["probe"] for one in written.values()] == ["logistic", "mlp", "logistic"]
    assert [one["pooling"] for one in written.values()] == ["mean", "cls", "mean"]
    assert [one["model"].get("random_weights") for one in written.values()] == [None, None, 0]
    for name, first in written.items():
        (tmp_path / "card.json").write_text(json.dumps(first))
        again = [f"--cache_dir={tmp_path / 'cache'}", f"--from={tmp_path / 'card.json'}", f"--out={tmp_path / 'again'}"]
        assert run("layers", *again, "--checks=none") == 0
        second = json.loads((tmp_path / "again/layers.json").read_text())
        assert second["datasets"]["demo"]["layers"] == first["datasets"]["demo"]["layers"], name
        assert second["model"] == first["model"]
    # The card of random weights is not that of the checkpoint.
    assert run("layers", *again, f"--model={folder}", "--checks=none") == 1
    assert "the weights are the checkpoint's, drawn by seed 0 on the card" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["fly"], 2, "unknown command 'fly'. Choose one of: cache, doctor, extract, layers, neurons, predict, report, selftest"),
        (["report", "--compare=missing.json"], 1, "'missing.json' cannot be read: No such file or directory."),
        (["report", "--out=nowhere/report.html"], 1, "The folder 'nowhere' does not exist. Make it, or change --out."),
        (["report", "--out=/dev/null/here"], 1, "Change --out"),
        (["report", "--model={tiny},{tiny}[pooling=cls]", "--out=one.html"], 1, "2 encoders have a report each. Name a folder"),
        (["layers", "--results=a.json"], 2, "layers does not use --results. It is a flag of report."),
        (["report", "--layer=1"], 2, "report does not use --layer. It is a flag of neurons, predict."),
        (["layers", "--poling=mean"], 2, "Unknown command line flag 'poling'"),
        (["layers", "--pooling=avg"], 2, f"should be one of <{'|'.join(dict.fromkeys([*POOLINGS, *JOININGS]))}>"),
        (["layers", "--max_examples=-1"], 2, "max_examples"),
        (["layers", "--seed=-1"], 2, "seed"),
        (["layers", "--seed=99999999999"], 2, "seed"),
        (["layers", "--device=meta"], 1, "Unknown device 'meta'"),
        (["layers", "--model=/proc/1/root/secret/model"], 1, "model"),
        (["layers", "--control=k_means"], 1, f"Unknown control 'k_means'. Choose one of: {', '.join(sorted(CONTROLS))}."),
        (["layers", "--control=memorisation"], 1, "Unknown control 'memorisation'"),
        (["layers", "--checks=transfr"], 1, "Unknown check 'transfr'"),
        (["layers", "--repeat=1"], 2, "one other split tells no spread, and more than 1,000 tell no more: give 0, or 2 to 1,000"),
        (["layers", "--repeat=1001"], 2, "give 0, or 2 to 1,000"),
        (["layers", "--repeat=-1"], 2, "repeat"),
        (["neurons", "--repeat=5"], 2, "neurons does not use --repeat. It is a flag of layers, report."),
        (["layers", "--datasets=nonsense"], 1, "Unknown data set 'nonsense'. Choose one of:"),
        (["layers", "--model=no/such-model"], 1, "lit-probe[demo]"),
        (["layers", "--datasets=csv=missing.csv"], 1, "missing.csv"),
        (["layers", "--datasets="], 1, "data set"),
        (["layers", "--model="], 1, "--model"),
        (["layers", "--model={tiny},{tiny}"], 1, "is named twice with mean pooling, the usual probes"),
        (["layers", "--model={tiny}[colour=red]"], 1, "names 'colour', which is none of them"),
        (["selftest", "--model={tiny}[probe=mlp]"], 1, "has 'probe' in its brackets, but this command fits no probes"),
        (["layers", "--out=/dev/null/here"], 1, "Change --out"),
        (["layers", "--max_length=100000"], 1, "reads at most 64 tokens"),
        (["layers", "--template=Review:"], 1, "The template 'Review:' has no {text} in it. Write it once"),
        (["layers", "--template="], 1, "has no {text} in it"),
        (
            ["layers", "--chat"],
            1,
            "has no chat template, as models have that were trained to answer. Leave out --chat, or give a",
        ),
        (["layers", "--template={{text}} it is", "--max_length=4"], 1, "The template takes 5 tokens, special ones included, and"),
        (["layers", "--datasets=csv={table}", "--text_column=body"], 1, "has no column 'body'"),
        (["layers", "--datasets=csv={table}", "--text_column=body"], 1, "Say which one with --text_column"),
        (["layers", "--layer=99"], 2, "layers does not use --layer. It is a flag of neurons, predict."),
        (["layers", "--noshow_train"], 2, "noshow_train"),
        (["neurons", "--checks=all"], 2, "neurons does not use --checks. It is a flag of layers, report."),
        (["selftest", "--datasets=demo"], 2, "selftest does not use --datasets. It is a flag of serve, layers, report, neurons"),
        (["selftest", "--port=1"], 2, "selftest does not use --port. It is a flag of serve, doctor."),
        (["serve", "--head_layers=two"], 1, "--head_layers takes layer numbers"),
        (["serve", "--head_layers=9"], 1, "9"),
        (["serve", "--token_fields", "--memory_budget=0"], 1, "The memory budget is 0 GB. Give a positive number."),
        (
            ["serve", "--token_fields", "--memory_budget=1e-9"],
            1,
            "in float32, and the memory budget is 1e-09 GB. Give a smaller",
        ),
        (["serve", "--token_fields", "--memory_budget=3e-4"], 1, "of which weights and activations take 0.1"),
        (["layers", "--memory_budget=0"], 1, "The memory budget is 0 GB. Give a positive number."),
        (["layers", "--memory_budget=-2"], 1, "The memory budget is -2 GB. Give a positive number."),
        (["extract", "--memory_budget=nan"], 1, "The memory budget is nan GB. Give a positive number."),
        (["layers", "--memory_budget=8e-5"], 1, "Would fit: --dtype=bfloat16 (0.0"),
        (["layers", "--dtype=int8"], 2, "flag --dtype=int8: value should be one of <auto|float32|bfloat16|float16>"),
        (
            ["predict", "{table}", "--probe=a", "--dtype=float16"],
            2,
            "predict does not use --dtype. It is a flag of serve",
        ),
        (["layers", "--token_fields"], 2, "layers does not use --token_fields. It is a flag of serve."),
        (
            ["layers", "--probe=svm"],
            2,
            "flag --probe=svm: value should be one of <logistic|l1|elastic_net|mean_difference|lda|mlp|majority|ridge|attention>",
        ),
        (
            ["layers", "--hidden_units=8"],
            1,
            "The probe 'logistic' does not take --hidden_units; it takes regularisation, class_weight. Leave it out.",
        ),
        (["layers", "--probe=lda", "--regularisation=1"], 1, "'lda' does not take --regularisation; it takes none."),
        (["serve", "--model={tiny},{tiny}[probe=lda,class_weight=balanced]"], 1, "'lda' does not take --class_weight;"),
        (["layers", "--regularisation=strong"], 1, "--regularisation is a number above 0, or cv; got 'strong'."),
        (["layers", "--regularisation=-1"], 1, "--regularisation is a number above 0; got -1.0."),
        (["layers", "--probe=mlp", "--hidden_units=64-0"], 1, "--hidden_units is 1 to 8 sizes of 1 to 65,536, such as"),
        (["layers", "--probe=mlp", "--max_epochs=many"], 1, "--max_epochs is a whole number, 1 or more; got 'many'."),
        (["layers", "--class_weight=even"], 2, "flag --class_weight=even: value should be one of <balanced|none>"),
        (
            ["selftest", "--batch_size=8"],
            2,
            "selftest does not use --batch_size. It is a flag of serve",
        ),
        (["layers", "texts.csv"], 2, "unknown command 'layers texts.csv'"),
        (["layers", "--save_probes=/dev/null/here"], 1, "Change --save_probes."),
        (["layers", "--model={tiny},{tiny}[pooling=cls]", "--save_probes=a.safetensors"], 1, "2 files of probes need a folder."),
        (["serve", "--save_probes=here"], 2, "serve does not use --save_probes. It is a flag of layers."),
        (["predict"], 2, "predict takes one file of texts, and 0 were named."),
        (["predict", "a.csv", "b.csv"], 2, "predict takes one file of texts, and 2 were named."),
        (["predict", "{table}"], 1, "Name the file with the probes: --probe=probes.safetensors."),
        (["predict", "{table}", "--probe=missing.safetensors"], 1, "'missing.safetensors' cannot be read: No such file"),
        (["predict", "{table}", "--probe={table}"], 1, "is no safetensors file, or not all of it."),
        (["predict", "{table}", "--probe=a", "--template={{text}}"], 2, "predict does not use --template. It is a flag of serve"),
        (["predict", "{table}", "--probe=a", "--max_length=9"], 2, "predict does not use --max_length. It is a flag of serve"),
        (["predict", "{table}", "--probe=a", "--pooling=cls"], 2, "predict does not use --pooling."),
    ],
)
def test_a_wrong_call_gets_one_clear_line(flags, tiny_folder, tmp_path, capsys, arguments, code, message):
    names = {"tiny": tiny_folder(), "table": six_class_table(tmp_path / "feelings.csv")}
    given = [argument.split("=")[0] for argument in arguments] + (["--out"] if arguments[0] == "serve" else [])
    defaults = [flag for flag in flags if flag.split("=")[0] not in given]
    assert run(*[argument.format(**names) for argument in arguments], *defaults) == code
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said


def test_a_report_is_the_same_from_the_study_and_from_its_file(flags, tiny_folder, tmp_path, capsys):
    table = six_class_table(tmp_path / "feelings.csv")
    data = [f"--datasets=csv={table}", "--text_column=review", "--label_column=feeling", "--checks=calibration,selectivity"]
    assert run("layers", *flags, *data) == 0
    results, page = tmp_path / "out/layers.json", tmp_path / "page.html"
    assert run("report", f"--results={results}", f"--out={page}") == 0
    assert f"Written: {page}" in capsys.readouterr().out
    assert run("report", *flags, *data) == 0
    assert (tmp_path / "out/report.html").read_bytes() == page.read_bytes()
    # Beside another run, and never beside itself.
    other = [flag for flag in flags if not flag.startswith("--out")] + ["--pooling=cls", f"--out={tmp_path / 'cls'}"]
    assert run("layers", *other, *data) == 0
    compared = [f"--compare={tmp_path / 'cls/layers.json'}", f"--out={page}"]
    assert run("report", f"--results={results}", *compared) == 0
    assert "Two runs side by side" in page.read_text("utf-8") and "A less B" in page.read_text("utf-8")
    assert run("report", f"--results={results}", f"--compare={results}", f"--out={page}") == 1
    assert "is the same run. Name the layers.json of another one with --compare." in capsys.readouterr().err
    # With a file there is no study, so its flags would change nothing.
    assert run("report", f"--results={results}", "--pooling=cls", f"--out={page}") == 1
    assert "--pooling would change nothing" in capsys.readouterr().err
    page.unlink()
    page.mkdir()
    assert run("report", f"--results={results}", f"--out={page}") == 1
    assert "cannot be written. Change --out." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("results", "said"), [("missing.json", "cannot be read: No such file or directory."), ("table.csv", "is no layers.json")]
)
def test_a_report_of_what_is_no_run_gets_one_clear_line(tmp_path, capsys, results, said):
    six_class_table(tmp_path / "table.csv")
    assert run("report", f"--results={tmp_path / results}", f"--out={tmp_path / 'report.html'}") == 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / "report.html").exists()


def test_the_reports_of_several_runs_stand_in_a_folder_each(flags, tiny_folder, tmp_path):
    models = f"--model={tiny_folder()},{tiny_folder('distilbert')}"
    assert run("report", *flags, models, "--datasets=demo", "--max_examples=60", "--checks=none") == 0
    for name in ("tiny-bert", "tiny-distilbert"):
        assert f"Layer probes of <bdi>{name}</bdi>" in (tmp_path / "out" / name / "report.html").read_text("utf-8")


def test_one_class_only_is_refused(flags, tmp_path, capsys):
    table = six_class_table(tmp_path / "feelings.csv", classes=1)
    assert run("layers", *flags, f"--datasets=csv={table}", "--text_column=review", "--label_column=feeling") == 1
    assert "joy" in capsys.readouterr().err


def test_help_lists_every_flag(capsys):
    assert run("--help") == 0
    printed = capsys.readouterr().out
    assert "lit-probe serve|layers" in printed
    for name in set(cli.FLAGS) - {"h"}:
        assert f"--{name} " in printed


def test_an_unwritable_cache_is_done_without(flags, tmp_path, capsys):
    table = six_class_table(tmp_path / "feelings.csv")
    flags = [*flags, f"--datasets=csv={table}", "--text_column=review", "--label_column=feeling", "--cache_dir=/dev/null/cache"]
    assert run("layers", *flags, "--checks=none") == 0
    assert "nothing was cached" in capsys.readouterr().out


def test_an_output_folder_that_cannot_be_written_is_said_before_any_work(flags, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(cli, "study", lambda *_: pytest.fail("work was done first"))
    (tmp_path / "out").write_text("a file in the way")
    assert run("layers", *flags) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_what_a_reader_should_know_stands_under_the_table(flags, tmp_path, capsys):
    table = six_class_table(tmp_path / "feelings.csv")
    with table.open("a") as file:
        file.write("a row without a label,\n")
    options = [f"--datasets=csv={table}", "--text_column=review", "--label_column=feeling", "--max_length=5"]
    assert run("layers", *flags, *options, "--checks=none") == 0
    printed = capsys.readouterr().out
    assert "texts were truncated to 5 tokens (kept: head)." in printed
    assert "Left out of the data: 1 " in printed


def test_an_unexpected_error_is_one_line_unless_the_traceback_is_asked_for(flags, capsys, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError("a bug of ours")

    monkeypatch.setattr(cli, "study", fail)
    assert run("layers", *flags) == 70
    said = capsys.readouterr().err
    assert "unexpected ZeroDivisionError: a bug of ours" in said
    assert "--traceback" in said
    with pytest.raises(ZeroDivisionError):
        run("layers", *flags, "--traceback")


def test_a_terminal_that_knows_no_dash_still_shows_the_table(flags, tmp_path):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "lit_probe.cli", "layers", *flags, "--datasets=demo"]
    done = subprocess.run(command, capture_output=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert b"chosen on dev" in done.stdout


@pytest.mark.parametrize("order", ["feelings moods demo", "demo feelings moods", "feelings demo moods"])
def test_transfer_is_measured_among_data_sets_with_the_same_classes_whatever_stands_beside_them(flags, tmp_path, capsys, order):
    own = "[text=review,label=feeling]"
    tables = {name: f"csv={six_class_table(tmp_path / f'{name}.csv')}{own}" for name in ("feelings", "moods")}
    named = ",".join({**tables, "demo": "demo"}[name] for name in order.split())
    assert run("layers", *flags, f"--datasets={named}", "--max_examples=60", "--checks=transfer") == 0
    printed = capsys.readouterr().out
    assert "feelings -> moods" in printed
    assert "demo stands alone: there is no transfer between demo and feelings" in printed
    written = json.loads((tmp_path / "out/layers.json").read_text())["transfer"]
    assert [group["train"] for group in written["groups"]] == [["feelings", "moods"]]
    assert len(written["notes"]) == 1


def test_a_folder_like_the_hubs_is_probed_and_its_card_does_the_same_again(flags, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "prepared"))
    table = datasets.Dataset.from_csv(str(six_class_table(tmp_path / "t.csv")), cache_dir=str(tmp_path / "prepared"))
    (tmp_path / "feelings").mkdir()
    table.to_parquet(tmp_path / "feelings/train.parquet")
    flags = [*flags, "--checks=none"]
    columns = "text=review,label=feeling"
    assert run("layers", *flags, f"--datasets=hub={tmp_path / 'feelings'}[{columns}]") == 0
    first = json.loads((tmp_path / "out/layers.json").read_text())["datasets"]["feelings"]
    assert first["label_names"] == sorted(SIX.values()) and first["data"]["origin"]["config"] == "default"
    assert run("layers", f"--from={tmp_path / 'out/layers.json'}", f"--out={tmp_path / 'again'}") == 0
    assert json.loads((tmp_path / "again/layers.json").read_text())["datasets"]["feelings"] == first
    assert run("layers", *flags, f"--datasets=hub={tmp_path / 'feelings'}", "--data_config=no", "--text_column=review") == 1
    assert "has no config 'no', but default. Name one with --data_config." in capsys.readouterr().err


def test_a_transfer_that_fails_leaves_the_rest_of_the_results(flags, tmp_path, capsys, monkeypatch):
    def refuse(studies):
        raise ProbeError("These cannot be compared.")

    monkeypatch.setattr("lit_probe.checks.transfer.transfer", refuse)
    tables = ",".join(f"csv={six_class_table(tmp_path / name)}" for name in ("feelings.csv", "moods.csv"))
    columns = ["--text_column=review", "--label_column=feeling"]
    assert run("layers", *flags, f"--datasets={tables}", *columns, "--checks=calibration,transfer") == 0
    assert "Transfer between feelings, moods: These cannot be compared." in capsys.readouterr().out
    written = json.loads((tmp_path / "out/layers.json").read_text())
    assert written["transfer"]["groups"] == [{"datasets": ["feelings", "moods"], "error": "These cannot be compared."}]
    assert written["datasets"]["moods"]["layers"][1]["brier"] is not None


def test_transfer_is_left_out_where_it_is_not_among_the_checks(flags, tmp_path, capsys):
    tables = ",".join(f"csv={six_class_table(tmp_path / name)}" for name in ("feelings.csv", "moods.csv"))
    columns = ["--text_column=review", "--label_column=feeling"]
    assert run("layers", *flags, f"--datasets={tables}", *columns, "--checks=calibration") == 0
    assert "transfer" not in json.loads((tmp_path / "out/layers.json").read_text())
    assert "->" not in capsys.readouterr().out


def test_another_control_is_measured_and_written(flags, tmp_path):
    table = six_class_table(tmp_path / "feelings.csv", classes=2)
    columns = ["--text_column=review", "--label_column=feeling", "--checks=selectivity", "--control=group:nobody"]
    assert run("layers", *flags, f"--datasets=csv={table}", *columns) == 0
    written = json.loads((tmp_path / "out/layers.json").read_text())
    assert written["control"] == "group:nobody"
    assert "has no column 'nobody' in its train rows" in written["datasets"]["feelings"]["checks"]["selectivity"]["error"]


def test_the_selftest_is_printed_written_and_kept(flags, tmp_path, capsys, monkeypatch):
    from lit_probe.salience.selftest import selftest

    # The whole test takes most of a minute; these are real parts of it.
    part = functools.partial(selftest.selftest, cases=("one_word_probe",), methods=("gradient_l2", "occlusion"), n_texts=5)
    monkeypatch.setattr(selftest, "selftest", part)
    assert run("selftest", *flags) == 0
    printed = capsys.readouterr().out
    [result] = json.loads((tmp_path / "out" / "selftest.json").read_text()).values()
    assert [method["method"] for method in result["cases"][0]["methods"]] == ["gradient_l2", "occlusion"]
    assert selftest.selftest_table(selftest.Selftest.from_json(result)) in printed
    monkeypatch.setattr(selftest, "selftest", lambda *_, **__: pytest.fail("it was not kept"))
    assert run("selftest", *flags) == 0
    assert capsys.readouterr().out == printed


@pytest.mark.parametrize("layer", ["dev-chosen", "2", "all"])
def test_neurons_are_printed_and_written_as_json_csv_and_svg(flags, tmp_path, capsys, layer):
    table = six_class_table(tmp_path / "feelings.csv", classes=2)
    columns = ["--text_column=review", "--label_column=feeling"]
    assert run("neurons", *flags, f"--datasets=csv={table}", *columns, f"--layer={layer}", "--top=3") == 0
    printed = capsys.readouterr().out
    out = tmp_path / "out"
    result = json.loads((out / "neurons.json").read_text())
    neurons = result["ranking"]["neurons"]
    assert len({(neuron["layer"], neuron["unit"]) for neuron in neurons}) == len(neurons) == 32 * (4 if layer == "all" else 1)
    assert neurons[0]["name"] in printed and f"best 3 of {len(neurons)}" in printed
    assert (result["ablation"] is None) == (layer == "all")
    with (out / "neurons.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["score"]) for row in rows] == [neuron["score"] for neuron in neurons]
    assert {"score:joy", "score:sadness"} <= set(rows[0])
    svg = ElementTree.parse(out / "neurons.svg").getroot()
    assert any("neurons kept" in (text or "") for text in svg.itertext())


@pytest.mark.parametrize(
    ("layer", "message"),
    [("9", "Unknown layer 9"), ("best", "takes a layer's number, dev-chosen or all; 'best' is none.")],
)
def test_a_layer_that_does_not_exist_is_said(flags, tmp_path, capsys, layer, message):
    table = six_class_table(tmp_path / "feelings.csv", classes=2)
    columns = ["--text_column=review", "--label_column=feeling"]
    assert run("neurons", *flags, f"--datasets=csv={table}", *columns, f"--layer={layer}") == 1
    assert message in capsys.readouterr().err


def test_a_check_without_a_number_per_layer_prints_no_table_of_gaps(flags, tmp_path, capsys):
    table = six_class_table(tmp_path / "feelings.csv")
    columns = [f"--datasets=csv={table}", "--text_column=review", "--label_column=feeling"]
    assert run("layers", *flags, *columns, "--checks=layer_comparison") == 0
    printed = capsys.readouterr().out
    assert "n/a" not in printed and "Comparison of layers: " in printed
    assert run("layers", *flags, *columns, "--checks=calibration") == 0
    printed = capsys.readouterr().out
    assert "n/a" not in printed and "selectivity" not in printed and "ece" in printed.lower()


@pytest.mark.parametrize(
    ("asked", "checks", "n"),
    [
        (["--checks=calibration", "--repeat=3"], ["calibration", "repeats"], 3),
        (["--checks=none", "--repeat=2"], ["repeats"], 2),
        (["--checks=repeats"], ["repeats"], 10),
        (["--checks=repeats,calibration", "--repeat=2"], ["calibration", "repeats"], 2),
    ],
)
def test_other_splits_are_in_the_files_the_table_and_the_figure(flags, tmp_path, capsys, asked, checks, n):
    table = six_class_table(tmp_path / "feelings.csv", classes=2)
    data = [f"--datasets=csv={table}", "--text_column=review", "--label_column=feeling"]
    assert run("layers", *flags, *data, *asked) == 0
    printed, out = capsys.readouterr().out, tmp_path / "out"
    written = json.loads((out / "layers.json").read_text())
    [one] = written["datasets"].values()
    assert list(one["checks"]) == checks and written["repeat"] == one["checks"]["repeats"]["n"] == n
    for row, layer in zip(one["layers"], one["checks"]["repeats"]["layers"], strict=True):
        band = [row[f"repeat_{name}"] for name in ("low", "mean", "high", "sd")]
        assert band == [layer["lowest"], layer["mean"], layer["highest"], layer["sd"]]
    assert all(f"repeat_{name}" in printed for name in ("mean", "low", "high", "sd"))
    assert f"Other splits: {one['checks']['repeats']['sentence']}" in printed
    with (out / "layers.csv").open() as file:
        assert [float(row["repeat_sd"]) for row in csv.DictReader(file)] == [row["repeat_sd"] for row in one["layers"]]
    drawn = " ".join(ElementTree.parse(out / "layers.svg").getroot().itertext())
    assert f"{n} other splits, range" in drawn


def test_other_splits_are_not_among_all_checks(flags, tmp_path):
    table = six_class_table(tmp_path / "feelings.csv", classes=2)
    data = [f"--datasets=csv={table}", "--text_column=review", "--label_column=feeling"]
    assert run("layers", *flags, *data, "--checks=all") == 0
    written = json.loads((tmp_path / "out/layers.json").read_text())
    [one] = written["datasets"].values()
    assert "repeats" not in one["checks"] and written["repeat"] == 0
    assert all(row["repeat_mean"] is None for row in one["layers"])


def test_a_score_of_a_class_with_one_row_is_marked_and_the_reason_stands_below(flags, tmp_path, capsys):
    rows = [("the sun today", "joy"), ("the rain today", "sadness")]
    with (tmp_path / "rare.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("text", "label", "split"))
        writer.writerows((f"{text} {i}", label, "train") for i in range(20) for text, label in rows)
        for split in ("dev", "test"):
            writer.writerows((f"{rows[0][0]} {split} {i}", "joy", split) for i in range(40))
            writer.writerow((f"{rows[1][0]} {split}", "sadness", split))
    assert run("layers", *flags, f"--datasets=csv={tmp_path / 'rare.csv'}", "--checks=none") == 0
    printed = capsys.readouterr().out
    [layer_0] = [line for line in printed.splitlines() if line.strip().startswith("0 ")]
    assert "*" in layer_0
    # Accuracy weighs rows, and there are 41 of them; the area under the ROC curve has one row on one side.
    assert "* Not to be relied on: dev has" in printed and "test has" not in printed
    assert run("layers", *flags, f"--datasets=csv={tmp_path / 'rare.csv'}", "--checks=none", "--headline=balanced_accuracy") == 0
    printed = capsys.readouterr().out
    assert "* Not to be relied on: test has only 1 row of 'sadness'" in printed
    [test] = [line for line in printed.splitlines() if line.startswith("Test at layer")]
    assert "*" in test


def test_a_port_in_use_is_told_before_anything_is_loaded(flags, capsys, monkeypatch):
    import socket

    monkeypatch.setattr(cli, "build_app", None)  # to call it would fail
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run("serve", *[flag for flag in flags if not flag.startswith("--out")], f"--port={port}") == 1
    assert f"{port}" in capsys.readouterr().err


def test_neurons_that_cannot_be_switched_off_are_written_with_the_reason(flags, tmp_path, capsys, monkeypatch):
    from lit_probe.errors import EncoderError
    from lit_probe.neurons import neuron_report

    def closed(*args, **kwargs):
        raise EncoderError("No module of this encoder returns the hidden states of layer 1.")

    monkeypatch.setattr(neuron_report, "ablation_curve", closed)
    table = six_class_table(tmp_path / "feelings.csv")
    columns = [f"--datasets=csv={table}", "--text_column=review", "--label_column=feeling"]
    assert run("neurons", *flags, *columns, "--layer=1") == 0
    written = json.loads((tmp_path / "out" / "neurons.json").read_text())
    assert written["ablation"] is None and "No module" in written["not_ablated"] and written["ranking"]["layers"] == [1]
    assert "The best neurons were not switched off: No module of this encoder" in capsys.readouterr().out
    assert {"neurons.csv", "neurons.svg"} <= {path.name for path in (tmp_path / "out").iterdir()}


def test_fits_of_the_curve_and_of_checks_have_what_the_memory_budget_leaves(flags, tmp_path, monkeypatch):
    table, budgets = six_class_table(tmp_path / "feelings.csv", classes=2), note_budgets(monkeypatch)
    own = [*flags, f"--datasets=csv={table}", "--text_column=review", "--label_column=feeling"]
    own += ["--checks=selectivity,description_length,baselines", "--repeat=2"]
    assert run("layers", *own, "--memory_budget=1") == 0
    weights = load_encoder(next(flag for flag in flags if flag.startswith("--model")).partition("=")[2]).n_weight_bytes
    # The activations lie in the cache.
    assert len(budgets) > 17 and set(budgets) == {MemoryBudget(1e9 - weights, True)}
    budgets.clear()
    assert run("layers", *own, "--seed=1") == 0
    assert len(budgets) > 17 and set(budgets) == {None}

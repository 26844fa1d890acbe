"""``layers --save_probes`` and ``predict``: probes go into a file, and a table of texts comes out with their predictions."""

from __future__ import annotations

import csv
import gzip
import io
import json

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet
from test_cli import run, six_class_table

from lit_probe.probing.probe_file import load_probe

WORDS = tuple("sun rain dog night queue mud the was and we saw it again today there with a friend".split())


@pytest.fixture(scope="module")
def made(tiny_folder, tmp_path_factory):
    """A folder with a file of probes, and the table that they were trained on."""
    folder = tmp_path_factory.mktemp("kept")
    table = six_class_table(folder / "feelings.csv", 3)
    model = [f"--model={tiny_folder(words=WORDS)}", f"--cache_dir={folder / 'cache'}", f"--out={folder / 'out'}", "--checks=none"]
    data = [f"--datasets=csv={table}", "--text_column=review", "--label_column=feeling"]
    assert run("layers", *model, *data, f"--save_probes={folder / 'probes.safetensors'}") == 0
    return folder


def predict(made, *arguments: str) -> int:
    return run("predict", f"--probe={made / 'probes.safetensors'}", f"--cache_dir={made / 'cache'}", *map(str, arguments))


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_table_holds_the_digits_of_the_study(made, capsys):
    out = made / "predictions.csv"
    assert predict(made, made / "feelings.csv", "--text_column=review", f"--out={out}") == 0
    said = capsys.readouterr()
    assert said.out == "" and f"Written: {out}" in said.err
    kept = load_probe(made / "probes.safetensors")
    rows = rows_of(out.read_text("utf-8"))
    expected = kept.predict([row["review"] for row in rows])
    assert list(rows[0]) == [
        *("review", "feeling", "predicted", "probability: joy", "probability: sadness", "probability: surprise"),
        *("truncated", "in_training"),
    ]
    found = np.array([[float(row[f"probability: {name}"]) for name in kept.label_names] for row in rows])
    assert np.array_equal(found, expected.probabilities)
    assert [row["predicted"] for row in rows] == expected.labels
    assert [row["in_training"] for row in rows] == [str(seen) for seen in expected.in_training.tolist()]
    assert f"The probes were trained on {expected.in_training.sum()} of these texts." in said.err


def test_without_out_the_table_is_printed_and_is_the_same(made, capsys):
    assert predict(made, made / "feelings.csv", "--text_column=review", f"--out={made / 'a.csv'}") == 0
    capsys.readouterr()
    assert predict(made, made / "feelings.csv", "--text_column=review") == 0
    assert capsys.readouterr().out.encode() == (made / "a.csv").read_bytes()


def test_a_named_label_column_is_scored_over_texts_that_were_not_in_training(made, capsys):
    assert predict(made, made / "feelings.csv", "--text_column=review", "--label_column=feeling", "--layer=0") == 0
    said = capsys.readouterr()
    rows = [row for row in rows_of(said.out) if row["in_training"] == "False"]
    right = np.mean([row["predicted"] == row["feeling"] for row in rows])
    assert f"accuracy {right:.3f}, 95 % interval " in said.err and f"n = {len(rows)}" in said.err
    assert "of these texts, which are left out of the score." in said.err and "read at layer 0 by" in said.err


def test_labels_that_the_probes_do_not_know_are_counted(made, tmp_path, capsys):
    table = tmp_path / "labels.csv"
    table.write_text("text,label\nthe sun,joy\nthe rain,rage\nthe dog,\nthe mud,rage\n")
    assert predict(made, table, "--label_column=label") == 0
    said = capsys.readouterr().err
    assert "2 rows have labels that the probes do not know ('rage'), and are not scored. Their classes are: 'joy', " in said
    assert "1 rows have no label, and are not scored." in said and "n = 1" in said
    table.write_text("text,label\nthe rain,rage\n")
    assert predict(made, table, "--label_column=label") == 0
    assert "No row can be scored." in capsys.readouterr().err


def test_labels_of_truth_are_those_of_the_probes_in_either_writing(tiny_folder, tmp_path, capsys):
    words = {"true": "sun", "false": "mud"}
    texts = [(f"the {word} was {i} again", label) for i in range(30) for label, word in words.items()]
    number = {"true": "1", "false": "0"}
    for own, other in ((dict.fromkeys(()), number), (number, {})):
        trained, asked = tmp_path / "train.csv", tmp_path / "asked.csv"
        trained.write_text("text,label\n" + "".join(f"{text},{own.get(label, label)}\n" for text, label in texts))
        asked.write_text("text,label\n" + "".join(f"{text} today,{other.get(label, label)}\n" for text, label in texts))
        kept = tmp_path / "kept.safetensors"
        flags = [
            "--cache_dir=",
            f"--datasets=csv={trained}",
            "--checks=none",
            f"--out={tmp_path / 'out'}",
            f"--save_probes={kept}",
        ]
        assert run("layers", f"--model={tiny_folder(words=WORDS)}", *flags) == 0
        assert run("predict", f"--probe={kept}", "--cache_dir=", str(asked), "--label_column=label") == 0
        said = capsys.readouterr().err
        assert "do not know" not in said and "n = 60" in said


def test_lists_and_objects_are_written_as_json(made, tmp_path, capsys):
    row = {"text": "the sun", "tags": ["a", 'b"'], "about": {"n": 1, "of": None}, "none": None}
    (tmp_path / "a.jsonl").write_text(json.dumps(row))
    assert predict(made, tmp_path / "a.jsonl") == 0
    [found] = rows_of(capsys.readouterr().out)
    assert [json.loads(found[name]) for name in ("tags", "about")] == [row["tags"], row["about"]] and found["none"] == ""


@pytest.mark.parametrize("way", ["same", "link", "probes"])
def test_the_files_that_are_read_are_not_written_over(made, tmp_path, capsys, way):
    table, probes = tmp_path / "a.csv", tmp_path / "own.safetensors"
    table.write_text("text\nthe sun\n")
    probes.write_bytes((made / "probes.safetensors").read_bytes())
    (tmp_path / "link.csv").symlink_to(table)
    out = {"same": table, "link": tmp_path / "link.csv", "probes": probes}[way]
    before = out.read_bytes()
    assert run("predict", f"--probe={probes}", "--cache_dir=", str(table), f"--out={out}") == 1
    assert out.read_bytes() == before and "is read here, and would be written over. Change --out." in capsys.readouterr().err


def forms(folder):
    texts = ["the sun again", "", "we saw =the «dog», today", "映画 🙂"]
    table = {"text": texts, "id": ["1", "2", "3", "4"]}
    written = io.StringIO()
    csv.writer(written).writerows([table, *zip(*table.values(), strict=True)])
    (folder / "a.csv").write_text(written.getvalue(), "utf-8")
    (folder / "a.csv.gz").write_bytes(gzip.compress((folder / "a.csv").read_bytes()))
    rows = list(zip(*table.values(), strict=True))
    (folder / "a.tsv").write_text("text\tid\n" + "".join(f"{text}\t{i}\n" for text, i in rows), "utf-8")
    (folder / "a.jsonl").write_text("".join(json.dumps({"text": text, "id": i}) + "\n" for text, i in rows))
    parquet.write_table(pyarrow.table(table), folder / "a.parquet")
    (folder / "a.txt").write_text("\n".join(texts) + "\n", "utf-8")
    (folder / "b.TXT.gz").write_bytes(gzip.compress("\r\n".join(texts).encode("utf-8-sig")))
    return texts


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.tsv", "a.jsonl", "a.parquet", "a.txt", "b.TXT.gz"])
def test_every_form_of_table_gives_the_same_predictions_and_rows_without_a_text_none(made, tmp_path, capsys, name):
    texts = forms(tmp_path)
    assert predict(made, tmp_path / name) == 0
    said = capsys.readouterr()
    rows = rows_of(said.out)
    assert [row["text"] for row in rows] == texts
    read = [text for text in texts if text]
    expected = load_probe(made / "probes.safetensors").predict(read)
    assert [row["predicted"] for row in rows if row["text"]] == expected.labels
    assert [float(row["probability: joy"]) for row in rows if row["text"]] == expected.probabilities[:, 0].tolist()
    [empty] = [row for row in rows if not row["text"]]
    assert {value for column, value in empty.items() if column not in ("text", "id")} == {""}
    assert "1 of 4 rows have no text and get no prediction." in said.err


def test_columns_of_the_same_names_are_kept(made, tmp_path, capsys):
    (tmp_path / "a.csv").write_text("text,predicted,predicted (probe)\nthe sun,mine,too\n")
    assert predict(made, tmp_path / "a.csv") == 0
    [row] = rows_of(capsys.readouterr().out)
    assert (row["predicted"], row["predicted (probe)"]) == ("mine", "too") and row["predicted (probe) (probe)"]


@pytest.mark.parametrize(
    ("content", "arguments", "said"),
    [
        ("text\na\n", ["--layer=9"], "There is no probe of layer 9 here. Choose one of: 0, 1, 2, 3."),
        ("text\na\n", ["--layer=all"], "--layer takes a layer's number or dev-chosen; 'all' is none."),
        ("body\na\n", [], "has no column 'text'. Its columns are: body. Say which one with --text_column."),
        ("text\na\n", ["--label_column=label"], "has no column 'label'"),
        ("text,id\n,1\n,2\n", [], "No row has a text, so there is nothing to predict."),
        ("text\n", [], "has no rows."),
        ("", [], "has no rows"),
        ("text\na\n", ["--out=/dev/null/here.csv"], "Change --out"),
        ("text\na\n", ["--out={folder}"], "cannot be written. Change --out."),
        ("text\na\n", ["--model={other}"], "These probes were fitted on 'tiny-bert' and cannot read 'tiny-distilbert'"),
        ("text\na\n", ["--model=no/such-model"], "no/such-model"),
    ],
)
def test_a_wrong_call_gets_one_clear_line(made, tiny_folder, tmp_path, capsys, content, arguments, said):
    (tmp_path / "a.csv").write_text(content)
    names = {"folder": tmp_path, "other": tiny_folder("distilbert")}
    assert predict(made, tmp_path / "a.csv", *[argument.format(**names) for argument in arguments]) == 1
    found = capsys.readouterr()
    assert said in found.err and "Traceback" not in found.err and found.out == ""


@pytest.mark.parametrize(
    ("name", "said"), [("none.csv", "There is no file"), ("none.txt", "There is no file"), ("a.doc", "in no form")]
)
def test_files_that_are_no_texts_are_told(made, tmp_path, capsys, name, said):
    (tmp_path / "a.doc").write_text("a")
    assert predict(made, tmp_path / name) == 1
    assert said in capsys.readouterr().err
    (tmp_path / "empty.txt").write_text("\n")
    assert predict(made, tmp_path / "empty.txt") == 1
    assert "has no texts. Write one on each line." in capsys.readouterr().err


def test_an_encoder_that_has_moved_can_be_named(made, tiny_folder, tmp_path, capsys):
    moved = tmp_path / "elsewhere"
    moved.symlink_to(tiny_folder(words=WORDS))
    (tmp_path / "a.txt").write_text("the sun")
    assert predict(made, tmp_path / "a.txt") == 0
    expected = capsys.readouterr().out
    assert predict(made, tmp_path / "a.txt", f"--model={moved}") == 0
    assert capsys.readouterr().out == expected


def test_several_runs_are_kept_in_a_folder_with_names_that_a_shell_takes(made, tiny_folder, tmp_path, capsys):
    folder = tiny_folder(words=WORDS)
    data = [f"--datasets=csv={made / 'feelings.csv'}[text=review,label=feeling],demo", "--max_examples=60"]
    runs = f"--model={folder},{folder}[pooling=cls,probe=mlp]"
    flags = [
        f"--cache_dir={tmp_path / 'cache'}",
        f"--out={tmp_path / 'out'}",
        "--checks=none",
        f"--save_probes={tmp_path / 'kept'}",
    ]
    assert run("layers", *data, runs, *flags) == 0
    written = sorted(path.name for path in (tmp_path / "kept").iterdir())
    names = [f"tiny-bert{run}-on-{data}.safetensors" for run in ("", "-cls-mlp") for data in ("demo", "feelings")]
    assert written == sorted(names)
    assert f"Probes kept: {tmp_path / 'kept' / names[0]}" in capsys.readouterr().out
    kept = load_probe(tmp_path / "kept" / "tiny-bert-cls-mlp-on-demo.safetensors")
    assert (kept.facts.pooling, kept.facts.kind, kept.facts.dataset) == ("cls", "mlp", "demo")


def test_probes_of_pairs_find_their_two_columns(tiny_folder, tmp_path, capsys):
    parts, words = ("music", "acting", "ending", "scene", "plot", "story", "start", "cast"), ("good", "bad")
    films = ("it", "this", "that")
    rows = [(f"{film} was {word}", f"the {part} is {word}", word) for film in films for part in parts for word in words]
    table = tmp_path / "pairs.csv"
    table.write_text("premise,hypothesis,label\n" + "".join(",".join(row) + "\n" for row in rows))
    kept = tmp_path / "kept.safetensors"
    own = [f"--datasets=csv={table}", "--text_column=premise,hypothesis", "--checks=none", f"--out={tmp_path / 'out'}"]
    assert run("layers", f"--model={tiny_folder()}", "--cache_dir=", f"--save_probes={kept}", *own) == 0
    capsys.readouterr()
    arguments = ["predict", f"--probe={kept}", "--cache_dir=", str(table)]
    assert run(*arguments) == 0
    found = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["hypothesis"] for row in found] == [second for _, second, _ in rows]
    assert {row["predicted"] for row in found} <= {"good", "bad"} and any(row["in_training"] == "True" for row in found)
    assert run(*arguments, "--text_column=premise") == 1
    assert "These probes were trained on pairs, premise and hypothesis. Give a list" in capsys.readouterr().err
    lines = tmp_path / "lines.txt"
    lines.write_text("it was good\n")
    assert run(*arguments[:-1], str(lines)) == 1
    assert "has one text on each line. Pairs need a table with two columns of texts." in capsys.readouterr().err

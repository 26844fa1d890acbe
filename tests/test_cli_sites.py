"""The command line at places of a network: runs that are repeated, cards that are followed, and a word for every wrong call."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from test_cli import flags as flags
from test_cli import run, six_class_table


@pytest.fixture
def asked(flags, tmp_path) -> list[str]:
    table = six_class_table(tmp_path / "feelings.csv", 2)
    return [*flags, f"--datasets=csv={table}", "--text_column=review", "--label_column=feeling"]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (["--sites=residual"], "Unknown family of sites 'residual'. Choose one of: attention, heads, layers, mlp, mlp_neurons."),
        (["--sites=attention_2"], "Unknown family of sites 'attention_2'"),
        (["--sites=attention 99"], "Unknown place 'attention 99'"),
        (["--sites=head 3"], "its 12 heads are called like head 3."),
        (["--sites=block 9"], "its 4 layers are called like block"),
        (["--sites=attention,,mlp"], "Unknown family of sites ''"),
        (["--sites="], "No place is left at which"),
        (["--sites=module:encoder.layr.*"], "Nearest: encoder.layer."),
        (["--sites=module:"], "names no module"),
        (["--sites=module:pooler.dense"], "gives no vector for each token"),
        (["--sites=module:embeddings.position_embeddings"], "gives no vector for each token"),
        (["--sites=module:encoder.layer.*.*.dense"], "are not equally wide"),
        (["--sites=attention", "--layers=0"], "There is nothing of 'attention' at layer 0"),
        (["--layers=99"], "Unknown layer 99."),
        (["--layers=3-1"], "--layers=3-1 does not name layers. Write numbers and ranges"),
        (["--layers="], "--layers= does not name layers."),
        (["--layers=-1"], "--layers=-1 does not name layers."),
        (["--layers=1,,2"], "--layers=1,,2 does not name layers."),
        (["--layers=99999"], "--layers=99999 does not name layers."),
    ],
)
def test_places_that_there_are_not_are_told_in_one_sentence(asked, capsys, wrong, sentence):
    assert run("layers", *asked, *wrong) == 1
    told = capsys.readouterr().err.strip().splitlines()[-1]
    assert told.startswith("lit-probe: ") and sentence in told and "unexpected" not in told


def test_places_of_given_activations_are_refused(tmp_path, capsys):
    for flag in ("--sites=attention", "--layers=1"):
        assert run("layers", f"--activations={tmp_path / 'x.safetensors'}", flag) == 1
        assert f"leave out {flag.partition('=')[0]}" in capsys.readouterr().err


def test_a_second_run_at_places_makes_no_pass_and_loads_no_torch(asked, tmp_path):
    code = "import sys; from lit_probe.cli import main; main(); print('torch' in sys.modules, file=sys.stderr)"
    command = [sys.executable, "-c", code, "layers", *asked, "--sites=head 1.2,attention", "--layers=1-2"]

    def layers() -> tuple[dict[str, bytes], str]:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return {path.name: path.read_bytes() for path in sorted((tmp_path / "out").iterdir())}, done.stderr.splitlines()[-1]

    first, loaded_torch = layers()
    assert loaded_torch == "True"
    second, loaded_torch = layers()
    assert loaded_torch == "False" and first == second
    found = json.loads(first["layers.json"])
    assert found["sites"] == ["head 1.2", "attention 1", "attention 2"]


def test_a_card_says_at_which_places_it_was_read_and_is_followed(asked, tmp_path, capsys):
    places = ["--sites=head 1.2,layers", "--layers=0-1", "--checks=none"]
    assert run("layers", *asked, *places) == 0
    card = tmp_path / "card.json"
    written = json.loads((tmp_path / "out" / "layers.json").read_text())
    card.write_text(json.dumps(written))
    again = [one for one in asked if one.startswith(("--cache_dir", "--text_column", "--label_column"))]
    out = f"--out={tmp_path / 'again'}"
    assert run("layers", f"--from={card}", *again[:1], out, "--checks=none") == 0, capsys.readouterr().err
    found = json.loads((tmp_path / "again" / "layers.json").read_text())
    assert found["sites"] == written["sites"] == ["head 1.2", "embeddings", "block 1"]
    assert [one["layers"] for one in found["datasets"].values()] == [one["layers"] for one in written["datasets"].values()]
    capsys.readouterr()
    assert run("layers", f"--from={card}", *again[:1], out, "--sites=attention", "--checks=none") == 1
    assert "--sites" in (told := capsys.readouterr().err) or "places" in told
    written["sites"] = ["head 9.9"]
    card.write_text(json.dumps(written))
    assert run("layers", f"--from={card}", *again[:1], out, "--checks=none") == 1
    assert "Unknown place 'head 9.9'" in capsys.readouterr().err


def test_neurons_report_and_extract_at_places_of_different_widths(asked, tmp_path, capsys):
    places = ["--sites=head 1.2,mlp_neurons", "--layers=1"]
    assert run("neurons", *asked, *places, "--layer=all") == 0
    assert run("neurons", *asked, *places) == 0
    assert run("report", *asked, *places, "--checks=none") == 0
    page = (tmp_path / "out" / "report.html").read_text()
    assert "head 1.2" in page and "Layer 0 is the embedding output" not in page
    assert run("extract", *asked, *places) == 0
    written = sorted(path.name for path in (tmp_path / "out").glob("*.safetensors"))
    assert len(written) == 2 and "sites of [70, 48]" in capsys.readouterr().out
    assert run("layers", f"--activations={tmp_path / 'out' / written[0]}", *asked[1:3], "--checks=none") == 0

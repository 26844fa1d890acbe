"""The section of the page on pictures about the lens: its Python runs, and the names that it gives are there."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import tiny_encoders
from tiny_decoders import build as build_decoder

import lit_probe
from lit_probe.data import load_dataset
from lit_probe.views.lens import MAX_TOKENS, TokenLens

ROOT = Path(__file__).parents[2]
PAGE = (
    (ROOT / "docs/pictures.md")
    .read_text("utf-8")
    .split("\n## What the model's own head makes of each layer\n")[1]
    .split("\n## ")[0]
)


def test_its_python_runs(tmp_path):
    words = tuple(tiny_encoders.words_of(load_dataset("demo").train.texts))
    tuned = tiny_encoders.build(tmp_path / "tuned", words=words, n_classes=2)
    config = (tuned / "config.json").read_text()
    (tuned / "config.json").write_text(config.replace("class 0", "negative").replace("class 1", "positive"))
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    code = code.replace("distilbert-base-uncased-finetuned-sst-2-english", str(tuned))
    code = code.replace('"smollm2"', repr(str(build_decoder(tmp_path / "decoder", "llama"))))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "block 2 (after the final norm)" in done.stdout and len(done.stdout.splitlines()[-1].split("]")) == 3


def test_the_limit_that_it_names_is_the_limit():
    assert f"**Limits.** {MAX_TOKENS} tokens of a text are shown" in PAGE


def test_what_it_says_to_do_in_place_of_ecco_is_there():
    rows = [row.split("|")[2] for row in PAGE.split("### Coming from Ecco")[1].splitlines() if row.startswith("| `")]
    assert len(rows) == 3
    views = ROOT / "lit_probe/client/views"
    panel = "".join((views / file).read_text("utf-8") for file in ("lens_module.js", "lens_grid.js"))
    for row in rows:
        assert all(f"static title = '{title}'" in panel for title in re.findall(r"\*\*(.+?)\*\*", row)) and "**" in row
        assert all(words in panel for words in re.findall(r"“(\w+)”", row))
        names = re.findall(r"`([\w.]+)(?:=[^`]*)?`", row)
        assert "lit_probe.lens" in names and hasattr(lit_probe, "lens")
        arguments = lit_probe.lens.__kwdefaults__
        known = {*arguments, *(field.name for field in fields(TokenLens)), "lit_probe.lens"}
        assert set(names) <= known, row
    assert "rank of the next token" in panel

"""The section of the page on pictures about patterns of neurons: its Python runs, a decoder has patterns, and names are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import tiny_decoders
from language_models import build_masked

from lit_probe import load_encoder
from lit_probe.neurons.meaning import neuron_factors as module

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/pictures.md").read_text("utf-8").split("\n## Patterns of neurons on tokens\n")[1].split("\n## ")[0]


def test_its_python_runs(tiny_folder, capsys):
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    code = code.replace("sentence-transformers/all-MiniLM-L6-v2", str(tiny_folder())).replace("(1, 6)", "(1, 3)")
    exec(code, {})
    assert len(capsys.readouterr().out.splitlines()) == 2


@pytest.mark.parametrize(
    "build",
    [
        lambda folder: tiny_decoders.build(folder, "llama"),
        lambda folder: tiny_decoders.build(folder, "gpt2"),
        lambda folder: build_masked(folder),
    ],
)
def test_decoders_and_masked_language_models_have_patterns(tmp_path, build):
    found = module.neuron_factors(load_encoder(str(build(tmp_path / "model"))), "the plot is slow, and we loved it", (1, 2), 3)
    assert found.on_tokens.shape == (3, len(found.tokens)) and len(found.tokens) > 3
    assert 0.3 < found.explained <= 1 and not found.special.any()


def test_what_it_says_to_do_in_place_of_ecco_is_there():
    rows = [row.split("|")[2] for row in PAGE.split("### Patterns in Ecco")[1].splitlines() if row.startswith("| `")]
    assert len(rows) == 2
    panel, function = rows
    [title] = re.findall(r"\*\*(.+?)\*\*", panel)
    script = (ROOT / "lit_probe/client/neurons/neuron_factors_module.js").read_text("utf-8")
    assert f"static title = '{title}'" in script
    name, place = re.findall(r"`([\w.]+)`", function)
    assert place == module.__name__ and hasattr(module, name)

"""What the page on pictures says of attention is there: BERTviz's functions have a counterpart, and its Python runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from every_encoder import opened

import lit_probe
from lit_probe.encoder.attention import MAX_TOKENS
from lit_probe.encoder.queries_keys import queries_and_keys

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/pictures.md").read_text("utf-8").split("\n## Attention\n")[1].split("\n## ")[0]
ROWS = [row.strip("|").split(" | ") for row in PAGE.splitlines() if row.startswith("| `")]
MODULE = (ROOT / "lit_probe/client/views/attention_module.js").read_text("utf-8")


def test_each_view_of_bertviz_has_a_row_whose_counterpart_is_there():
    assert {re.match(r" ?`(\w+)", there)[1] for there, *_ in ROWS} == {"model_view", "head_view", "neuron_view"}
    for _, here, _ in ROWS:
        assert all(hasattr(lit_probe, name) for name in re.findall(r"`lit_probe\.(\w+)`", here))
        assert set(re.findall(r"panel \*\*([^*]+)\*\*", here)) <= {"Attention"} and "static title = 'Attention';" in MODULE
        assert all(f"'{name}'" in MODULE for name in re.findall(r"“([^”]+)”", here))


def test_the_limit_is_the_one_of_the_code():
    assert f"more than {MAX_TOKENS} tokens" in PAGE


def test_its_python_runs(tiny_folder, capsys):
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    code = code.replace("sentence-transformers/all-MiniLM-L6-v2", str(tiny_folder())).replace("4, 7", "3, 2")
    exec(code.replace("block=4", "block=3").replace("head=7", "head=2"), {})
    assert "(3, 4, " in capsys.readouterr().out


@pytest.mark.parametrize(
    "architecture", ["bert", "modernbert", "gpt2", "gpt_neox", "opt", "llama", "mistral", "qwen2", "phi", "bart"]
)
def test_a_named_family_has_units(tmp_path, architecture):
    queries_and_keys(opened(tmp_path, architecture), "a film", 1)

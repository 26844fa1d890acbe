"""The page of stock LIT's components says of each what is seen when it runs on a model of ours."""

from __future__ import annotations

import importlib.util
import runpy
from pathlib import Path

import pytest
from foreign_lit import Page
from stock_components import NOT, WITH_TOKEN_FIELDS, WORKS, Reviews, StockServer, registered, stock_model, told

import lit_probe.lit
from lit_probe.encoder.cache import Cache
from lit_probe.errors import LitProbeError


@pytest.fixture(scope="module")
def servers(tiny_folder) -> dict[bool, StockServer]:
    """Without and with token fields."""
    return {fields: StockServer(stock_model(tiny_folder(), fields), Reviews()) for fields in (False, True)}


@pytest.mark.parametrize("kind", ["interpreters", "generators", "metrics"])
def test_the_page_says_of_every_stock_component_whether_it_works(servers, kind):
    page = told(kind.capitalize())
    assert list(page) == registered()[kind], "LIT has other components now"
    found = {}
    for name in page:
        if name == "umap" and importlib.util.find_spec("umap") is None:
            found[name] = page[name]  # nothing to be seen where it is not installed
        elif servers[False].works(kind, name):
            assert servers[True].works(kind, name), name
            found[name] = WORKS
        else:
            found[name] = WITH_TOKEN_FIELDS if servers[True].works(kind, name) else NOT
    assert page == found


def test_the_example_on_data_in_the_form_of_lits_sst2_answers(tiny_folder):
    example = runpy.run_path(str(Path(__file__).parents[2] / "examples" / "stock_data.py"))
    page = Page(example["application"](tiny_folder()))
    info = page.post("/get_info")["models"]["probes"]
    assert "sst2" in info["datasets"] and {"Grad L2 Norm", "tcav", "layer_metrics"} <= set(info["interpreters"])
    ids = page.ids("sst2")
    answer = page.ask("layer_metrics", "probes", "sst2", ids)
    assert answer["n_layers"] == 4 and len(ids) > 1_000
    assert page.post("/get_interpretations?model=probes&dataset_name=sst2&interpreter=Grad L2 Norm", {"inputs": ids[:2]})


@pytest.mark.parametrize("name", ["glue", "penguin", "tydi"])
def test_lits_example_data_need_tensorflow(name):
    """Where this fails, LIT's own data can be loaded after all: use them in `examples/stock_data.py`."""
    if importlib.util.find_spec("tensorflow_datasets") is None:
        with pytest.raises(ModuleNotFoundError, match="tensorflow"):
            importlib.import_module(f"lit_nlp.examples.{name}.data")


def test_lits_prompts_are_too_few_to_be_probed(tiny_folder):
    from lit_nlp.examples.prompt_debugging.datasets import PromptExamples

    prompts = PromptExamples(PromptExamples.SAMPLE_DATA_PATH)
    assert len(prompts) == 12
    with pytest.raises(LitProbeError):
        lit_probe.lit.ProbeModel(tiny_folder(), prompts, text="prompt", background=False, cache=Cache(None))

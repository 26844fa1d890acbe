"""The default model on real SST-2 sentences and IMDB reviews: every place where a number stands shows the same one."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from lit_page import LitPage
from live_server import curve, live_server, post, scores

from lit_probe.encoder.checkpoint import DEFAULT_MODEL, find_checkpoint
from lit_probe.errors import EncoderError

N_PER_SPLIT = 120


@pytest.fixture(scope="module")
def flags(test_data) -> list[str]:
    try:
        find_checkpoint(DEFAULT_MODEL)
    except EncoderError as error:
        pytest.skip(f"the default model is not here: {error}")
    return [f"--datasets=sst2_sentences={test_data / 'sst2'},imdb={test_data / 'imdb'}", f"--max_examples={N_PER_SPLIT}"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("real")


@pytest.fixture(scope="module")
def server(flags, folder):
    """A server on the real data; it takes the place of the tiny encoders' one."""
    with live_server(flags, folder) as url:
        for dataset in ("sst2_sentences", "imdb"):
            curve(url, f"all-MiniLM-L6-v2-on-{dataset}", dataset)
        yield url


@pytest.fixture(scope="module")
def written(flags, folder, server) -> dict:
    """The `layers.json` of the same flags, from the same cache."""
    command = [sys.executable, "-m", "lit_probe.cli", "layers", *flags, f"--cache_dir={folder / 'cache'}", f"--out={folder}"]
    subprocess.run(command, check=True, capture_output=True)
    return json.loads((folder / "layers.json").read_text())["datasets"]


@pytest.mark.parametrize("dataset", ["sst2_sentences", "imdb"])
def test_http_panel_metrics_table_and_layers_json_agree(lit: LitPage, server, written, tmp_path, dataset):
    model = f"all-MiniLM-L6-v2-on-{dataset}"
    file = written[dataset]["layers"]
    assert {row["n"] for row in file} == {N_PER_SPLIT}

    served = scores(curve(server, model, dataset), "dev")
    assert [row["score"] for row in served] == [row["accuracy"] for row in file]
    assert [(row["low"], row["high"]) for row in served] == [(row["accuracy_low"], row["accuracy_high"]) for row in file]

    lit.open(dataset=dataset, models=model).wait_for_curve()
    with lit.page.expect_download() as table:
        lit.panel.locator(".save-csv").click()
    table.value.save_as(tmp_path / "table.csv")
    drawn = [row for row in csv.DictReader((tmp_path / "table.csv").open(newline="")) if row["split"] == "dev"]
    assert [float(row["score"]) for row in drawn] == [row["accuracy"] for row in file]

    dev = [row["id"] for row in post(server, f"get_dataset?dataset_name={dataset}") if row["data"]["probe_split"] == "dev"]
    answers = post(
        server, f"get_metrics?model={model}&dataset_name={dataset}&metrics=held out".replace(" ", "%20"), {"inputs": dev}
    )
    by_field = {entry["pred_key"]: entry["metrics"] for entry in answers["held out"]}
    for layer, row in enumerate(file):
        ours = by_field[f"probe_layer_{layer:02d}"]
        assert [ours[name] for name in ("accuracy", "auroc", "log_loss", "mcc")] == [
            row[name] for name in ("accuracy", "auroc", "log_loss", "mcc")
        ]
    assert by_field["probe"]["accuracy"] == file[written[dataset]["best_layer"]]["accuracy"]

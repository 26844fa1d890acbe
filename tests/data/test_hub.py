"""Data sets from the hub: the library's own loader, and a clear word where there is no network."""

import os
import subprocess
import sys

import pandas as pd

from lit_probe.data import hub
from lit_probe.data.split_files import named_splits

HUB_IDS = {"sst2": "stanfordnlp/sst2", "sst2_sentences": "SetFit/sst2", "imdb": "stanfordnlp/imdb"}


def test_without_a_network_an_uncached_data_set_says_what_to_do(tmp_path):
    code = """
from lit_probe.data import load_dataset
from lit_probe.errors import DatasetError
for name in ("sst2", "sst2_sentences", "imdb"):
    try:
        load_dataset(name)
    except DatasetError as error:
        print(" ".join(str(error).split()))
"""
    # A process of its own, because the library reads where its cache is, and whether it may use the network, when it is imported.
    environment = {**os.environ, "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    messages = run.stdout.splitlines()
    assert len(messages) == 3
    for message, (name, hub_id) in zip(messages, HUB_IDS.items(), strict=True):
        assert message.startswith(f"{hub_id} is not in the local Hugging Face cache and cannot be downloaded")
        assert f"({name}=PATH)" in message and "(demo)" in message


def test_splits_get_our_names_and_further_ones_are_counted(tmp_path):
    for split, n in (("train", 3), ("validation", 2), ("unsupervised", 4)):
        pd.DataFrame({"text": [f"{split} {i}" for i in range(n)], "label": [0] * n}).to_parquet(tmp_path / f"{split}.parquet")
    files = {split: str(tmp_path / f"{split}.parquet") for split in ("train", "validation", "unsupervised")}
    import datasets

    loaded = datasets.load_dataset("parquet", data_files=files, cache_dir=str(tmp_path / "cache"))
    parts, others = named_splits(loaded, "here")
    assert parts["dev"].to_dict() == {"text": ["validation 0", "validation 1"], "label": [0, 0]}
    assert set(parts) == {"train", "dev"} and set(others) == {"unsupervised"}


def test_rows_that_come_from_no_commit_have_no_revision():
    assert hub.revision_of(["/cache/parquet/default/0.0.0/9f47e6a8d0a1b2c3/parquet-train.arrow"]) is None
    assert hub.revision_of([]) is None

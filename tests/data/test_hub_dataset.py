"""Any data set of the hub: from a hub on this machine, from both caches without one, and from folders like it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from small_hub import COMMIT, serving

from lit_probe import flags
from lit_probe.checks.provenance import flags_of
from lit_probe.data import DatasetOptions, load_dataset
from lit_probe.errors import DatasetError, LitProbeError

datasets = pytest.importorskip("datasets")

N = 60
NAMES = ["zeta", "alpha", "mid"]
CONFIGS = """---
configs:
- config_name: plain
  data_files:
  - split: train
    path: data/train-*
  - split: validation
    path: data/validation-*
- config_name: whole, all of it
  data_files: data/train-*
---
"""


def part(start: int, end: int, labels: list[int] | None = None):
    kinds = {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=NAMES), "stars": datasets.Value("int64")}
    columns = {
        "text": [f"text number {i} says something of its own" for i in range(start, end)],
        "label": labels or [i % 3 for i in range(start, end)],
        "stars": [i % 5 for i in range(start, end)],
    }
    return datasets.Dataset.from_dict(columns, features=datasets.Features(kinds))


def layout(folder: Path, readme: str = "") -> Path:
    """A data set's files as they lie on the hub."""
    (folder / "data").mkdir(parents=True)
    part(0, 20).to_parquet(folder / "data/train-00000-of-00002.parquet")
    part(20, 40).to_parquet(folder / "data/train-00001-of-00002.parquet")
    part(40, N).to_parquet(folder / "data/validation-00000-of-00001.parquet")
    if readme:
        (folder / "README.md").write_text(readme)
    return folder


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder whose data sets are prepared in a cache of its own."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "prepared"))
    return tmp_path


SCRIPT = """
import json, sys
from lit_probe.data import DatasetOptions, load_dataset
from lit_probe.errors import DatasetError
for source, options in json.loads(sys.argv[1]):
    try:
        splits = load_dataset("hub", source, DatasetOptions(**options))
        print(json.dumps([splits.name, splits.label_names, splits.provenance]))
    except DatasetError as error:
        print(json.dumps(str(error)))
"""


def loaded(home: Path, *wanted: tuple[str, dict], url: str = "") -> list:
    """What loading gives, in a process of its own: the libraries read where the hub and the caches are when they are imported."""
    offline = {"HF_HUB_OFFLINE": "0" if url else "1", **({"HF_ENDPOINT": url} if url else {})}
    environment = {**os.environ, "HF_HOME": str(home), "NO_PROXY": "*", "no_proxy": "*", **offline}
    for name in ("HF_DATASETS_CACHE", "HF_HUB_CACHE", "HF_TOKEN"):
        environment.pop(name, None)
    command = [sys.executable, "-c", SCRIPT, json.dumps(wanted)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]


def test_a_data_set_comes_from_the_hub_and_then_from_either_cache_with_the_same_rows(tmp_path):
    home = tmp_path / "home"
    with serving({"org/reviews": layout(tmp_path / "files")}) as url:
        [online] = loaded(home, ("org/reviews", {}), url=url)
    name, label_names, provenance = online
    assert (name, label_names) == ("reviews", NAMES)
    assert provenance["origin"] == {
        "kind": "hub",
        "id": "org/reviews",
        "config": "default",
        "revision": COMMIT,
        "form": "hub",
        "data_config": None,
        "text_column": "text",
        "label_column": "label",
        "group_column": None,
    }
    assert provenance["source"] == f"org/reviews, config default from the Hugging Face hub, revision {COMMIT}"
    assert provenance["division"].startswith("Official train; the official dev split is divided 50/50")
    assert set(provenance["sha256"]) == {"train", "dev", "test"}

    prepared, wrong = loaded(home, ("org/reviews", {"data_revision": COMMIT}), ("org/reviews", {"data_revision": "v2"}))
    assert prepared == online
    assert wrong.startswith(f"org/reviews cannot be had in the revision 'v2' without a network: the cache holds {COMMIT}")

    shutil.rmtree(home / "datasets")  # what is left is what "hf download" leaves
    by_name, by_commit = loaded(home, ("org/reviews", {}), ("org/reviews", {"data_revision": COMMIT}))
    assert by_name == by_commit
    [note] = by_name[2]["notes"]
    assert note.startswith("Read without a network, from the files in the hub's cache") and provenance["notes"] == []
    assert [*by_name[:2], {**by_name[2], "notes": []}] == online

    [shard] = home.rglob("snapshots/*/data/train-00001-of-00002.parquet")
    shard.unlink()
    shutil.rmtree(home / "datasets")
    [missing] = loaded(home, ("org/reviews", {}))
    assert "train-00001-of-00002.parquet' is missing. Download the data set again" in missing


def test_what_the_hub_refuses_is_said_in_a_sentence(tmp_path):
    (tmp_path / "code").mkdir()
    (tmp_path / "code/code.py").write_text("raise SystemExit('this ran')")
    folders = {"org/several": layout(tmp_path / "several", CONFIGS), "org/code": tmp_path / "code"}
    wanted = {
        (
            "org/gated",
            "",
        ): "org/gated is gated: its owners ask for your consent. Give it at https://huggingface.co/datasets/org/g",
        ("org/asked", ""): "org/asked is gated",
        ("org/nothing", ""): "There is no data set 'org/nothing', neither as a folder here nor on the Hugging Face hub, or it is",
        ("org/aggregated", ""): "There is no data set 'org/aggregated'",
        ("org/code", ""): "org/code needs Python code of its own to be read, which is not run.",
        ("org/several", "config"): "org/several has no config 'no', but plain",
        ("org/several", "revision"): "org/several has no revision 'no'. Name a branch, a tag or a commit",
        ("org/several", ""): "org/several has several configs and none was named: plain",
    }
    asked = [(name, {f"data_{option}": "no"} if option else {}) for name, option in wanted]
    with serving(folders) as url:
        said = loaded(tmp_path / "home", *asked, url=url)
    for sentence, start in zip(said, wanted.values(), strict=True):
        assert sentence.startswith(start) and "\n" not in sentence


def test_configs_in_the_cache_are_listed_without_a_network(tmp_path):
    home = tmp_path / "home"
    readme = CONFIGS.replace("whole, all of it", "whole")
    with serving({"org/several": layout(tmp_path / "several", readme)}) as url:
        one, other = loaded(home, ("org/several", {"data_config": "plain"}), ("org/several", {"data_config": "whole"}), url=url)
    assert (one[0], other[0]) == ("several-plain", "several-whole")
    none, wrong, right, nothing = loaded(
        home,
        ("org/several", {}),
        ("org/several", {"data_config": "no"}),
        ("org/several", {"data_config": "plain"}),
        ("org/nothing", {}),
    )
    assert none.startswith("org/several has several configs in the local cache and none was named: ")
    assert wrong.startswith("org/several has no config 'no' in the local cache, but plain, whole. Name one")
    assert right == one
    assert nothing.startswith("org/nothing is not in the local Hugging Face cache and cannot be downloaded")
    assert "(hub=PATH)" in nothing and "(demo)" in nothing


def test_a_folder_like_the_hubs_is_read_with_its_configs_and_class_names(here):
    folder = layout(here / "reviews", CONFIGS)
    splits = load_dataset("hub", str(folder), DatasetOptions(data_config="plain"))
    assert (splits.name, splits.label_names) == ("reviews-plain", tuple(NAMES))
    assert len(splits.train) == 40 and len(splits.dev) + len(splits.test) == 20
    assert splits.provenance["numbered"] is True and set(splits.train.columns) == {"stars"}
    odd = load_dataset("hub", str(folder), DatasetOptions(data_config="whole, all of it"))
    assert sum(len(rows) for _, rows in odd.items()) == 40
    with pytest.raises(DatasetError, match="has several configs and none was named: plain, whole, all of it"):
        load_dataset("hub", str(folder))
    with pytest.raises(DatasetError, match=r"has no column 'body'. Its columns are: text, label, stars. Say which one"):
        load_dataset("hub", str(folder), DatasetOptions(data_config="plain", text_column="body"))


@pytest.mark.parametrize("wanted", ["config", "revision"])
def test_an_option_that_a_folder_cannot_follow_is_refused(here, wanted):
    part(0, N).save_to_disk(here / "saved")
    with pytest.raises(DatasetError, match=f"Leave the option data_{wanted} out"):
        load_dataset("hub", str(here / "saved"), DatasetOptions(**{f"data_{wanted}": "x"}))


@pytest.mark.parametrize("by_split", [False, True])
def test_a_folder_of_save_to_disk_is_read(here, by_split):
    saved = datasets.DatasetDict({"train": part(0, 40), "test": part(40, N)}) if by_split else part(0, N)
    saved.save_to_disk(here / "saved")
    splits = load_dataset("hub", str(here / "saved"))
    assert splits.name == "saved" and splits.label_names == tuple(NAMES)
    assert splits.provenance["division"].startswith("Official train and test" if by_split else "One table, divided")


def test_minus_one_is_no_label_and_further_splits_are_named(here):
    folder = here / "reviews"
    (folder / "data").mkdir(parents=True)
    part(0, 40).to_parquet(folder / "data/train-00000-of-00001.parquet")
    part(40, N, [-1] * 20).to_parquet(folder / "data/test-00000-of-00001.parquet")
    part(40, N).to_parquet(folder / "data/unsupervised-00000-of-00001.parquet")
    splits = load_dataset("hub", str(folder))
    assert splits.provenance["dropped"]["unlabelled"] == 20
    assert "Not read: unsupervised, which name no split." in splits.provenance["notes"]


def test_pictures_and_sounds_are_left_out_unread(here):
    table = part(0, N)
    pictures = [{"bytes": b"not a picture", "path": None}] * N
    features = datasets.Features({**table.features, "picture": datasets.Image()})
    datasets.Dataset.from_dict({**table.to_dict(), "picture": pictures}, features=features).save_to_disk(here / "saved")
    splits = load_dataset("hub", str(here / "saved"))
    assert set(splits.train.columns) == {"stars"}
    assert splits.provenance["notes"] == ["Left out, because they hold pictures, sounds or films: 'picture'."]
    with pytest.raises(DatasetError, match=r"column 'picture' should hold texts, but row 1 has .*\(an object\)"):
        load_dataset("hub", str(here / "saved"), DatasetOptions(text_column="picture"))


@pytest.mark.parametrize("told_by", ["the files", "the README"])
def test_a_data_set_too_large_for_memory_is_refused_before_it_is_read(here, told_by):
    folder = layout(here / "huge")
    if told_by == "the files":
        with (folder / "data/train-00000-of-00002.parquet").open("r+b") as file:
            file.truncate(300 * 2**30)  # a hole: it takes no room
    else:
        (folder / "README.md").write_text(f"---\ndataset_info:\n  dataset_size: {300 * 2**30}\n---\n")
    with pytest.raises(DatasetError, match=r"has 300 GiB or more; data sets are read into memory, up to 4 GiB.*streaming=True"):
        load_dataset("hub", str(folder))
    assert not (here / "prepared").exists() or not any((here / "prepared").rglob("*.arrow"))


def test_another_number_of_rows_than_the_readme_says_is_refused(here):
    info = (
        "---\ndataset_info:\n  splits:\n  - name: train\n    num_examples: 41\n  - name: validation\n    num_examples: 20\n---\n"
    )
    with pytest.raises(DatasetError, match="has other splits, or other numbers of rows, than its README says"):
        load_dataset("hub", str(layout(here / "torn", info)))


NO_IDS = {
    "nothing": (None, "hub needs the id of a data set, or a folder. Write hub=org/name"),
    "an empty id": ("", "hub needs the id of a data set"),
    "a form of files": ("csv", "'csv' is no id of a data set, nor a folder. Write hub=org/name, as at the top of its page"),
    "a name without an owner": ("imdb", "'imdb' is no id of a data set"),
    "a path": ("./nowhere", "There is no file or folder './nowhere'"),
    "too many parts": ("a/b/c", "There is no file or folder 'a/b/c'"),
    "an address": ("https://huggingface.co/datasets/a/b", "There is no file or folder"),
    "odd signs": ("a b/?*", "There is no file or folder"),
    "a user who is not there": ("~nobody-of-that-name/x", "cannot be read"),
}


@pytest.mark.parametrize("kind", NO_IDS)
def test_what_is_no_id_never_reads_the_current_folder(kind, here, monkeypatch):
    layout(here / "elsewhere")
    monkeypatch.chdir(here / "elsewhere")
    source, words = NO_IDS[kind]
    with pytest.raises(DatasetError, match=re.escape(words)):
        load_dataset("hub", source)


def test_a_file_a_torn_file_and_a_folder_of_nothing_are_refused(here):
    (here / "reviews.csv").write_text("text,label\na,1\n")
    with pytest.raises(DatasetError, match=r"is a file, not a data set of the hub. Name it by its form, such as csv="):
        load_dataset("hub", str(here / "reviews.csv"))
    torn = layout(here / "torn")
    (torn / "data/train-00001-of-00002.parquet").write_bytes(b"PAR1 torn PAR1")
    with pytest.raises(DatasetError, match="cannot be read as a data set"):
        load_dataset("hub", str(torn))
    (here / "empty").mkdir()
    with pytest.raises(DatasetError, match=r"cannot be read as a data set .*doesn't contain any data files"):
        load_dataset("hub", str(here / "empty"))


def test_a_folder_called_like_a_form_of_files_is_that_folder(here, monkeypatch):
    layout(here / "csv")
    monkeypatch.chdir(here)
    assert load_dataset("hub", "csv").label_names == tuple(NAMES)


def card_of(*all_splits) -> dict:
    model = {"id": "m", "revision": None, "random_weights": None}
    settings = {"pooling": "mean", "probe": "logistic", "max_length": 256, "keep": "head", "seed": 0}
    return {"model": model, **settings, "datasets": {one.name: {"data": one.provenance} for one in all_splits}}


def test_the_flags_of_a_card_load_the_same_rows(here):
    folder = layout(here / "reviews", CONFIGS)
    hub = load_dataset("hub", str(folder), DatasetOptions(data_config="plain", label_column="stars", max_examples=0))
    (here / "t.csv").write_text("body,label\n" + "".join(f"text {i},{('a', 'b', '?')[i % 3]}\n" for i in range(N)))
    table = load_dataset("csv", str(here / "t.csv"), DatasetOptions(text_column="body", missing=("?", "x"), max_examples=0))
    demo = load_dataset("demo", options=DatasetOptions(max_examples=0))
    plain = load_dataset("hub", str(layout(here / "films")), DatasetOptions(max_examples=0))
    for together in ([hub], [plain], [plain, hub], [table], [demo, hub, table], [table, demo], [demo]):
        flags.FLAGS.unparse_flags()
        flags.FLAGS(["lit-probe", *flags_of(card_of(*together), "This card")])
        again = flags.load_splits()
        assert [one.name for one in again] == [one.name for one in together]
        assert [one.provenance for one in again] == [one.provenance for one in together]
    flags.FLAGS.unparse_flags()


def test_a_card_names_the_commit_of_a_data_set_of_the_hub(here):
    provenance = load_dataset("hub", str(layout(here / "reviews"))).provenance
    origin = {**provenance["origin"], "kind": "hub", "id": "org/reviews", "revision": COMMIT}
    del origin["path"]
    card = card_of()
    card["datasets"] = {"reviews": {"data": {**provenance, "origin": origin}}}
    named = set(flags_of(card, "This card"))
    assert {"--datasets=hub=org/reviews", f"--data_revision={COMMIT}"} <= named
    assert not any(flag.startswith("--data_config") for flag in named), "the name would say it"


def test_a_word_that_brackets_cannot_hold_is_refused_on_a_card(here):
    (here / "t.csv").write_text("text,label\n" + "".join(f"text {i},{('a', 'b', '[x]')[i % 3]}\n" for i in range(N)))
    table = load_dataset("csv", str(here / "t.csv"), DatasetOptions(missing=("[x]",)))
    with pytest.raises(LitProbeError, match=r"This card says missing='\[x\]', which cannot stand in brackets"):
        flags_of(card_of(table, load_dataset("demo")), "This card")

"""A real cluster of two nodes on this machine computes blocks: the same digits, nothing twice, whoever dies in the middle."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from test_cli import run, six_class_table

from lit_probe.data.asked import CLASSES, NUMBER
from lit_probe.data.unlabelled import read_texts
from lit_probe.encoder import activations
from lit_probe.encoder.activations import Activations, extract_activations, split_into_blocks
from lit_probe.encoder.block_places import Bucket, Folder
from lit_probe.encoder.cache import ACTIVATIONS, Cache, library_versions
from lit_probe.encoder.encoder import Encoder, encoder_of, load_encoder
from lit_probe.encoder.ray_extraction import Extraction, Recipe, Task, Worker, extract_blocks
from lit_probe.encoder.ray_layers import RayLayers, computed
from lit_probe.errors import CacheError, EncoderError, ProbeError
from lit_probe.probing.layerwise import ActivationView, LayerwiseProbe
from lit_probe.probing.probes import PROBES

TEXTS = [f"the {'very ' * (i % 7)}good film number {i} was not bad" for i in range(170)]
N_BLOCKS = 11
TRIES = 4
NO_RAY = "Ray is not installed: pip install 'lit-probe[ray]'"


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch) -> None:
    monkeypatch.setattr(activations, "BLOCK_SIZE", 16)


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a cluster of two nodes, each with cores for one encoder that uses as many threads as torch does here."""
    pytest.importorskip("ray", reason=NO_RAY)
    # Ray gives its workers a low priority otherwise, and on a busy machine they would wait for everybody else.
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}
    from ray.cluster_utils import Cluster

    node = {"num_cpus": torch.get_num_threads(), "object_store_memory": 80_000_000}
    for attempt in range(TRIES):
        nodes = Cluster()
        try:
            for _ in range(2):
                nodes.add_node(**node)
            break
        except Exception:  # what Ray raises where a node needs more than 30 s, on a machine that is busy otherwise
            nodes.shutdown()
            if attempt == TRIES - 1:
                raise
    yield nodes.address
    nodes.shutdown()


def blocks() -> list[Sequence[str]]:
    return [part for part, _ in split_into_blocks(TEXTS)]


def extract(cluster: str | None, encoder: Encoder, place, cache: Cache | None = None, given=None, **options) -> Extraction:
    cache = cache or Cache(None)
    return extract_blocks(encoder, "mean", given or blocks(), place, cache, address=cluster, device="cpu", **options)


def check_same_digits(encoder: Encoder, folder: Path) -> None:
    """That a study finds all in the folder, with no forward pass, and the digits of this machine alone."""
    fresh = load_encoder(encoder.checkpoint.model_id)
    found = Cache(folder).activations(fresh, TEXTS, "mean")
    assert fresh._loaded.model is None, "the weights were loaded"
    alone = extract_activations(encoder, TEXTS, "mean")
    np.testing.assert_array_equal(found.values, alone.values)
    np.testing.assert_array_equal(found.truncated, alone.truncated)


def workers() -> list[psutil.Process]:
    """The processes of the workers that have begun, oldest first."""
    found = [one for one in psutil.Process().children(recursive=True) if "ray::Worker" in " ".join(one.cmdline())]
    return sorted(found, key=lambda one: one.create_time())


def written_at(folder: Path) -> dict[str, int]:
    return {file.parent.name: file.stat().st_mtime_ns for file in (folder / ACTIVATIONS).glob("*/block.safetensors")}


# --- On the cluster -------------------------------------------------------------------------------------------------------------


def test_a_worker_killed_in_the_middle_costs_its_block_and_nothing_else(cluster, tiny_encoder, tmp_path):
    stopped: list[psutil.Process] = []

    def given() -> Iterator[Sequence[str]]:
        for number, block in enumerate(blocks()):
            # Both have begun. One stands still from now on, with a block or until it is given one, and is killed at the end.
            while number == 4 and len(workers()) < 2:
                time.sleep(0.1)
            if number == 4:
                stopped.append(workers()[0])
                stopped[0].suspend()
            if number == N_BLOCKS - 1:
                stopped[0].kill()
            yield block

    cache = Cache(tmp_path / "shared")
    found = extract(cluster, tiny_encoder, Folder(tmp_path / "shared"), cache, given())
    assert (found.n_texts, found.n_written, found.n_found) == (len(TEXTS), N_BLOCKS, 0)
    assert found.n_again <= 1
    check_same_digits(tiny_encoder, tmp_path / "shared")
    before = written_at(tmp_path / "shared")
    assert len(before) == N_BLOCKS
    # Again: all is found, so that no cluster is needed.
    again = extract("127.0.0.1:1", tiny_encoder, Folder(tmp_path / "shared"), cache)
    assert (again.n_texts, again.n_written, again.n_found) == (len(TEXTS), 0, N_BLOCKS)
    assert written_at(tmp_path / "shared") == before


DRIVER = """
import sys
from pathlib import Path
from lit_probe.encoder import activations
from lit_probe.encoder.block_places import Folder
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import load_encoder
from lit_probe.encoder.ray_extraction import extract_blocks
activations.BLOCK_SIZE = 16
model, out, address, *texts = sys.argv[1:]

def blocks():
    for part, _ in activations.split_into_blocks(texts):
        yield part
        if len(list(Path(out).glob("activations/*/manifest.hmac"))) >= 3:
            print("three are there", flush=True)
            sys.stdin.read()

extract_blocks(load_encoder(model), "mean", blocks(), Folder(Path(out)), Cache(Path(out)), address=address, device="cpu")
"""


def test_a_run_whose_driver_is_killed_goes_on_where_it_stopped(cluster, tiny_encoder, tmp_path):
    out = tmp_path / "shared"
    command = [sys.executable, "-c", DRIVER, tiny_encoder.checkpoint.model_id, str(out), cluster, *TEXTS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as driver:
        assert driver.stdout is not None
        assert driver.stdout.readline() == "three are there\n"
        driver.send_signal(signal.SIGKILL)
    before = written_at(out)
    found = extract(cluster, tiny_encoder, Folder(out), Cache(out))
    assert found.n_found >= 3
    assert found.n_found + found.n_written == N_BLOCKS
    after = written_at(out)
    assert {key: after[key] for key in before} == before
    check_same_digits(tiny_encoder, out)


def test_a_cluster_without_room_is_said(cluster, tiny_encoder, tmp_path):
    with pytest.raises(EncoderError, match="No machine of the Ray cluster has 64 cores for an encoder"):
        extract(cluster, tiny_encoder, Folder(tmp_path), cores=64)


# --- Fits ---------------------------------------------------------------------------------------------------------------------

LABELS = np.arange(len(TEXTS)) % 7 % 3
LABEL_NAMES = ("none", "one", "two")


def kept(encoder: Encoder, folder: Path) -> tuple[Cache, Activations]:
    cache = Cache(folder)
    return cache, cache.activations(encoder, TEXTS, "mean")


def tell_deaths(activations: Activations, folder: Path, deaths: Mapping[int, int]) -> ActivationView:
    """The same activations, of which each reading is written down; the first of some layers kill who reads them."""

    def change(layer: int, values):
        (folder / f"{layer} {time.monotonic_ns()} {os.getpid()}").touch()
        if len(list(folder.glob(f"{layer} *"))) <= deaths.get(layer, 0):
            os.kill(os.getpid(), signal.SIGKILL)
        return values

    return ActivationView(activations, change=change)


def read_of(folder: Path) -> Counter[int]:
    return Counter(int(name.name.split()[0]) for name in folder.iterdir())


def same_probes(one: LayerwiseProbe, other: LayerwiseProbe) -> None:
    for mine, others in zip(one.probes, other.probes, strict=True):
        assert mine.to_header() == others.to_header()
        for name, array in mine.to_arrays().items():
            np.testing.assert_array_equal(array, others.to_arrays()[name], strict=True)


def test_the_layer_of_a_worker_that_dies_is_fitted_again_and_no_other(cluster, tiny_encoder, tmp_path):
    cache, activations = kept(tiny_encoder, tmp_path / "shared")
    seen: list[int] = []
    logs = [tmp_path / "twice", tmp_path / "thrice"]
    for log in logs:
        log.mkdir()
    n_layers = tiny_encoder.n_layers
    with RayLayers(cache, cluster) as spread:
        found = LayerwiseProbe.fit(
            tell_deaths(activations, logs[0], {1: 2}),
            LABELS,
            LABEL_NAMES,
            spread=spread,
            progress=lambda done, total: seen.append(done),
        )
        same_probes(found, LayerwiseProbe.fit(activations, LABELS, LABEL_NAMES))
        assert read_of(logs[0]) == {layer: 3 if layer == 1 else 1 for layer in range(n_layers)}
        assert str(os.getpid()) not in {name.name.split()[2] for name in logs[0].iterdir()}
        assert seen == list(range(1, n_layers + 1))
        with pytest.raises(EncoderError, match=r"3 workers died while they worked on layer 2\. Usually their machines have too"):
            LayerwiseProbe.fit(tell_deaths(activations, logs[1], {2: 3}), LABELS, LABEL_NAMES, spread=spread)
        assert read_of(logs[1])[2] == 3


def test_every_kind_of_probe_has_its_digits_on_a_worker_and_its_errors(cluster, tiny_encoder, tmp_path):
    cache, activations = kept(tiny_encoder, tmp_path / "shared")
    some = ActivationView(activations, np.arange(0, len(TEXTS), 2))
    of = {CLASSES: (LABELS[::2], LABEL_NAMES), NUMBER: (LABELS[::2] + 0.5, ())}
    groups = np.array([f"group {number % 9}" for number in range(len(some))])
    broken = ActivationView(activations, change=lambda layer, values: values * np.nan)
    with RayLayers(cache, cluster) as spread:
        for kind, entry in PROBES.items():
            asked = (some, *of[entry.targets[0]])
            alone = LayerwiseProbe.fit(*asked, groups=groups, probe=kind)
            same_probes(LayerwiseProbe.fit(*asked, groups=groups, probe=kind, spread=spread), alone)
        with pytest.raises(ProbeError, match=r"Layer \d: "):
            LayerwiseProbe.fit(broken, LABELS, LABEL_NAMES, spread=spread)
        with pytest.raises(
            EncoderError, match=r"No machine of the Ray cluster has a core and 1,000,000 GB of memory for a layer"
        ):
            next(spread(lambda layer: layer, 1, 10**15))


def test_blocks_travel_by_name_and_a_machine_that_sees_others_is_refused(tiny_encoder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, activations = kept(tiny_encoder, Path("shared"))
    sent = pickle.dumps(activations)
    assert len(sent) < 400 * N_BLOCKS
    monkeypatch.chdir("/")
    np.testing.assert_array_equal(pickle.loads(sent).values, activations.values)
    place, here = Folder(tmp_path / "shared"), library_versions()
    with place.marked() as mark:
        np.testing.assert_array_equal(computed(pickle.dumps(activations.layer), 1, place, mark, here), activations.layer(1))
        with pytest.raises(EncoderError, match=r"might give other digits: it has numpy .*, and 1\.0 here\. Install the same"):
            computed(sent, 1, place, mark, {**here, "numpy": "1.0"})
    with pytest.raises(CacheError, match=r"On the machine .* is not the one that the others see"):
        computed(sent, 1, place, mark, here)


def test_without_a_folder_no_fit_is_spread(tiny_encoder):
    with pytest.raises(CacheError, match="Name a folder that all machines see under the same path"):
        next(RayLayers(Cache(None))(lambda layer: layer, 1, 1))


# --- By the command line --------------------------------------------------------------------------------------------------------

WORDS = tuple("sun rain dog night queue mud the was and we saw it again today there with a friend".split())


def test_a_study_finds_all_that_a_cluster_has_extracted(cluster, tiny_folder, tmp_path, capsys):
    table, out = six_class_table(tmp_path / "feelings.csv", 3), tmp_path / "shared"
    data = [f"--datasets=csv={table}", "--text_column=review", "--label_column=feeling"]
    model = [f"--model={tiny_folder(words=WORDS)}", "--layers=1,3"]
    many = ["--engine=ray", f"--address={cluster}", f"--out={out}"]
    assert run("extract", *model, *data, *many) == 0
    said = capsys.readouterr().out
    assert "105 texts done; " in said and f"Written to {out}" in said
    before = written_at(out)
    alone, found = ([f"--cache_dir={folder}", f"--out={tmp_path / name}"] for name, folder in (("alone", ""), ("found", out)))
    for place in (alone, found):
        assert run("layers", *model, *data, *place, "--checks=none", f"--save_probes={tmp_path / 'probes.safetensors'}") == 0
    layers = [json.loads((tmp_path / name / "layers.json").read_text()) for name in ("alone", "found")]
    assert layers[0] == layers[1]
    # What was there was read, and nothing was missing.
    assert written_at(out) == before
    shards = ["--shards", f"{tmp_path}/part-*.jsonl,{tmp_path}/part[2].jsonl", "--text_column=review"]
    reviews = read_texts(table, "review")[1]
    # As what writes shards leaves some; and a name that is no pattern.
    (tmp_path / "part-empty.jsonl").write_text("")
    (tmp_path / "part[2].jsonl").write_text(json.dumps({"review": None}))
    for number in range(2):
        rows = [{"review": review} for review in ["", *reviews[number::2]]]
        (tmp_path / f"part-{number}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert run("extract", *model, *shards, *many) == 0
    told = capsys.readouterr()
    assert "105 texts done; " in told.out
    for name in ("part-empty.jsonl", "part[2].jsonl"):
        assert f"'{tmp_path / name}' has no texts, and is passed over." in told.err
    before = written_at(out)
    kept = [f"--probe={tmp_path / 'probes.safetensors'}", f"--cache_dir={out}", f"--out={tmp_path / 'said.csv'}"]
    assert run("predict", str(tmp_path / "part-0.jsonl"), *kept, "--text_column=review") == 0
    assert written_at(out) == before


def test_a_study_whose_fits_a_cluster_makes_is_the_same(cluster, tiny_folder, tmp_path, capsys):
    table = six_class_table(tmp_path / "feelings.csv", 3)
    first, *rows = table.read_text().splitlines()
    # Some rows have no mood, so that probes of it are fitted to the others.
    moods = [f"{row},{('', 'good', 'bad')[number % 3]}" for number, row in enumerate(rows)]
    table.write_text("\n".join([f"{first},mood", *moods]))
    asked = [f"--model={tiny_folder(words=WORDS)}", f"--datasets=csv={table}", "--text_column=review", "--label_column=feeling"]
    asked += ["--targets=label,mood", "--checks=quick,selectivity"]
    by_name = {
        "alone": [],
        "spread": ["--engine=ray", f"--address={cluster}"],
        "found": ["--engine=ray", "--address=127.0.0.1:1"],
    }
    written = {}
    for name, engine in by_name.items():
        folder = tmp_path / ("alone" if name == "alone" else "spread")
        assert run("layers", *asked, *engine, f"--cache_dir={folder / 'cache'}", f"--out={tmp_path / name}") == 0
        written[name] = (tmp_path / name / "layers.json").read_text()
    # The last one joins no cluster, since nothing is to be fitted.
    assert written["alone"] == written["spread"] == written["found"]
    entries = [{path.name for path in (tmp_path / name / "cache/probes").iterdir()} for name in ("alone", "spread")]
    assert entries[0] == entries[1]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--address=10.0.0.1:6379"], "--address is of many machines. Add --engine=ray"),
        (
            ["--engine=ray", "--cache_dir="],
            "Name a folder that all machines see under the same path, and that can be written to, ",
        ),
        (["--engine=ray", "--probe=attention"], "the probe 'attention' reads tokens"),
    ],
)
def test_wrong_calls_of_layers_are_said(flags, said, tiny_folder, tmp_path, capsys):
    assert run("layers", f"--model={tiny_folder()}", f"--out={tmp_path}", *flags) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--address=10.0.0.1:6379"], "--address is of many machines. Add --engine=ray"),
        (["--shards=a.parquet"], "--shards is of many machines"),
        (["--engine=ray", "--float16"], "Give --cache_dtype=bfloat16."),
        (["--engine=ray", "--shards=a.parquet", "--datasets=demo"], "leave out --datasets"),
        (["--engine=ray", "--shards=/nowhere/*.parquet"], "No file is called '/nowhere/*.parquet'."),
        (["--engine=ray", "--out=ftp://there/blocks"], "'ftp://there/blocks' cannot be written to"),
    ],
)
def test_wrong_calls_are_said(flags, said, tiny_folder, capsys):
    assert run("extract", f"--model={tiny_folder()}", *flags) == 1
    assert said in capsys.readouterr().err


# --- Without a cluster ----------------------------------------------------------------------------------------------------------


def by_one_worker(encoder: Encoder, recipe: Recipe, place: Folder | Bucket, dtype: str = "float32") -> None:
    """What workers and the driver do, in this process."""
    worker, cache = Worker(recipe, "mean", dtype, place), Cache(None, dtype)
    with place.marked() as mark:
        worker.begin(mark)
        for texts in blocks():
            task = Task(*cache.block_entry(encoder.fingerprint, texts, "mean"), texts)
            place.keep(task.key, worker.write(task), task.facts)


def test_a_bucket_holds_what_a_cache_folder_would(tiny_encoder, tmp_path):
    # An address on this machine, through the same interface of pyarrow as s3://.
    place = Bucket(f"file://{tmp_path}/bucket")
    by_one_worker(tiny_encoder, Recipe.of(tiny_encoder, "cpu"), place)
    check_same_digits(tiny_encoder, tmp_path / "bucket")
    again = extract("127.0.0.1:1", tiny_encoder, place)
    assert (again.n_written, again.n_found) == (0, N_BLOCKS)


def test_blocks_are_kept_as_bfloat16_where_that_is_asked_for(tiny_encoder, tmp_path):
    by_one_worker(tiny_encoder, Recipe.of(tiny_encoder, "cpu"), Bucket(f"file://{tmp_path}/bucket"), "bfloat16")
    again = extract("127.0.0.1:1", tiny_encoder, Folder(tmp_path / "bucket"), Cache(None, "bfloat16"))
    assert (again.n_written, again.n_found) == (0, N_BLOCKS)


def test_a_worker_with_another_model_or_other_versions_is_refused(tiny_folder, tiny_encoder, tmp_path):
    other = Recipe.of(load_encoder(str(tiny_folder(seed=1))), "cpu")
    with pytest.raises(EncoderError, match=r"would compute another block: its files of the model are others\. Give all"):
        by_one_worker(tiny_encoder, other, Folder(tmp_path))
    worker, place = Worker(Recipe.of(tiny_encoder, "cpu"), "mean", "float32", Folder(tmp_path)), Folder(tmp_path)
    with place.marked() as mark:
        worker.begin(mark)
    _, facts = Cache(None).block_entry(tiny_encoder.fingerprint, TEXTS, "mean")
    older = Task("another", {**facts, "versions": {**facts["versions"], "torch": "1.0"}}, TEXTS)
    with pytest.raises(EncoderError, match=r"it has torch .*, and 1\.0 here\. Install the same versions on all machines"):
        worker.write(older)


def test_a_recipe_loads_the_encoder_that_it_is_of(tiny_folder, monkeypatch):
    folder = tiny_folder()
    monkeypatch.chdir(folder.parent)
    encoder = load_encoder(folder.name, max_length=12, keep="tail", template="It was: {text}").randomised(3)
    at_sites = encoder.at(encoder.layers[1:3])
    recipes, expected = [Recipe.of(one, "cpu") for one in (encoder, at_sites)], [encoder.fingerprint, at_sites.fingerprint]
    monkeypatch.chdir("/")
    assert [recipe.load().fingerprint for recipe in recipes] == expected


def test_a_cluster_that_is_not_there_is_said(tiny_encoder, tmp_path):
    pytest.importorskip("ray", reason=NO_RAY)
    with pytest.raises(EncoderError, match="The Ray cluster 'no cluster' cannot be joined"):
        extract("no cluster", tiny_encoder, Folder(tmp_path))


def test_a_model_in_memory_cannot_be_loaded_elsewhere(tiny_encoder, tmp_path):
    encoder = encoder_of(tiny_encoder.model, tiny_encoder.tokenizer)
    with pytest.raises(EncoderError, match="is in the memory of this program"):
        extract(None, encoder, Folder(tmp_path))


def test_gpus_are_rays_to_deal_out(tiny_encoder, tmp_path):
    with pytest.raises(EncoderError, match="Ray itself says which GPU is whose"):
        extract_blocks(tiny_encoder, "mean", blocks(), Folder(tmp_path), Cache(None), device="cuda:1")

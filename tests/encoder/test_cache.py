"""The cache: nothing is computed twice, nothing torn or foreign is trusted, nothing is lost when it cannot be written."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from counted import count_forwards

import lit_probe.encoder.cache
from lit_probe.encoder import activations as activations_module
from lit_probe.encoder.activations import extract_activations
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.cache_key import signature_of
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import CancelledError, UnknownNameError

TEXTS = [f"{'good ' * (i % 5)}film {'bad ' * (i % 3)}" for i in range(20)]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(activations_module, "BLOCK_SIZE", 8)


@pytest.fixture
def cache(tmp_path) -> Cache:
    return Cache(tmp_path / "cache")


def entries(cache: Cache) -> list[Path]:
    assert cache.folder is not None
    return sorted((cache.folder / "activations").iterdir())


def test_a_second_identical_run_makes_no_forward_pass(tiny_folder, cache):
    encoder = load_encoder(str(tiny_folder()))
    first = cache.activations(encoder, TEXTS).values
    again = load_encoder(str(tiny_folder()))
    passes = count_forwards(again)
    second = cache.activations(again, TEXTS)
    assert passes == []
    assert np.array_equal(first, second.values)
    assert all(isinstance(values, np.memmap) for block in second.blocks for values in block.values)


def test_cached_and_fresh_numbers_are_the_same_to_the_last_digit(tiny_encoder, cache):
    assert np.array_equal(cache.activations(tiny_encoder, TEXTS).values, extract_activations(tiny_encoder, TEXTS).values)


def test_an_interrupted_run_goes_on_where_it_stopped(tiny_encoder, cache):
    cache.activations(tiny_encoder, TEXTS[:8])
    passes = count_forwards(tiny_encoder)
    cache.activations(tiny_encoder, TEXTS)
    assert sum(passes) == len(TEXTS) - 8


@pytest.mark.parametrize(
    "change",
    [{"pooling": "max"}, {"texts": ["another", *TEXTS[1:]]}, {"max_length": 9}, {"keep": "tail"}, {"folder": {"seed": 1}}],
)
def test_another_pooling_text_setting_or_weight_is_another_entry(tiny_folder, cache, change):
    cache.activations(load_encoder(str(tiny_folder())), TEXTS)
    options = {key: change[key] for key in ("max_length", "keep") if key in change}
    encoder = load_encoder(str(tiny_folder(**change.get("folder", {}))), **options)
    passes = count_forwards(encoder)
    cache.activations(encoder, change.get("texts", TEXTS), change.get("pooling", "mean"))
    assert passes


def tear(entry: Path) -> None:
    path = entry / "block.safetensors"
    path.write_bytes(path.read_bytes()[:-40])


def corrupt(entry: Path) -> None:
    path = entry / "block.safetensors"
    data = bytearray(path.read_bytes())
    data[-5] ^= 0xFF
    path.write_bytes(bytes(data))


def lose_manifest(entry: Path) -> None:
    (entry / "manifest.json").unlink()


def tear_manifest(entry: Path) -> None:
    (entry / "manifest.json").write_text('{"key": "')


def foreign_manifest(entry: Path) -> None:
    manifest = json.loads((entry / "manifest.json").read_text())
    (entry / "manifest.json").write_text(json.dumps({**manifest, "key": "0" * 40}))


def add_file(entry: Path) -> None:
    (entry / "stranger.txt").write_text("hello")


def replace_by_file(entry: Path) -> None:
    shutil.rmtree(entry)
    entry.write_text("in the way")


def not_a_mapping(entry: Path) -> None:
    (entry / "manifest.json").write_text("[1, 2]")


DAMAGES = [tear, corrupt, lose_manifest, tear_manifest, foreign_manifest, add_file, replace_by_file, not_a_mapping]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_entry_is_reported_and_computed_again(tiny_encoder, cache, caplog, damage):
    expected = cache.activations(tiny_encoder, TEXTS).values
    damage(entries(cache)[0])
    passes = count_forwards(tiny_encoder)
    with caplog.at_level("WARNING"):
        repaired = cache.activations(tiny_encoder, TEXTS).values
    assert np.array_equal(repaired, expected)
    assert 0 < sum(passes) <= 8, "only the damaged block is computed again"
    assert "cannot be trusted" in caplog.text
    passes.clear()
    cache.activations(tiny_encoder, TEXTS)
    assert passes == [], "and it is stored again"


def test_blocks_are_really_checked_at_a_time(tiny_encoder, cache, monkeypatch):
    expected = cache.activations(tiny_encoder, TEXTS).values
    together, verify = threading.Barrier(3), lit_probe.encoder.cache.verify
    monkeypatch.setattr("lit_probe.encoder.cache.verify", lambda *args: together.wait(20) >= 0 and verify(*args))
    passes = count_forwards(tiny_encoder)
    assert np.array_equal(cache.activations(tiny_encoder, TEXTS).values, expected) and passes == []


def test_no_more_blocks_are_checked_at_a_time_than_may_be(tiny_encoder, cache, monkeypatch):
    monkeypatch.setattr(activations_module, "BLOCK_SIZE", 1)
    monkeypatch.setattr("lit_probe.encoder.cache.BLOCKS_CHECKED_AT_ONCE", 2)
    expected = cache.activations(tiny_encoder, TEXTS).values
    lock, running, most, verify = threading.Lock(), 0, 0, lit_probe.encoder.cache.verify

    def counted(*args):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        try:
            return verify(*args)
        finally:
            with lock:
                running -= 1

    monkeypatch.setattr("lit_probe.encoder.cache.verify", counted)
    assert np.array_equal(cache.activations(tiny_encoder, TEXTS).values, expected) and 1 <= most <= 2


@pytest.mark.parametrize("damaged", [[0], [1], [2], [0, 2], [0, 1, 2]])
@pytest.mark.parametrize("damage", [tear, corrupt, lose_manifest, replace_by_file])
def test_whichever_blocks_are_damaged_only_these_are_computed_again(tiny_encoder, cache, caplog, damaged, damage):
    expected = cache.activations(tiny_encoder, TEXTS).values
    found = entries(cache)
    for place in damaged:
        damage(found[place])
    seen = []
    with caplog.at_level("WARNING"):
        repaired = cache.activations(tiny_encoder, TEXTS, progress=lambda done, _: seen.append(done)).values
    assert np.array_equal(repaired, expected)
    assert caplog.text.count("cannot be trusted") == len(damaged)
    assert all(str(found[place]) in caplog.text for place in damaged)
    assert seen == sorted(seen) and seen[-1] == len(TEXTS)


def test_many_unsigned_blocks_are_told_of_once(tiny_encoder, cache, caplog):
    expected = cache.activations(tiny_encoder, TEXTS).values
    for entry in entries(cache):
        (entry / "manifest.hmac").unlink()
    passes = count_forwards(tiny_encoder)
    with caplog.at_level("WARNING"):
        assert np.array_equal(cache.activations(tiny_encoder, TEXTS).values, expected)
    assert sum(passes) == len(TEXTS) and caplog.text.count("cannot be trusted") == 1


def test_who_gives_up_while_blocks_are_checked_leaves_no_thread_behind(tiny_encoder, cache):
    cache.activations(tiny_encoder, TEXTS)

    def give_up(done, total):
        if done >= 8:
            raise CancelledError("enough")

    with pytest.raises(CancelledError, match="enough"):
        cache.activations(tiny_encoder, TEXTS, progress=give_up)
    assert not [one for one in threading.enumerate() if one.name.startswith("lit_probe_ahead")]


def test_a_file_that_only_pretends_to_be_a_block_is_not_trusted(tiny_encoder, cache, caplog):
    import hashlib

    expected = cache.activations(tiny_encoder, TEXTS).values
    entry = entries(cache)[0]
    (entry / "block.safetensors").write_bytes(b"not safetensors at all")
    manifest = json.loads((entry / "manifest.json").read_text())
    manifest["files"]["block.safetensors"] = hashlib.sha256(b"not safetensors at all").hexdigest()
    manifest["sizes"]["block.safetensors"] = len(b"not safetensors at all")
    (entry / "manifest.json").write_text(json.dumps(manifest))
    (entry / "manifest.hmac").write_bytes(signature_of((entry / "manifest.json").read_bytes()))
    assert np.array_equal(cache.activations(tiny_encoder, TEXTS).values, expected)
    assert "is no block of activations" in caplog.text


def test_an_unwritable_folder_is_done_without(tiny_encoder, tmp_path, caplog):
    blocked = tmp_path / "a file"
    blocked.write_text("in the way")
    cache = Cache(blocked / "cache")
    assert cache.folder is None
    assert "Going on without it" in caplog.text
    assert cache.activations(tiny_encoder, TEXTS).values.shape[0] == len(TEXTS)
    assert cache.size() == 0


def test_a_disk_that_fills_up_costs_nothing_but_the_cache(tiny_encoder, cache, monkeypatch, caplog):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lit_probe.encoder.cache._save_block", full)
    assert np.array_equal(cache.activations(tiny_encoder, TEXTS).values, extract_activations(tiny_encoder, TEXTS).values)
    assert caplog.text.count("No space left on device") == 1


def test_a_block_of_another_size_with_an_honest_checksum_is_not_trusted(tiny_encoder, cache, caplog):
    expected = cache.activations(tiny_encoder, TEXTS).values
    small, large = sorted(entries(cache), key=lambda entry: (entry / "block.safetensors").stat().st_size)[::2]
    for name in ("block.safetensors", "manifest.json"):
        manifest_key = json.loads((large / "manifest.json").read_text())["key"]
        content = (small / name).read_bytes()
        (large / name).write_bytes(content)
    manifest = json.loads((large / "manifest.json").read_text())
    (large / "manifest.json").write_text(json.dumps({**manifest, "key": manifest_key}))
    (large / "manifest.hmac").write_bytes(signature_of((large / "manifest.json").read_bytes()))
    assert np.array_equal(cache.activations(tiny_encoder, TEXTS).values, expected)
    assert "values, not those of" in caplog.text


def test_a_really_full_disk_costs_nothing_but_the_cache(tiny_folder, tmp_path):
    code = f"""
import resource, signal
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import load_encoder
from pathlib import Path
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
cache = Cache(Path({str(tmp_path / "cache")!r}))
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
print(cache.activations(load_encoder({str(tiny_folder())!r}), ["a good film"]).values.shape, cache.folder)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["(1,", "4,", "32)", "None"]
    assert not list((tmp_path / "cache").rglob("unfinished-*"))


def test_processes_that_share_a_folder_do_not_disturb_each_other(tiny_folder, tmp_path):
    code = f"""
from lit_probe.encoder import activations
activations.BLOCK_SIZE = 4
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import load_encoder
from pathlib import Path
for _ in range(5):
    cache = Cache(Path({str(tmp_path / "cache")!r}))
    values = cache.activations(load_encoder({str(tiny_folder())!r}), {TEXTS!r}).values
    assert cache.size() >= 0 and cache.folder is not None
print(float(abs(values).sum()))
"""
    workers = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(3)]
    said = [worker.communicate(timeout=120) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0, 0], said
    assert len({out for out, _ in said}) == 1


def test_no_unfinished_files_are_left_behind(tiny_encoder, cache):
    cache.activations(tiny_encoder, TEXTS)
    assert not [path for path in cache.folder.rglob("unfinished-*")]
    assert cache.size() > 0


def test_no_texts_are_no_problem(tiny_encoder, cache):
    assert cache.activations(tiny_encoder, []).values.shape == (0, 4, 32)


def test_progress_counts_every_text_once_whether_found_or_computed(tiny_encoder, cache):
    cache.activations(tiny_encoder, TEXTS[:8])
    heard: list[tuple[int, int]] = []
    cache.activations(tiny_encoder, TEXTS, progress=lambda done, total: heard.append((done, total)))
    assert heard == sorted(heard) and heard[-1] == (len(TEXTS), len(TEXTS))


@pytest.mark.parametrize("kind", ["checks", "neurons", "baselines", "selftest", "portions", "probes"])
@pytest.mark.parametrize("library", ["scipy", "numpy", "captum", "lit-probe"])
def test_what_another_version_of_a_library_computed_is_computed_again(cache, monkeypatch, kind, library):
    made: list[int] = []

    def make() -> dict[str, float]:
        made.append(1)
        return {"p": 0.04}

    for _ in range(2):
        cache.json_result(kind, {"asked": 1}, make)
    assert len(made) == 1
    version = lit_probe.encoder.cache._version
    monkeypatch.setattr("lit_probe.encoder.cache._version", lambda name: "0.0.1" if name == library else version(name))
    cache.json_result(kind, {"asked": 1}, make)
    assert len(made) == 2


def test_activations_depend_on_what_reads_texts_alone(cache, tiny_encoder, monkeypatch):
    passes = count_forwards(tiny_encoder)
    cache.activations(tiny_encoder, TEXTS)
    n_passes = len(passes)
    version = lit_probe.encoder.cache._version
    for library, reads_again in (("scipy", False), ("transformers", True)):
        monkeypatch.setattr(
            "lit_probe.encoder.cache._version", lambda name, library=library: "0" if name == library else version(name)
        )
        cache.activations(tiny_encoder, TEXTS)
        assert (len(passes) > n_passes) == reads_again


def test_activations_kept_as_bfloat16_are_torchs_and_take_half_the_room(tiny_encoder, tmp_path):
    import torch

    whole, half = Cache(tmp_path / "whole"), Cache(tmp_path / "half", "bfloat16")
    plain = whole.activations(tiny_encoder, TEXTS).values
    fresh, kept = (half.activations(tiny_encoder, TEXTS).values for _ in range(2))
    without = Cache(None, "bfloat16").activations(tiny_encoder, TEXTS).values
    expected = torch.from_numpy(plain.copy()).bfloat16().float().numpy()
    for values in (fresh, kept, without):
        np.testing.assert_array_equal(values, expected)
    blocks = [
        max(folder.rglob("block.safetensors"), key=lambda path: path.stat().st_size) for folder in (whole.folder, half.folder)
    ]
    sizes = [block.stat().st_size for block in blocks]
    assert sizes[1] < 0.65 * sizes[0]  # header and the other arrays are as they were


def test_kept_dtypes_share_nothing_and_unknown_ones_are_refused(tiny_encoder, tmp_path):
    Cache(tmp_path).activations(tiny_encoder, TEXTS)
    passes = count_forwards(tiny_encoder)
    Cache(tmp_path, "bfloat16").activations(tiny_encoder, TEXTS)
    assert sum(passes) == len(TEXTS)
    with pytest.raises(UnknownNameError, match="Unknown dtype of the cache 'float16'"):
        Cache(tmp_path, "float16")

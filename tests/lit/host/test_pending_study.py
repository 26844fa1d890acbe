import shutil
import threading
import time

import pytest
from tiny_probing import computed, tiny_splits

from lit_probe.encoder.cache import Cache
from lit_probe.encoder.dtypes import DTYPES
from lit_probe.encoder.encoder import load_encoder
from lit_probe.encoder.memory import MemoryBudget, check_weights, in_gb
from lit_probe.errors import LitProbeError
from lit_probe.lit.host.pending_study import PendingStudy, compute_in_background
from lit_probe.probing.study import probe_layers


def test_what_it_will_take_of_the_memory_is_told_as_it_is_kept(encoder):
    splits = tiny_splits()
    n_texts = sum(len(rows) for _, rows in splits.items())
    for cache, size in ((None, 4), (Cache(None), 4), (Cache(None, "bfloat16"), 2)):
        told = PendingStudy(encoder, splits, cache=cache).status()["message"]
        n_bytes = size * n_texts * encoder.n_layers * encoder.d_model
        assert f"of weights in float32 and {in_gb(n_bytes)} of activations of {n_texts} texts)" in told


def test_a_study_waits_computes_and_is_ready(encoder):
    study = PendingStudy(encoder, tiny_splits())
    waiting = study.status()
    assert (waiting["status"], waiting["fraction"]) == ("computing", 0.0)
    assert waiting["message"].startswith("Waiting to encode tiny with tiny-bert (0.")
    seen = []

    def compute(progress):
        def listen(*step):
            progress(*step)
            seen.append(study.status())

        return probe_layers(encoder, study.splits, progress=listen)

    study.compute(compute)
    assert study.status() is None
    assert study.result().splits is study.splits
    assert all(status["status"] == "computing" and 0 <= status["fraction"] <= 1 for status in seen)
    assert "Encoding tiny train: 80 of 80 texts" in [status["message"] for status in seen]


def test_progress_is_told_in_words_and_as_a_fraction(encoder):
    study = PendingStudy(encoder, tiny_splits())
    study.report("Encoding sst2 train", 2_048, 6_920, "texts")
    status = study.status()
    assert status["message"] == "Encoding sst2 train: 2,048 of 6,920 texts"
    assert status["fraction"] == pytest.approx(0.296, abs=1e-3)
    study.report("Encoding sst2 test", 0, 0, "texts")
    assert study.status()["fraction"] == 1.0


def fail_with(study, error):
    def compute(progress):
        raise error

    study.compute(compute)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (LitProbeError("Layer 3 has NaN"), "Layer 3 has NaN. Once this is mended, start again."),
        (LitProbeError("/secret/path.csv is gone."), "[path] is gone. Once this is mended, start again."),
        (ZeroDivisionError("/secret/path"), "ZeroDivisionError (the log says more). Start again to retry."),
    ],
)
def test_a_failure_is_kept_as_a_message_and_raised_to_whoever_asks(encoder, error, said):
    study = PendingStudy(encoder, tiny_splits())
    fail_with(study, error)
    message = f"The probes of tiny-bert on tiny could not be computed: {said}"
    on_page = message.replace("start again", "press Retry").replace("Start again to retry", "Press Retry")
    assert study.status() == {"status": "failed", "message": on_page, "can_retry": True}
    with pytest.raises(LitProbeError) as caught:
        study.result()
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("torn", "said"), [(lambda size: size - 10, "the file is incomplete"), (lambda size: 60, "the file is damaged")]
)
def test_a_torn_checkpoint_is_told_without_its_path_and_with_what_to_do(tiny_folder, tmp_path, torn, said):
    folder = tmp_path / "half downloaded"
    shutil.copytree(tiny_folder(), folder)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[: torn(weights.stat().st_size)])
    encoder = load_encoder(str(folder))
    study = PendingStudy(encoder, tiny_splits())
    study.compute(lambda progress: probe_layers(encoder, study.splits))
    message = study.status()["message"]
    assert message.endswith(f": {said}. Repair the checkpoint or download it again, then press Retry.")
    assert str(tmp_path) not in message and "half downloaded/" not in message


@pytest.mark.parametrize("n_bytes", [10, 100_000])
@pytest.mark.parametrize("dtype", DTYPES)
def test_weights_that_are_too_large_are_no_broken_checkpoint(encoder, dtype, n_bytes):
    study = PendingStudy(encoder, tiny_splits())
    study.compute(lambda progress: check_weights(encoder.checkpoint, dtype, MemoryBudget(n_bytes / DTYPES[dtype], given=False)))
    message = study.status()["message"]
    assert f"in {dtype}, and this machine has " in message
    assert "Repair" not in message and message.endswith("Once this is mended, press Retry.")


def test_a_result_that_is_not_there_yet_is_never_waited_for(encoder):
    study = PendingStudy(encoder, tiny_splits())
    study.report("Encoding tiny train", 20, 80, "texts")
    with pytest.raises(LitProbeError, match="tiny-bert on tiny are still being computed: Encoding tiny train: 20 of 80 texts"):
        study.result()


def test_studies_are_computed_one_after_another_and_a_failure_stops_none(encoder):
    first, second = PendingStudy(encoder, tiny_splits("first")), PendingStudy(encoder, tiny_splits("second"))
    running = []

    def fail(progress):
        running.append("first")
        time.sleep(0.05)
        running.append("first done")
        raise LitProbeError("no")

    def succeed(progress):
        running.append("second")
        return computed(encoder, second.splits).result()

    thread = compute_in_background([(first, fail), (second, succeed)])
    assert thread.daemon and thread is not threading.main_thread()
    assert second.future.result().splits.name == "second"
    assert running == ["first", "first done", "second"]
    assert first.status()["status"] == "failed"


# ---- trying again


def until_done(study):
    deadline = time.monotonic() + 60
    while (status := study.status()) and status["status"] == "computing":
        assert time.monotonic() < deadline, status
        time.sleep(0.02)
    return status


def test_what_did_not_fail_is_not_tried_again(encoder):
    waiting = PendingStudy(encoder, tiny_splits())
    assert not waiting.retry()
    ready = computed(encoder, tiny_splits())
    result = ready.result()
    assert not ready.retry()
    assert ready.result() is result


def test_a_failed_study_is_computed_again_and_all_who_listen_hear_of_it_each_time(encoder):
    study, heard, fails = PendingStudy(encoder, tiny_splits()), [], [True]
    study.when_done(lambda future: heard.append(future.exception()))

    def compute(progress):
        if fails:
            raise LitProbeError("The disk is full.")
        return probe_layers(encoder, study.splits, progress=progress)

    study.compute(compute)
    assert study.retry()
    assert "The disk is full" in until_done(study)["message"]
    fails.clear()
    assert study.retry()
    assert until_done(study) is None
    assert study.result().splits is study.splits
    assert [type(error) for error in heard] == [LitProbeError, LitProbeError, type(None)]


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_a_repaired_checkpoint_is_tried_again_without_a_word_and_gives_what_it_always_gave(tiny_folder, tmp_path, name):
    folder, splits, cache = tmp_path / "model", tiny_splits(), Cache(tmp_path / "cache")
    shutil.copytree(tiny_folder(), folder)
    whole = (folder / name).read_bytes()
    encoder = load_encoder(str(folder))
    (folder / name).write_bytes(whole[: len(whole) - 10])
    study = PendingStudy(encoder, splits)
    study.compute(lambda progress: probe_layers(encoder, splits, cache=cache, progress=progress))
    assert study.status()["status"] == "failed"
    (folder / name).write_bytes(whole)
    deadline = time.monotonic() + 60
    while study.status():
        assert time.monotonic() < deadline, study.status()
        time.sleep(0.05)
    expected = load_encoder(str(tiny_folder()))
    # Kept under the repaired files' own hashes, not under those of the torn ones.
    assert encoder.hashes == expected.hashes
    assert study.result().to_json()["layers"] == probe_layers(expected, splits).to_json()["layers"]


def test_a_folder_that_vanishes_is_said_and_its_return_is_noticed(tiny_folder, tmp_path):
    folder, splits = tmp_path / "model", tiny_splits()
    shutil.copytree(tiny_folder(), folder)
    encoder = load_encoder(str(folder))
    folder.rename(tmp_path / "elsewhere")
    study = PendingStudy(encoder, splits)
    study.compute(lambda progress: probe_layers(encoder, splits, progress=progress))
    status = study.status()
    assert status["status"] == "failed" and "press Retry" in status["message"] and str(tmp_path) not in status["message"]
    (tmp_path / "elsewhere").rename(folder)
    deadline = time.monotonic() + 60
    while study.status():
        assert time.monotonic() < deadline, study.status()
        time.sleep(0.05)


def done(study: PendingStudy) -> None:
    deadline = time.monotonic() + 60
    while not study.future.done():
        assert time.monotonic() < deadline, study.status()
        time.sleep(0.02)


def test_a_study_that_is_ready_never_reads_edits_with_the_weights_of_one_that_is_tried_again(tiny_folder, tmp_path):
    folder, splits, cache = tmp_path / "model", tiny_splits(), Cache(tmp_path / "cache")
    shutil.copytree(tiny_folder(), folder)
    whole = (folder / "model.safetensors").read_bytes()
    first = load_encoder(str(folder))
    probe_layers(first, splits, cache=cache)

    encoder = load_encoder(str(folder))  # finds everything in the cache, so that no weights are loaded
    ready, other = PendingStudy(encoder, splits), PendingStudy(encoder, splits)
    ready.compute(lambda progress: probe_layers(encoder, splits, cache=cache, progress=progress))
    assert ready.ready
    (folder / "model.safetensors").write_bytes(whole[:-4] + b"\0\0\0\0")  # as whole, and another last weight
    assert (folder / "model.safetensors").read_bytes() != whole
    other.compute(lambda progress: probe_layers(encoder, splits, progress=progress))
    for _ in range(2):
        assert other.failed and "have changed" in str(other.future.exception())
        assert other.retry()
        done(other)
    with pytest.raises(LitProbeError, match="have changed"):
        _ = encoder.model
    # Back again, they are taken.
    (folder / "model.safetensors").write_bytes(whole)
    assert other.retry()
    done(other)
    assert other.ready and encoder.hashes == first.hashes


def test_weights_that_change_between_their_hash_and_their_reading_are_not_used(tiny_folder, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(tiny_folder(), folder)
    encoder = load_encoder(str(folder))
    _ = encoder.hashes
    shutil.copy(tiny_folder("roberta") / "model.safetensors", folder / "model.safetensors")
    with pytest.raises(LitProbeError, match="have changed while they were read"):
        probe_layers(encoder, tiny_splits())


def test_a_study_that_was_ended_stops_and_stays_so(encoder):
    study = PendingStudy(encoder, tiny_splits())
    study.end()
    study.compute(lambda progress: probe_layers(encoder, study.splits, progress=progress))
    assert study.status()["status"] == "failed"
    assert not study.retry()

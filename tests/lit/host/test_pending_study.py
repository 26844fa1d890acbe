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
    assert study.status() == {"status": "failed", "message": message}
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
    assert message.endswith(f": {said}. Repair the checkpoint or download it again, then start again.")
    assert str(tmp_path) not in message and "half downloaded/" not in message


@pytest.mark.parametrize("n_bytes", [10, 100_000])
@pytest.mark.parametrize("dtype", DTYPES)
def test_weights_that_are_too_large_are_no_broken_checkpoint(encoder, dtype, n_bytes):
    study = PendingStudy(encoder, tiny_splits())
    study.compute(lambda progress: check_weights(encoder.checkpoint, dtype, MemoryBudget(n_bytes / DTYPES[dtype], given=False)))
    message = study.status()["message"]
    assert f"in {dtype}, and this machine has " in message
    assert "Repair" not in message and message.endswith("Once this is mended, start again.")


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

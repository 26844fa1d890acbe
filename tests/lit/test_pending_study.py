import threading
import time

import pytest
from tiny_probing import computed, tiny_splits

from lit_probe.errors import LitProbeError
from lit_probe.lit.pending_study import PendingStudy, compute_in_background
from lit_probe.study import probe_layers


def test_a_study_waits_computes_and_is_ready(encoder):
    study = PendingStudy(encoder, tiny_splits())
    assert study.status() == {"status": "computing", "message": "Waiting to encode tiny with tiny-bert", "fraction": 0.0}
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


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (LitProbeError("Layer 3 has NaN"), "Layer 3 has NaN"),
        (ZeroDivisionError("/secret/path"), r"ZeroDivisionError \(the server's log"),
    ],
)
def test_a_failure_is_kept_as_a_message_and_raised_to_whoever_waits(encoder, error, said):
    study = PendingStudy(encoder, tiny_splits())

    def fail(progress):
        raise error

    study.compute(fail)
    assert study.status()["status"] == "failed"
    with pytest.raises(LitProbeError, match=said) as caught:
        study.result()
    assert study.status()["message"] == str(caught.value)
    assert "/secret" not in str(caught.value)


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
    assert second.result().splits.name == "second"
    assert running == ["first", "first done", "second"]
    assert first.status()["status"] == "failed"

"""A run in steps: whatever is done of it can be read, and in the end it is what it would be at once."""

from __future__ import annotations

import json

from planted_studies import sentences
from reported_runs import N_REPEATS, made_run

from lit_probe.checks.battery import CHECKS
from lit_probe.data import split_texts
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import load_encoder
from lit_probe.probing.study import probe_layers
from lit_probe.report.page import report_html
from lit_probe.report.run_file import run_of
from lit_probe.report.run_in_steps import AskedChecks, run_in_steps


def test_every_step_can_be_read_and_the_last_is_the_run_at_once(tiny_folder):
    encoder, names = load_encoder(str(tiny_folder())), ("films", "more films")
    texts, labels = sentences()
    splits_list = [split_texts(texts, labels, name=name, seed=seed) for seed, name in enumerate(names)]
    asked = AskedChecks(tuple(CHECKS), True, N_REPEATS, "word")
    steps = list(run_in_steps(splits_list, lambda splits: probe_layers(encoder, splits), asked, cache=Cache(None)))

    assert [step.about for step in steps if step.fitted] == list(names) == [step.about for step in steps[:2]]
    first = steps[0]
    assert first.left[0] == "the curve of more films" and first.left[-1] == "other splits of more films"
    assert [len(step.left) for step in steps] == list(range(len(steps)))[::-1]
    order = [name for step in steps for name in step.checks.get("films", ())]
    assert [CHECKS[name].quick for name in dict.fromkeys(order)] == sorted((one.quick for one in CHECKS.values()), reverse=True)

    for step in steps:
        written = json.loads(json.dumps(step.to_json(step.studies["films"].settings()), allow_nan=False))
        page = report_html(run_of(written))
        assert ("Learning curve: not run" in page) == ("learning_curve" not in step.checks.get("more films", {}))
        assert list(written["datasets"]["films"]["checks"]) == [name for name in CHECKS if name in step.checks.get("films", {})]
    assert written == json.loads(json.dumps(made_run(encoder, names)))

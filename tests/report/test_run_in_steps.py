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
from lit_probe.report.run_in_steps import KEPT, AskedChecks, RunSoFar, run_in_steps


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


def ahead(splits, encoder, cache: Cache, *names: str) -> dict[str, str]:
    """What is said of the time of each check, by its title, before it begins."""

    def study(splits):
        return probe_layers(encoder, splits, cache=cache)

    steps: list[RunSoFar] = list(run_in_steps([splits], study, AskedChecks(names, False, N_REPEATS, "word"), cache=cache))
    assert all(step.ahead.startswith(f"{step.left[0]}: ") for step in steps if step.ahead)
    return dict(step.ahead.split(": ") for step in steps if step.ahead)


def test_the_time_of_a_check_is_told_as_far_as_this_run_has_measured_it(tiny_folder, tmp_path):
    encoder, cache, (texts, labels) = load_encoder(str(tiny_folder())), Cache(tmp_path), sentences()
    splits = split_texts(texts, labels, name="films", seed=0)
    first = ahead(splits, encoder, cache, "selectivity", "baselines", "description_length", "learning_curve", "calibration")
    # The learning curve has the fits of the description length, and what is quick needs no word.
    assert list(first) == ["selectivity of films", "baselines of films", "description length of films"]
    assert all(said.startswith("about ") for said in first.values())

    again = ahead(splits, encoder, cache, "selectivity", "baselines", "calibration")
    assert again == {"selectivity of films": KEPT, "baselines of films": KEPT}

    # The curve is kept, and all that is read, so nothing is known before a check has fitted something.
    control = split_texts(texts, labels, name="other films", seed=0)
    later = ahead(control, encoder, cache, "selectivity", "baselines", "repeats")
    assert list(later) == ["baselines of other films", "other splits of other films"]
    assert all(said.startswith("about ") for said in later.values())

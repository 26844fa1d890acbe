"""A server for a class: what a teacher's server has kept is shown, short questions are answered, and nothing else happens."""

from __future__ import annotations

import time

import pytest
from asking_browser import Browser
from counted import count_forwards
from tiny_probing import tiny_splits

from lit_probe.checks.battery import CHECKS, REPEATS
from lit_probe.encoder.activations import BLOCK_SIZE
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import Encoder
from lit_probe.errors import LitProbeError
from lit_probe.lit.app import AppOptions, build
from lit_probe.lit.host.read_only import MOST_ANEW, MOST_NEW_TEXTS, NOT_CHANGED, NOT_COMPUTED, ReadOnlyChecks
from lit_probe.probing.study import probe_layers
from lit_probe.salience import SALIENCE_METHODS

DATASET = "tiny"
ENOUGH_S = 120
# Checks that take long. Repeats take longest and stand for those that the teacher has not opened.
KEPT = tuple(name for name, check in CHECKS.items() if not check.quick and name != REPEATS)


def opened(encoder, cache, **options) -> Browser:
    def study(one, splits, progress):
        return probe_layers(one, splits, cache=cache, progress=progress)

    browser = Browser(build([encoder], [tiny_splits()], AppOptions(**options), study, cache))
    browser.wait_for(f"{encoder.name}-on-{DATASET}", DATASET)
    return browser


@pytest.fixture(scope="module")
def pages(encoder, tmp_path_factory):
    """The teacher's page, on which some checks were opened, and the class's."""
    cache = Cache(tmp_path_factory.mktemp("cache"))
    teacher = opened(encoder, cache)
    for check in KEPT:
        assert until_known(teacher, encoder, "probe_checks", check=check)["status"] == "ready"
    return teacher, opened(encoder, cache, read_only=True)


@pytest.fixture(scope="module")
def teacher(pages):
    return pages[0]


@pytest.fixture(scope="module")
def page(pages):
    return pages[1]


def say(page, encoder, interpreter, inputs=(), **config):
    return page.interpret(interpreter, list(inputs), f"{encoder.name}-on-{DATASET}", DATASET, config, do_predict=0)


def until_known(page, encoder, interpreter, inputs=(), **config):
    deadline = time.monotonic() + ENOUGH_S
    while (answer := say(page, encoder, interpreter, inputs, **config))["status"] == "computing":
        assert time.monotonic() < deadline, answer
        time.sleep(0.05)
    return answer


@pytest.mark.parametrize("check", KEPT)
def test_what_was_computed_before_is_shown(teacher, page, encoder, check):
    assert until_known(page, encoder, "probe_checks", check=check) == until_known(teacher, encoder, "probe_checks", check=check)


@pytest.mark.parametrize(
    ("interpreter", "config"),
    [
        ("probe_checks", {"check": REPEATS}),
        ("layer_similarity", {"measure": "cka"}),
        ("projections", {"method": "tsne"}),
        ("neuron_ablation", {"part": "erasure"}),
        ("concept_map", {}),
    ],
)
def test_what_takes_long_and_is_not_kept_is_refused_in_one_sentence_each_time(page, encoder, interpreter, config):
    for _ in range(2):
        answer = until_known(page, encoder, interpreter, **config)
        assert (answer["status"], answer["message"], answer["can_retry"]) == ("failed", NOT_COMPUTED, False)


@pytest.mark.parametrize("n_at_once", [1, 3])
def test_no_block_is_read_however_many_are_in_the_making_at_once(encoder, tmp_path, monkeypatch, n_at_once):
    monkeypatch.setattr(Encoder, "blocks_at_once", n_at_once)
    checks, passes = ReadOnlyChecks(Cache(tmp_path)), count_forwards(encoder)
    texts = [f"the film was read number {n}" for n in range(3 * BLOCK_SIZE)]

    def read(progress):
        checks.cache.activations(encoder, texts, "mean", progress=progress)
        return {"status": "ready"}

    while (answer := checks.ask("read", "Reading", read, quick=False))["status"] == "computing":
        time.sleep(0.02)
    assert (answer["status"], answer["message"]) == ("failed", NOT_COMPUTED)
    assert not passes and not list(tmp_path.glob("activations/*"))


def test_short_questions_and_edits_are_answered_and_leave_nothing_behind(page, encoder):
    rows = page.rows(DATASET)
    edit = page.add(rows[0], "the film was very great and slow")
    assert until_known(page, encoder, "layer_predictions", [edit])["status"] == "ready"
    assert until_known(page, encoder, "layer_metrics", [row["id"] for row in rows])["status"] == "ready"
    assert until_known(page, encoder, "probe_checks", check="calibration")["status"] == "ready"
    assert until_known(page, encoder, "salience_map", [edit], method="occlusion")["status"] == "ready"
    assert page.rows(DATASET) == rows


def test_what_is_computed_for_each_example_is_computed_for_few_at_a_time(page, encoder):
    rows = page.rows(DATASET)
    ids = [row["id"] for row in rows[: MOST_ANEW + 1]]
    names = {"model": f"{encoder.name}-on-{DATASET}", "dataset_name": DATASET, "do_predict": 0}
    titles = {method.title for method in SALIENCE_METHODS.values()}
    rows_of_maps = [name for name in page.ask("/get_info")["interpreters"] if name in titles]
    assert rows_of_maps
    for name in rows_of_maps:
        refused = page.post("/get_interpretations", {"inputs": ids}, **names, interpreter=name)
        assert refused.status_code == 400 and "it takes 20 at a time; 21 were sent" in refused.get_data(as_text=True), name
    assert len(page.interpret(rows_of_maps[0], ids[:MOST_ANEW], names["model"], DATASET)) == MOST_ANEW
    edits = [page.add(rows[0], f"the film was great number {n}") for n in range(MOST_ANEW + 1)]
    refused = page.post("/get_interpretations", {"inputs": edits}, **names, interpreter="layer_predictions")
    assert refused.status_code == 400 and "21 were sent" in refused.get_data(as_text=True)
    # Predictions that LIT keeps cost a pass once.
    assert len(page.ask("/get_preds", {"inputs": edits}, model=names["model"], dataset_name=DATASET)) == len(edits)


def test_edited_texts_are_read_some_at_a_time_and_rows_all_together(teacher, page, encoder):
    rows = page.rows(DATASET)
    names = {"model": f"{encoder.name}-on-{DATASET}", "dataset_name": DATASET}
    edits = [page.add(rows[0], f"the film was read number {n}") for n in range(MOST_NEW_TEXTS + 1)]
    ids = [row["id"] for row in rows]
    refused = [
        page.post("/get_preds", {"inputs": edits}, **names),
        page.post("/get_metrics", {"inputs": edits}, **names, metrics="held out"),
    ]
    for answer in refused:
        text = answer.get_data(as_text=True)
        assert answer.status_code == 400 and "it reads 200 edited texts at a time; 201 were sent" in text, text
    assert len(page.ask("/get_preds", {"inputs": [*ids, *edits[1:]]}, **names)) == len(ids) + MOST_NEW_TEXTS
    assert len(teacher.ask("/get_preds", {"inputs": edits}, **names)) == len(edits)


def test_nothing_is_made_changed_or_cancelled(page, encoder):
    for config in (
        {"part": "make", "target": "surface:n_words"},
        {"part": "drop", "model": "x"},
        {"part": "forget", "before": "x"},
    ):
        answer = say(page, encoder, "new_probe", **config)
        assert (answer["status"], answer["message"]) == ("failed", NOT_CHANGED)
    assert say(page, encoder, "new_probe", part="offers")["made"] == []
    answer = say(page, encoder, "probe_checks", check=KEPT[0], cancel=True)
    assert (answer["status"], answer["message"]) == ("failed", NOT_CHANGED)
    assert until_known(page, encoder, "probe_checks", check=KEPT[0])["status"] == "ready"


def test_what_asks_the_model_for_every_word_or_reads_every_row_anew_is_not_offered(teacher, page):
    both = [next(iter(one.ask("/get_info")["models"].values())) for one in (teacher, page)]
    assert set(both[0]["generators"]) - set(both[1]["generators"]) == {"Ablation Flip", "HotFlip"}
    assert set(both[0]["interpreters"]) - set(both[1]["interpreters"]) <= {"umap"}


def test_a_folder_that_others_may_write_to_is_gone_on_with_here_too(tmp_path):
    tmp_path.chmod(0o777)
    assert ReadOnlyChecks(Cache(tmp_path, shared=True)).cache.folder == tmp_path


def test_retry_after_a_lost_connection_asks_again_and_of_a_failed_study_changes_nothing(encoder, page):
    assert say(page, encoder, "provenance", retry=True)["status"] == "ready"

    def fails(one, splits, progress):
        raise LitProbeError("The disk is gone")

    broken = Browser(build([encoder], [tiny_splits()], AppOptions(read_only=True), fails))
    while (answer := say(broken, encoder, "provenance"))["status"] == "computing":
        time.sleep(0.02)
    assert answer["status"] == "failed" and answer["can_retry"] is False and "Retry" not in answer["message"]
    assert answer["message"].endswith("The disk is gone. Once this is mended, start again.")
    model = f"{encoder.name}-on-{DATASET}"
    asked = {"model": model, "dataset_name": DATASET, "interpreter": "provenance", "do_predict": 0}
    refused = broken.post("/get_interpretations", {"inputs": [], "config": {"retry": True}}, **asked)
    assert refused.status_code == 400 and NOT_CHANGED in refused.get_data(as_text=True)

"""Copies across splits: the page never waits for them, and says so until they are there."""

from __future__ import annotations

import numpy as np
import pytest
from asking_browser import Browser
from held_checks import HeldSearch
from lit_nlp.api.dataset import IndexedDataset
from tiny_probing import computed, models_of, tiny_splits
from tiny_words import word_splits

from lit_probe.checks import battery
from lit_probe.checks.leakage import near_duplicates
from lit_probe.data.labelled_texts import LabelledTexts, Splits
from lit_probe.encoder.cache import Cache
from lit_probe.errors import LitProbeError
from lit_probe.lit.app import DATASETS, AppOptions, build
from lit_probe.lit.host.copies import Copies
from lit_probe.lit.host.dataset import NEAR_COPIES_LATER, ProbeDataset
from lit_probe.lit.host.pending_checks import NotReadyError
from lit_probe.lit.interpreters.layer_metrics import LayerMetricsInterpreter
from lit_probe.lit.interpreters.provenance import ProvenanceInterpreter
from lit_probe.lit.interpreters.report import ReportInterpreter
from lit_probe.probing.study import probe_layers

FOUND = near_duplicates(tiny_splits())


@pytest.fixture
def held(monkeypatch):
    held = HeldSearch.instead_of_searches(monkeypatch)
    yield held
    held.finish()


def failing(splits):
    raise MemoryError("no room")


def test_of_few_texts_they_are_known_at_once():
    copies = Copies(tiny_splits())
    assert copies.known_at_once == copies.result() == FOUND and not copies.looking


def test_of_many_texts_they_are_looked_for_meanwhile(held):
    copies = Copies(tiny_splits())
    assert copies.known_at_once is None and copies.looking
    with pytest.raises(NotReadyError) as told:
        copies.result()
    assert told.value.status == {
        "status": "computing",
        "message": "Looking for copies of texts of tiny in its other splits",
        "fraction": 0.0,
    }
    held.finish()
    assert copies.result() == FOUND and not copies.looking and copies.known_at_once is None


def test_what_the_cache_has_is_known_at_once_however_many_texts_there_are(held, tmp_path):
    Copies(tiny_splits(), Cache(tmp_path))
    held.finish()
    assert Copies(tiny_splits(), Cache(tmp_path)).known_at_once == FOUND and held.n_begun == 1
    assert Copies(tiny_splits(start=7), Cache(tmp_path)).known_at_once is None


def test_a_search_that_fails_is_told(held, monkeypatch, caplog):
    monkeypatch.setattr(battery, "near_duplicates", failing)
    copies = Copies(tiny_splits())
    held.finish()
    with pytest.raises(LitProbeError, match="Looking for copies of texts of tiny in its other splits failed"):
        copies.result()
    assert "no room" in caplog.text


def test_rows_wear_badges_that_hold_before_near_copies_are_known(held):
    def rows(*texts: str) -> LabelledTexts:
        return LabelledTexts(texts, np.arange(len(texts)) % 2, ("no", "yes"))

    train = rows("a fine little film about the old sea", "nothing but noise and dust")
    dev, test = rows("a fine little film about the cold sea", "three sisters leave"), rows("Nothing but  noise and dust")
    shown = ProbeDataset(Splits("badges", train, dev, test))
    assert [example["in_train"] for example in shown.examples] == [
        "no exact copy in train",
        "no exact copy in train",
        "near copy in train",
        "in train",
        "in train",
    ]
    assert set(shown.spec()["in_train"].vocab) >= {example["in_train"] for example in shown.examples}
    assert shown.spec()["in_train"].vocab[0] == "not in train", "what LIT's editor gives a new text"
    assert "looked for after the page had opened" in shown.description()


def test_examples_of_words_wear_them_too(held):
    badges = {example["in_train"] for example in DATASETS["word"](word_splits()).examples}
    assert badges == {"in train", "no exact copy in train"}


@pytest.fixture
def model(encoder, held):
    return models_of([computed(encoder, tiny_splits())])[0]


def test_the_curve_does_not_wait_for_them_and_its_panel_can_ask_how_far_they_are(model, held):
    shown = IndexedDataset(base=model.dataset)
    curve = LayerMetricsInterpreter().run([], model, shown, None, {"whole": True})
    assert curve["status"] == "ready" and curve["looking_for_copies"] and curve["series"]
    assert curve["notes"][-2:] == ["Copies across splits: none removed at load.", NEAR_COPIES_LATER]
    for interpreter in (ProvenanceInterpreter(), ReportInterpreter()):
        told = interpreter.run([], model, shown, None, {})
        assert (told["status"], told["message"]) == ("computing", "Looking for copies of texts of tiny in its other splits")
    held.finish()
    told = ProvenanceInterpreter().run([], model, shown, None, {})
    assert told["near_duplicates"] == {key: FOUND.to_json()[key] for key in ("exact", "near", "notes")}
    later = LayerMetricsInterpreter().run([], model, shown, None, {"whole": True, "metric": "log_loss"})
    assert "looking_for_copies" not in later
    left = f"Copies across splits: none removed at load; {FOUND.exact} exact and {FOUND.near} near ones left."
    assert [left, *FOUND.notes, NEAR_COPIES_LATER] == later["notes"][-2 - len(FOUND.notes) :]


def test_a_curve_is_shown_where_they_could_not_be_looked_for(held, monkeypatch, encoder):
    monkeypatch.setattr(battery, "near_duplicates", failing)
    (model,) = models_of([computed(encoder, tiny_splits())])
    held.finish()
    curve = LayerMetricsInterpreter().run([], model, IndexedDataset(base=model.dataset), None, {})
    assert curve["status"] == "ready" and any("copies of texts of tiny" in note and "failed" in note for note in curve["notes"])


def test_a_server_opens_without_them_and_the_next_one_marks_them(held, encoder, tmp_path):
    def opened() -> Browser:
        def make_study(encoder, splits, _):
            return probe_layers(encoder, splits, cache=Cache(tmp_path))

        browser = Browser(build([encoder], [tiny_splits()], AppOptions(), make_study, Cache(tmp_path)))
        browser.wait_for("tiny-bert-on-tiny")
        return browser

    def badges(browser: Browser) -> set[str]:
        return {row["data"]["in_train"] for row in browser.rows("tiny")}

    browser = opened()
    assert held.n_begun == 1 and badges(browser) == {"in train", "no exact copy in train"}
    assert browser.interpret("layer_metrics", [], config={"whole": True}, do_predict=0)["looking_for_copies"]
    held.finish()
    assert badges(opened()) == {"in train", "near copy in train", "not in train"} and held.n_begun == 1

"""The client's tests draw answers that a server gave: these must have the shape of those that it gives now."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from language_models import build_masked
from lit_nlp.api.dataset import IndexedDataset
from panel_questions import ASKED, CHECKS, answer_of
from tiny_probing import LABELS, computed, edited, models_of, tiny_splits, worded_splits

from lit_probe.checks.baselines import panel_baselines
from lit_probe.encoder.encoder import load_encoder
from lit_probe.lit.host.pending_study import PendingStudy

RECORDED = Path(__file__).parents[2] / "client" / "recorded_answers.json"


@pytest.fixture(scope="module")
def masked_folder(tmp_path_factory) -> Path:
    return build_masked(tmp_path_factory.mktemp("masked") / "tiny-masked")


@pytest.fixture(scope="module")
def answers(tiny_folder, masked_folder) -> dict[str, Any]:
    encoder = load_encoder(str(tiny_folder(n_classes=2)))
    encoder.checkpoint.config["id2label"] = dict(enumerate(LABELS))
    splits = worded_splits()
    model, other = models_of([computed(encoder, splits), computed(encoder, tiny_splits())])
    model.peers["twin"] = computed(encoder.named("twin"), splits)
    rows = IndexedDataset(base=model.dataset).examples
    provenance = answer_of(model, "provenance", rows, number={"check": "layer_metrics", "examples": "whole data set"})
    provenance["card"]["model"]["id"] = "tiny-bert"  # Not where it stands on this machine.
    report = answer_of(model, "report")
    report["html"] = report["html"][:15]  # The page itself would be most of the file.
    file = answer_of(model, "probe_file")
    kept_scores = answer_of(model, "kept_probe", file=file["file"], whole=True)
    kept_classes = answer_of(model, "kept_probe", rows[:2], file=file["file"], part="classes")
    pair = [rows[0], edited(rows[0], text=rows[0]["text"].replace("was", "is"))]
    (masked,) = models_of([PendingStudy(load_encoder(str(masked_folder)), splits)])
    return {
        "layer_metrics": answer_of(model, "layer_metrics", rows),
        "train_alone": answer_of(model, "layer_metrics", [row for row in rows if row["probe_split"] == "train"]),
        **{check: answer_of(model, "probe_checks", check=check) for check in CHECKS},
        "two_layers": answer_of(model, "probe_checks", check="layer_comparison", layers=[3, 1]),
        "concept_map": answer_of(model, "concept_map", targets=["label", "surface:n_words", "surface:capital"]),
        "encoder_comparison": answer_of(model, "encoder_comparison", other="tiny-bert-on-worded"),
        "slice_comparison": answer_of(model, "slice_comparison", rows, slices=[[*range(20)], [*range(20, 50)]], layer=1),
        "baseline_of_text": answer_of(model, "probe_checks", check="baselines", baseline="tfidf"),
        "baseline_by_layer": answer_of(model, "probe_checks", check="baselines", baseline="shuffled"),
        "transfer": answer_of(other, "transfer"),
        "layer_similarity": answer_of(model, "layer_similarity", measure="pwcca", other="random weights"),
        "similarity_series": answer_of(model, "layer_similarity", measure="pwcca", other="the series"),
        "lens_about": answer_of(masked, "lens", part="about"),
        "lens_tokens": answer_of(masked, "lens", pair, part="tokens", watch=["good", "dragon"]),
        "lens_classes": answer_of(model, "lens", pair, part="classes"),
        "lens_curve": answer_of(model, "lens", part="curve"),
        "provenance": provenance,
        "report": report,
        "probe_file": {**file, "file": file["file"][:15]},
        "kept_probe_scores": kept_scores,
        "kept_probe_classes": kept_classes,
        **{name: answer_of(model, interpreter, pair[:n_rows], **asked) for name, (interpreter, n_rows, asked) in ASKED.items()},
    }


def shape(value: Any) -> Any:
    """Names and kinds without the values; of a list, those of its first entry."""
    if isinstance(value, dict):
        return {name: shape(one) for name, one in value.items()}
    if isinstance(value, list):
        return [shape(one) for one in value[:1]]
    # What is missing in one answer may be there in another.
    return "value" if isinstance(value, float | int | str) or value is None else type(value).__name__


def test_recorded_answers_have_the_shape_of_those_that_the_server_gives(answers):
    if not RECORDED.exists():
        RECORDED.write_text(json.dumps(answers, ensure_ascii=False, separators=(",", ":")) + "\n")
        pytest.fail("The answers were recorded anew: run the tests of the client.")
    recorded = json.loads(RECORDED.read_text())
    assert set(recorded) == set(answers)
    anew = f"delete {RECORDED.name}, and run this test to record it anew"
    assert recorded["layer_metrics"]["baselines"] == panel_baselines(tiny_splits()), f"baselines: {anew}"
    for name, answer in answers.items():
        assert shape(recorded[name]) == shape(answer), f"{name}: {anew}"

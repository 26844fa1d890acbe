"""The class lens: a classifier's own head on every layer, beside the probes of the same classes."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from tiny_probing import LABELS, tiny_splits

from lit_probe import class_lens
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import CancelledError, LitProbeError
from lit_probe.probing.study import probe_layers
from lit_probe.scores.metrics import score_layers
from lit_probe.views.class_lens import ClassLens, classes_by_layer


@pytest.fixture(scope="module")
def study(tiny_folder):
    encoder = load_encoder(str(tiny_folder(n_classes=2)))
    encoder.checkpoint.config["id2label"] = {0: "POSITIVE", 1: "NEGATIVE"}
    encoder.head_label_names = encoder.checkpoint.head_label_names
    return probe_layers(encoder, tiny_splits())


@pytest.fixture(scope="module")
def found(study):
    return class_lens(study)


def test_the_last_layer_is_scored_as_the_models_own_answer(study, found):
    own = np.asarray(study.activations["dev"].head_probabilities)[:, None, [1, 0]]
    [wanted] = score_layers(study.headline, own, study.splits.dev.labels, label_names=LABELS)
    assert found.head[-1].value == pytest.approx(wanted.value) and found.head[-1].low == pytest.approx(wanted.low)
    assert found.settled[-1] == 1 and all(0 <= share <= 1 for share in found.settled)


def test_the_probes_scores_are_those_of_the_study(study, found):
    measured = study.metrics("dev")
    assert [one.value for one in found.probes] == [one.value for one in measured.scores[study.headline]]
    assert found.majority == measured.majority[study.headline] and found.best_layer == study.best_layer
    assert found.n == len(study.splits.dev) and len(found.head) == len(found.probes) == len(found.layer_names)


def test_it_survives_json_and_tells_how_far_it_is(study, found):
    assert ClassLens.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False))).to_json() == found.to_json()
    heard = []
    class_lens(study, progress=lambda done, total: heard.append((done, total)))
    assert heard[0] == (0, found.n) and heard[-1] == (found.n, found.n)

    def stop(*_):
        raise CancelledError

    with pytest.raises(CancelledError):
        class_lens(study, progress=stop)


def test_one_text_by_layer_ends_in_the_models_answer(study):
    text = study.splits.dev.texts[0]
    [rows] = classes_by_layer(study.encoder, [text])
    assert rows.shape == (study.encoder.n_layers, 2)
    np.testing.assert_allclose(rows[-1], study.activations["dev"].head_probabilities[0], rtol=1e-4)


def test_other_classes_and_no_head_are_told(study, tiny_folder):
    other = replace(
        study.splits,
        **{part: replace(getattr(study.splits, part), label_names=("cold", "warm")) for part in ("train", "dev", "test")},
    )
    with pytest.raises(LitProbeError, match="predicts POSITIVE, NEGATIVE, but the data set's classes are cold, warm"):
        class_lens(probe_layers(study.encoder, other))
    with pytest.raises(LitProbeError, match="has no classification head of its own"):
        class_lens(probe_layers(load_encoder(str(tiny_folder())), study.splits))


def test_a_study_at_other_places_has_the_heads_curve_alone(study):
    from lit_probe.encoder.site_search import sites_of

    at = study.encoder.at(sites_of(study.encoder, ["mlp"]))
    found = class_lens(probe_layers(at, study.splits))
    assert found.probes == () and found.best_layer is None and len(found.head) == study.encoder.n_layers

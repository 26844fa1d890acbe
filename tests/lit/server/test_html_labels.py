"""LIT puts labels into tooltips as HTML. What looks like it is shown with other brackets, and works like any other label."""

import numpy as np
import pytest
from lit_nlp.api.dataset import IndexedDataset
from tiny_probing import computed, models_of, tiny_splits

from lit_probe.data.labelled_texts import LabelledTexts, Splits
from lit_probe.encoder.encoder import load_encoder
from lit_probe.lit.host.metrics import LIT_METRICS
from lit_probe.lit.host.model import ProbeModel
from lit_probe.lit.interpreters import INTERPRETERS

NAMES = ("<img src=x>", "‹img src=x›")
SHOWN = ("‹img src=x›", "‹img src=x› (2)")


@pytest.fixture(scope="module")
def model(tiny_folder) -> ProbeModel:
    encoder = load_encoder(str(tiny_folder(n_classes=2)))
    encoder.head_label_names = ("<b>", "plain")

    def with_html(rows):
        return LabelledTexts(rows.texts, rows.labels, NAMES, columns={"genre": np.array(["<i>", "b"])[rows.labels]})

    tiny = tiny_splits()
    (model,) = models_of([computed(encoder, Splits("html", with_html(tiny.train), with_html(tiny.dev), with_html(tiny.test)))])
    return model


@pytest.fixture(scope="module")
def dataset(model) -> IndexedDataset:
    return IndexedDataset(base=model.dataset)


def test_no_value_and_no_vocabulary_holds_html(model, dataset):
    shown = {value for row in dataset.examples for value in row.values() if isinstance(value, str)}
    spec = {**dataset.spec(), **model.input_spec(), **model.output_spec()}
    shown |= {word for field in spec.values() for word in getattr(field, "vocab", None) or ()}
    assert not any("<" in text for text in shown)
    assert {*SHOWN, "‹i›", "‹b›"} <= shown


def test_such_labels_stay_apart_and_are_scored_like_any_other(model, dataset):
    assert model.label_names == SHOWN and model.is_compatible_with_dataset(model.dataset)
    dev = [row for row in dataset.examples if row["probe_split"] == "dev"]
    answer = INTERPRETERS["layer_metrics"].run(dev, model, dataset, config={"metric": f"recall:{SHOWN[1]}"})
    assert answer["left_out"]["unlabelled"] == 0 and answer["series"][0]["n"] == len(dev)
    metric, _ = LIT_METRICS.values()
    assert metric.run(dev, model, dataset)[0]["metrics"]["n"] == len(dev)
    (one,) = INTERPRETERS["layer_predictions"].run(dev[:1], model, dataset)["examples"]
    assert one["label"] == dev[0]["label"] and one["model"]["label_names"] == ["‹b›", "plain"]

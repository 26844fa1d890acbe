"""lit_probe in somebody else's LIT: models and data sets that are not ours, ours in their servers, and what cannot be probed."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
from foreign_lit import CLIENT, DISTANCES, Page, Planted, Sentences, lit_with
from lit_nlp import dev_server
from lit_nlp.api import types
from lit_nlp.api.dataset import Dataset
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from tiny_numbers import number_splits
from tiny_probing import tiny_splits
from transformers import AutoModel, AutoTokenizer
from werkzeug.test import Client

import lit_probe.lit
from lit_probe import ProbeOptions, probe_activations
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import LitProbeError, UnknownNameError, UnservedError
from lit_probe.lit.host.reader import FieldNames, Reader
from lit_probe.lit.interpreters import INTERPRETERS
from lit_probe.probing.study import probe_layers


def page_of(model: Any, data: Dataset, **options: Any) -> Page:
    return Page(lit_probe.lit.attach(lit_with({"mine": model}, {"data": data}, **options)))


@pytest.fixture(scope="module")
def planted():
    """A planted model, its data, and the page."""
    model, data = Planted(), Sentences()
    return model, data, page_of(model, data)


# ---- the numbers ---------------------------------------------------------------------------------------------------------


def test_the_curve_of_a_foreign_model_has_the_digits_of_scikit_learn_by_hand(planted):
    model, data, page = planted
    ids = page.ids("data")
    answer = page.ask("layer_metrics", inputs=ids, train=True)
    assert answer["layer_names"] == list(DISTANCES) and answer["label_names"] == ["0", "1"]
    splits = page.ask("row_splits", inputs=ids)["splits"]
    rows = {split: [row for row, where in enumerate(splits) if where == split] for split in ("train", "dev", "test")}
    assert sum(map(len, rows.values())) == len(ids) and len(rows["train"]) > 200 and len(rows["dev"]) >= 45
    labels = np.array([int(example["label"]) for example in data.examples])
    settings = page.ask("provenance", number={"check": "layer_metrics", "layer": 0})
    assert settings["card"]["pooling"] == "no"
    for layer, name in enumerate(DISTANCES):
        values = np.array([model.vectors(example["sentence"])[name] for example in data.examples], dtype=np.float32)
        scaler = StandardScaler().fit(values[rows["train"]].astype(np.float64))
        scores = {}
        for c in (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 1e1):
            probe = LogisticRegression(C=c, tol=1e-8, max_iter=1_000).fit(
                scaler.transform(values[rows["train"]]), labels[rows["train"]]
            )
            scores[c] = {split: probe.score(scaler.transform(values[rows[split]]), labels[rows[split]]) for split in rows}
        shown = {series["split"]: series["layers"][layer]["score"] for series in answer["series"]}
        assert any(all(shown[split] == pytest.approx(one[split], abs=1e-12) for split in rows) for one in scores.values()), name


def test_planted_distances_come_out(planted):
    """Of 45 dev rows a standard error is 0.075 at most; three of them either way."""
    _, _, page = planted
    series = {one["split"]: one for one in page.ask("layer_metrics", inputs=page.ids("data"))["series"]}
    for layer, distance in enumerate(DISTANCES.values()):
        assert series["dev"]["layers"][layer]["score"] == pytest.approx(norm.cdf(distance / 2), abs=0.225)
    assert page.ask("layer_metrics")["best_layer"] == 2


def test_every_interpreter_answers_or_says_in_a_sentence_what_of_the_network_it_lacks(planted):
    _, _, page = planted
    ids = page.ids("data")
    questions: dict[str, dict[str, Any]] = {
        "probe_checks": {"check": "selectivity"},
        "slice_comparison": {"slices": [list(range(60)), list(range(60, 120))], "layer": 1},
        "provenance": {"number": {"check": "layer_metrics", "layer": 1}},
        "salience_map": {"method": "integrated_gradients", "layer": 1},
        "salience_baselines": {"method": "integrated_gradients", "layer": 1},
        "salience_checks": {"check": "words", "method": "gradient_l2"},
        "neuron_ranking": {"method": "mean_gap", "layer": "all"},
        "neuron_evidence": {"part": "clusters", "layer": 2},
        "neuron_ablation": {"part": "curve", "layer": 1, "units": [1, 2]},
        "counterfactual_by_layer": {"part": "trajectory"},
        "counterfactual_pairs": {"source": "sent"},
        "encoder_comparison": {"other": "mine", "layer": 1},
        "lens": {"part": "about"},
        "kept_probe": {"file": page.ask("probe_file")["file"]},
    }
    questions["kept_probe"] = {"file": page.ask("probe_file")["file"], "whole": True}
    told = {}
    # What is about words alone is not offered beside a model of texts.
    for name in [name for name, one in INTERPRETERS.items() if "text" in one.units]:
        inputs = ids[:1] if name in ("salience_map", "salience_baselines") else ids[:120]
        told[name] = page.ask(name, inputs=inputs, **questions.get(name, {}))
    ready = {name for name, answer in told.items() if answer["status"] == "ready"}
    reading = {"layer_metrics", "layer_predictions", "row_splits", "probe_checks", "slice_comparison", "transfer", "provenance"}
    reading |= {"probe_file", "kept_probe"}
    assert ready >= reading | {"neuron_ranking", "neuron_evidence", "counterfactual_pairs"}
    network = {name for name in told if name.startswith("salience")} | {"neuron_ablation", "counterfactual_by_layer"}
    for name in network:
        assert told[name]["status"] == "failed" and told[name]["message"].startswith("mine is known by its vectors alone"), name


@pytest.mark.parametrize(
    "check", ["baselines", "calibration", "description_length", "learning_curve", "layer_comparison", "agreement"]
)
def test_checks_of_vectors_are_computed(planted, check):
    _, _, page = planted
    answer = page.ask("probe_checks", check=check)
    assert answer["status"] == "ready"
    if check == "baselines":
        failed = {
            one["name"]: one["layers"][0]["reason"]
            for one in answer["baselines"]
            if one["per_layer"] and not one["layers"][0]["reliable"]
        }
        assert "known by its vectors alone" in failed["random_weights"]
    if check == "agreement":
        assert not answer["available"]


def test_edits_are_predicted_and_never_scored_and_nothing_is_dropped_silently():
    data = Sentences(200)
    conflicting = [{**data.examples[0], "label": "1"}, {"sentence": "", "label": "0"}, {"sentence": "no label 5", "label": ""}]
    data._examples = [*data._examples, *conflicting]
    page = page_of(Planted(), data)
    ids = page.ids("data")
    row = page.post("/get_dataset?dataset_name=data")[4]
    edit = {
        **row,
        "id": "",
        "data": {**row["data"], "sentence": "an edit 3"},
        "meta": {"added": True, "parentId": row["id"], "source": "x"},
    }
    edit["data"] |= {"_id": "", "_meta": edit["meta"]}
    answer = page.ask("layer_metrics", inputs=[*ids, edit])
    left_out = answer["left_out"]
    assert (left_out["edited"], left_out["unlabelled"], left_out["not_in_data"]) == (1, 1, 1)
    assert sum(one["n"] for one in answer["series"]) + sum(answer["left_out"].values()) == len(ids) + 1
    predictions = page.ask("layer_predictions", inputs=[ids[4], edit])["examples"]
    assert [one["edited"] for one in predictions] == [False, True]
    assert predictions[0]["probabilities"] != predictions[1]["probabilities"]
    first, again, *others = page.ask("row_splits", inputs=[ids[0], ids[-3], ids[-2], edit])["splits"]
    assert first == again in ("train", "dev", "test") and others == ["not in the probes’ data"] * 2


# ---- fields --------------------------------------------------------------------------------------------------------------


class Spec(Dataset):
    """The sentences with other fields."""

    def __init__(self, spec: types.Spec, **columns: Any):
        base = Sentences(120)
        fixed = {"sentence", "label"} - {name for name, value in columns.items() if value is None}
        self._examples = [
            {
                **{name: example[name] for name in fixed},
                **{name: value(row) for name, value in columns.items() if value is not None},
            }
            for row, example in enumerate(base.examples)
        ]
        self._spec = {name: kind for name, kind in {**base.spec(), **spec}.items() if columns.get(name, 0) is not None}

    def spec(self) -> types.Spec:
        return self._spec


CLASSES = types.CategoryLabel(vocab=["a", "b"])
READS_ALL: types.Spec = {name: types.TextSegment() for name in ("a", "b", "x", "y", "picture")}


@pytest.mark.parametrize(
    ("data", "options", "sentence"),
    [
        (Spec({}, label=None), {}, "The data set data has no label: none of its fields is a CategoryLabel."),
        (Spec({"stars": types.Scalar()}, label=None, stars=float), {}, "no label of classes: stars holds numbers"),
        (
            Spec({"stars": types.Scalar()}, stars=float),
            {"label": "stars"},
            "The label 'stars' of data is a Scalar, and probes read a CategoryLabel",
        ),
        (
            Spec({"mood": CLASSES, "kind": CLASSES}, label=None, mood=lambda i: "ab"[i % 2], kind=lambda i: "ba"[i % 2]),
            {},
            "has 2 fields of classes: mood, kind. Say which one is the label: label='mood'.",
        ),
        (Sentences(120), {"label": "colour"}, "The data set data has no field 'colour'. Its fields are: sentence, label."),
        (
            Sentences(120),
            {"embeddings": ["fourth"]},
            "no field of vectors 'fourth'. Its fields of type Embeddings are: first, second, third.",
        ),
        (Sentences(120), {"embeddings": []}, "no layers where none is named"),
        (Sentences(3), {}, "fewer than|too few|at least"),
    ],
)
def test_what_cannot_be_probed_is_told_in_a_sentence_and_the_page_goes_on(data, options, sentence):
    page = page_of(Planted(), data, **options)
    answer = page.ask("layer_metrics", inputs=page.ids("data"))
    assert answer["status"] == "failed"
    assert any(part in answer["message"] for part in sentence.split("|")), answer["message"]
    assert page.post("/get_preds?model=mine&dataset_name=data&requested_types=Embeddings", {"inputs": page.ids("data")[:1]})


class Broken(Planted):
    """A foreign model with something wrong."""

    def __init__(self, wrong: Any, spec: types.Spec | None = None):
        super().__init__()
        self._wrong, self._spec = wrong, spec

    def output_spec(self) -> types.Spec:
        return super().output_spec() if self._spec is None else self._spec

    def predict(self, inputs: Any, **kwargs: Any) -> Any:
        return [self._wrong(row, prediction) for row, prediction in enumerate(super().predict(inputs))]


def _raise(row: int, prediction: Any) -> Any:
    raise RuntimeError("out of memory")


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (
            Broken(lambda row, one: one, {"mood": types.MulticlassPreds(vocab=["a"])}),
            "has no vectors to probe: none of the fields that it",
        ),
        (Broken(lambda row, one: one, {}), "it has none"),
        (Broken(lambda row, one: {**one, "second": one["second"][:4]}), "differ in width, so they are no layers of one network"),
        (Broken(lambda row, one: {name: v[: 6 - row % 2] for name, v in one.items()}), "wide for one example and"),
        (
            Broken(lambda row, one: {**one, "third": one["third"] * (np.nan if row % 7 == 3 else 1)}),
            "gives NaN or infinite numbers for",
        ),
        (Broken(lambda row, one: {**one, "third": one["third"] + np.inf}), "first in its field 'third'"),
        (Broken(lambda row, one: {"first": one["first"]}), "promises the field 'second', but its predictions have none"),
        (
            Broken(lambda row, one: {**one, "first": np.ones((2, 3))}),
            "an array of shape [2, 3] for an example, and not one vector",
        ),
        (Broken(lambda row, one: {**one, "first": 3.0}), "an array of shape [] for an example"),
        (Broken(_raise), "could not predict: RuntimeError: out of memory"),
    ],
)
def test_what_is_wrong_with_a_foreign_model_is_told_in_a_sentence(model, sentence):
    page = page_of(model, Sentences(120))
    answer = page.ask("layer_metrics", inputs=page.ids("data"))
    assert answer["status"] == "failed" and sentence in answer["message"], answer["message"]
    assert page.ask("neuron_ranking", method="l2")["status"] == "failed"
    assert page.post("/get_info")["models"]["mine"]


def test_layers_stand_in_the_order_of_their_numbers_or_of_the_specification():
    names = [f"l2_layer_{i}/out" for i in (0, 2, 10)]
    numbered = Planted(dict.fromkeys(reversed(names), 0.0))
    assert page_of(numbered, Sentences(120)).ask("layer_metrics")["layer_names"] == [
        "l2_layer_0/out",
        "l2_layer_2/out",
        "l2_layer_10/out",
    ]
    mixed = Planted({"pooler": 0.0, "block_2": 0.0, "block_1": 0.0})
    assert page_of(mixed, Sentences(120)).ask("layer_metrics")["layer_names"] == ["pooler", "block_2", "block_1"]
    chosen = page_of(mixed, Sentences(120), embeddings=["block_1", "block_2"])
    assert chosen.ask("layer_metrics")["layer_names"] == ["block_1", "block_2"]


def test_its_own_split_and_groups_are_kept():
    official = Spec({"split": types.CategoryLabel()}, split=lambda row: ("train", "train", "dev", "test")[row // 2 % 4])
    page = page_of(Planted(), official)
    splits = page.ask("row_splits", inputs=page.ids("data"))["splits"]
    assert splits == [example["split"] for example in official.examples]
    grouped = Spec({"author": types.StringLitType()}, author=lambda row: f"author {row // 6}")
    page = page_of(Planted(), grouped, group="author")
    splits = page.ask("row_splits", inputs=page.ids("data"))["splits"]
    assert {len(set(splits[start : start + 6])) for start in range(0, 120, 6)} == {1} and set(splits) == {"train", "dev", "test"}


@pytest.mark.parametrize("ours", [False, True])
def test_columns_of_categories_can_be_controlled_for_and_tell_pairs_apart(tiny_folder, ours):
    """The page offers them, whatever the label is called."""
    columns: dict[str, Any] = {"kind": lambda i: f"{i % 7}", "long": lambda i: i // 2 % 2 == 0, "intent": lambda i: "ab"[i % 2]}
    columns |= {"speaker": lambda i: f"{i // 4}"}
    kinds = {"kind": types.CategoryLabel(), "long": types.Boolean(), "intent": CLASSES, "speaker": types.CategoryLabel()}
    data = Spec(kinds, label=None, **columns)
    named = {"label": "intent", "group": "speaker"}
    if ours:
        model = lit_probe.lit.ProbeModel(tiny_folder(), data, name="data", cache=Cache(None), background=False, **named)
        page = page_of(model, data)
    else:
        page = page_of(Planted(), data, **named)
    for column in ("kind", "long"):
        answer = page.ask("probe_checks", check="selectivity", control=f"group:{column}")
        assert answer["status"] == "ready", answer
    rows = page.post("/get_dataset?dataset_name=data")[:8]
    pairs = []
    for row in rows:
        meta = {"added": True, "parentId": row["id"], "source": "manual"}
        said = {**row["data"], "sentence": f"an edit {row['data']['sentence']}", "_id": "", "_meta": meta}
        pairs += [row["id"], {"id": "", "meta": meta, "data": said}]
    answer = page.ask("counterfactual_pairs", inputs=pairs, source="sent", by="kind")
    assert [one["value"] for one in answer["kinds"]] == sorted({row["data"]["kind"] for row in rows}), answer["kinds"]


@pytest.mark.parametrize(
    ("spec", "wanted", "inputs", "texts"),
    [
        ({"a": types.TextSegment(), "label": CLASSES}, FieldNames(), None, ("a",)),
        ({"a": types.TextSegment(), "b": types.TextSegment(), "label": CLASSES}, FieldNames(), READS_ALL, ("a", "b")),
        (
            {"a": types.TextSegment(), "b": types.TextSegment(), "label": CLASSES},
            FieldNames(),
            {"b": types.TextSegment()},
            ("b",),
        ),
        ({"a": types.TextSegment(), "b": types.TextSegment(), "label": CLASSES}, FieldNames(text="a"), None, ("a",)),
        ({"a": types.TextSegment(), "b": types.TextSegment(), "label": CLASSES}, FieldNames(text=("b", "a")), None, ("b", "a")),
        ({"x": types.Scalar(), "y": types.Scalar(), "label": CLASSES}, FieldNames(), READS_ALL, ("x", "y")),
        ({"picture": types.ImageBytes(), "label": CLASSES}, FieldNames(), READS_ALL, ()),
    ],
)
def test_texts_are_found_by_their_type(spec, wanted, inputs, texts):
    assert Reader.of("data", spec, wanted, inputs).texts == texts


def test_examples_without_words_go_by_their_ids():
    reader = Reader.of("data", {"picture": types.ImageBytes(), "label": CLASSES}, FieldNames(), READS_ALL)
    assert reader.text({"picture": "x", "_id": "ab12"}) == "example ab12"


class Pairs(Dataset):
    """Four hypotheses for each premise; the label is that of the hypothesis."""

    def __init__(self, n: int = 400):
        self._examples = [
            {
                "premise": f"premise {row // 4}",
                "hypothesis": f"hypothesis {row}",
                "label": "ab"[row % 2],
                "picture": np.full(3, row),
            }
            for row in range(n)
        ]

    def spec(self) -> types.Spec:
        texts = {"premise": types.TextSegment(), "hypothesis": types.TextSegment()}
        return {**texts, "label": CLASSES, "picture": types.ImageBytes()}


class ReadsBoth(Planted):
    """Its vectors are those of the hypothesis, or of the picture."""

    def __init__(self, *reads: str):
        super().__init__({"only": 8.0})
        self._reads = reads

    def input_spec(self) -> types.Spec:
        return {name: kind for name, kind in Pairs(4).spec().items() if name in self._reads}

    def predict(self, inputs: Any, **kwargs: Any) -> Any:
        last = self._reads[-1]
        return [self.vectors(f"x {one[last][0]}" if last == "picture" else one[last]) for one in inputs]


@pytest.mark.parametrize("reads", [("premise", "hypothesis"), ("premise", "picture")])
def test_each_example_has_its_own_vector_though_others_say_the_same(reads):
    page = page_of(ReadsBoth(*reads), Pairs(), text="premise")
    ids = page.ids("data")
    answer = page.ask("layer_metrics", inputs=ids)
    assert sum(one["n"] for one in answer["series"]) + sum(answer["left_out"].values()) == len(ids)
    assert answer["series"][0]["layers"][0]["score"] > 0.95
    splits = page.ask("row_splits", inputs=ids)["splits"]
    assert all(len(set(splits[start : start + 4])) == 1 for start in range(0, len(splits), 4)), "one premise, one split"
    told = [one["probabilities"] for one in page.ask("layer_predictions", inputs=ids[:4])["examples"]]
    assert len({json.dumps(one) for one in told}) == 4
    if reads[-1] == "hypothesis":
        row = page.post("/get_dataset?dataset_name=data")[0]
        meta = {"added": True, "parentId": row["id"], "source": "manual"}
        edit = {"id": "", "meta": meta, "data": {**row["data"], "hypothesis": "another 1", "_id": "", "_meta": meta}}
        [edited] = page.ask("layer_predictions", inputs=[edit])["examples"]
        assert edited["edited"] and edited["probabilities"] != told[0]


def test_more_edits_than_are_remembered_are_answered():
    page = page_of(Planted(), Sentences(100))
    row = page.post("/get_dataset?dataset_name=data")[0]
    meta = {"added": True, "parentId": row["id"], "source": "manual"}
    edits = [
        {"id": "", "meta": meta, "data": {**row["data"], "sentence": f"edit {i}", "_id": "", "_meta": meta}}
        for i in range(10_100)
    ]
    # No request may hold more than 5,000.
    for some in (edits[:4_000], edits[4_000:8_000], edits[8_000:], edits[:4_000]):
        assert len(page.ask("layer_predictions", inputs=some)["examples"]) == len(some)


def test_models_that_are_called_alike_keep_their_checks_apart():
    deep, flat = Planted(), Planted({"only": 0.0})
    app = lit_with({"sst2/bert": deep, "mnli/bert": flat}, {"data": Sentences(120)})
    page = Page(lit_probe.lit.attach(app))
    for name, n_layers in (("sst2/bert", 3), ("mnli/bert", 1)):
        assert len(page.ask("probe_checks", name, check="calibration")["layers"]) == n_layers
        assert page.ask("layer_metrics", name)["encoder"] == name


def test_what_a_model_could_not_do_once_is_tried_again(monkeypatch):
    monkeypatch.setattr("lit_probe.lit.host.foreign._PATIENCE_S", 0.0)
    model = Broken(_raise)
    page = page_of(model, Sentences(120))
    assert page.ask("layer_metrics")["status"] == "failed"
    model._wrong = lambda row, one: one
    assert page.ask("layer_metrics")["status"] == "ready"


@pytest.mark.parametrize("label", [int, np.int64, np.int32, str, bool, np.bool_])
def test_labels_of_any_kind_are_known(label):
    data = Sentences(120)
    for row, example in enumerate(data._examples):
        example["label"] = label(row % 2)
    page = page_of(Planted(), data)
    left_out = page.ask("layer_metrics", inputs=page.ids("data"))["left_out"]
    assert left_out["unlabelled"] == left_out["not_in_data"] == 0


def test_an_example_without_a_text_is_not_in_the_data_and_harms_no_other():
    data = Sentences(120)
    data._examples += [{"sentence": None, "label": "1"}, {"label": "0"}]
    answer = page_of(Planted(), data)
    left_out = answer.ask("layer_metrics", inputs=answer.ids("data"))["left_out"]
    assert left_out["not_in_data"] == 2


@pytest.mark.parametrize("place", [0, 60, 120])
def test_a_row_that_the_model_cannot_read_harms_no_other_wherever_it_stands(place):
    data = Sentences(120)
    data._examples.insert(place, {"sentence": None, "label": "1"})
    page = page_of(Planted(), data)
    answer = page.ask("layer_metrics", inputs=page.ids("data"))
    assert answer["status"] == "ready" and answer["left_out"]["not_in_data"] == 1


# ---- a model of ours in their server -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ours(tiny_folder):
    """A model of ours on their data, and the page."""
    data = Sentences(200)
    model = lit_probe.lit.ProbeModel(tiny_folder(), data, name="data", cache=Cache(None), background=False)
    return model, data, page_of(model, data)


def test_a_model_of_ours_has_the_fields_and_the_numbers_of_their_data_set(ours, tiny_folder):
    model, _, page = ours
    info = page.post("/get_info")["models"]["mine"]
    assert "data" in info["datasets"]
    assert list(model.input_spec()) == ["sentence", "label"] and not model.input_spec()["label"].required
    assert model.output_spec()["probe"].parent == "label" and model.output_spec()["tokens"].parent == "sentence"
    answer = page.ask("layer_metrics", inputs=page.ids("data"))
    study = probe_layers(load_encoder(str(tiny_folder())), model.study.splits)
    dev = [row.scores["accuracy"].value for row in study.metrics("dev").rows()]
    assert [layer["score"] for layer in answer["series"][0]["layers"]] == dev
    assert answer["layer_names"] is None and answer["left_out"]["not_in_data"] == 0
    assert page.ask("salience_map", inputs=page.ids("data")[:1], method="gradient_l2", layer=1)["status"] == "ready"


def test_a_model_in_memory_has_the_numbers_of_its_folder(ours, tiny_folder):
    _, data, page = ours
    pair = (AutoModel.from_pretrained(tiny_folder()), AutoTokenizer.from_pretrained(tiny_folder()))
    memory = lit_probe.lit.ProbeModel(pair, data, name="data", cache=Cache(None), background=False)
    again = page_of(memory, data)
    ids = page.ids("data")
    assert again.ask("layer_metrics", inputs=ids)["series"] == page.ask("layer_metrics", inputs=ids)["series"]
    assert again.ask("layer_predictions", inputs=ids[:3])["examples"] == page.ask("layer_predictions", inputs=ids[:3])["examples"]


def test_lits_own_requests_are_answered_too(ours):
    _, _, page = ours
    ids = page.ids("data")[:3]
    predictions = page.post("/get_preds?model=mine&dataset_name=data&requested_types=MulticlassPreds,Tokens", {"inputs": ids})
    assert len(predictions) == 3 and len(predictions[0]["probe"]) == 2
    metrics = page.post("/get_metrics?model=mine&dataset_name=data&metrics=multiclass", {"inputs": ids})
    assert metrics


def test_lits_salience_panel_has_our_rows_beside_its_own(ours):
    _, _, page = ours
    offered = page.post("/get_info")["models"]["mine"]["interpreters"]
    assert {"LIME", "LIME (lit_probe)", "Gradient (L2 norm)"} <= set(offered)
    address = "/get_interpretations?model=mine&dataset_name=data&interpreter=Gradient (L2 norm)"
    [made] = page.post(address, {"inputs": page.ids("data")[:1], "config": {}})
    assert "probe" in json.dumps(made) and "needs words" not in json.dumps(made), made


def test_probes_in_the_making_are_told_and_bad_arguments_refused_at_once(tiny_folder):
    data = Sentences(200)
    model = lit_probe.lit.ProbeModel(str(tiny_folder()), data, cache=Cache(None))
    page = page_of(model, data)
    assert page.ask("layer_metrics")["trained_on"] == "Sentences"
    with pytest.raises(LitProbeError, match=r"cannot be read\. Give a LIT data set, or Splits"):
        lit_probe.lit.ProbeModel(tiny_folder(), [1, 2])
    with pytest.raises(UnknownNameError, match="pooling"):
        lit_probe.lit.ProbeModel(tiny_folder(), data, pooling="sum")
    with pytest.raises(LitProbeError, match="no field 'x'"):
        lit_probe.lit.ProbeModel(tiny_folder(), data, label="x")
    with pytest.raises(UnknownNameError, match="probe"):
        lit_probe.lit.interpreters(probe="tree")
    with pytest.raises(UnservedError, match="does not take the option hidden_units"):
        lit_probe.lit.interpreters(probe_options=ProbeOptions(hidden_units=(8,)))


def test_several_texts_are_asked_about_and_a_label_that_is_none_is_refused(tiny_folder):
    with pytest.raises(LitProbeError, match=r"has 2 fields of text: premise, hypothesis\. Say which one is read: text='premise'"):
        lit_probe.lit.ProbeModel(tiny_folder(), Pairs(), name="data")
    with pytest.raises(LitProbeError, match="has no text: none of its fields is a TextSegment"):
        lit_probe.lit.ProbeModel(tiny_folder(), Spec({"x": types.Scalar()}, sentence=None, x=float), name="data")
    toxic = Spec({"toxic": types.Boolean()}, toxic=lambda row: row % 2 == 0)
    with pytest.raises(LitProbeError, match="is a BooleanLitType, and probes read a CategoryLabel"):
        lit_probe.lit.ProbeModel(tiny_folder(), toxic, label="toxic")


def test_classes_are_written_as_the_data_set_writes_them(tiny_folder):
    vocab = ["True", "False"]
    data = Spec({"label": types.CategoryLabel(vocab=vocab)}, label=lambda row: vocab[row % 2])
    model = lit_probe.lit.ProbeModel(tiny_folder(), data, name="data", cache=Cache(None), background=False)
    assert set(model.output_spec()["probe"].vocab) == set(vocab)
    page = page_of(model, data)
    assert page.post("/get_metrics?model=mine&dataset_name=data&metrics=multiclass", {"inputs": page.ids("data")})
    assert page.ask("layer_metrics", inputs=page.ids("data"))["left_out"]["unlabelled"] == 0


def test_repeats_in_train_are_members_and_every_example_is_counted(tiny_folder):
    data = Sentences(200)
    data._examples += [{**example, "label": str(1 - int(example["label"]))} for example in data.examples[:40]]
    data._examples += [dict(example) for example in data.examples[100:130]]
    model = lit_probe.lit.ProbeModel(tiny_folder(), data, name="data", cache=Cache(None), background=False)
    page = page_of(model, data)
    ids = page.ids("data")
    answer = page.ask("layer_metrics", inputs=ids)
    assert sum(one["n"] for one in answer["series"]) + sum(answer["left_out"].values()) == len(set(ids))
    splits = page.ask("row_splits", inputs=ids)["splits"]
    trained_on = set(model.study.splits.train.texts)
    said = [example["sentence"] for example in data.examples]
    assert {where for where, text in zip(splits, said, strict=True) if text in trained_on} == {"train"}


def test_models_on_the_same_splits_can_be_compared(tiny_folder):
    splits = tiny_splits()
    one = lit_probe.lit.ProbeModel(tiny_folder(), splits, cache=Cache(None), background=False)
    other = lit_probe.lit.ProbeModel(tiny_folder("electra"), splits, cache=Cache(None), background=False)
    page = Page(lit_probe.lit.attach(lit_with({"a": one, "b": other}, {"films": one.dataset})))
    assert page.ask("encoder_comparison", "a", "films", other="b")["status"] == "ready"


def test_arrays_in_memory_come_to_the_page(tiny_folder):
    rng, labels = np.random.default_rng(0), np.arange(200) % 2
    study = probe_activations(rng.normal(size=(200, 2, 4)) + labels[:, None, None], labels)
    model = lit_probe.lit.ProbeModel(study.encoder, study.splits, cache=Cache(None), background=False)
    page = Page(lit_probe.lit.attach(lit_with({"brain": model}, {"rows": model.dataset})))
    assert page.ask("layer_metrics", "brain", "rows", page.ids("rows"))["layer_names"] == ["layer 0", "layer 1"]
    with pytest.raises(UnknownNameError, match="pooling of vectors"):
        lit_probe.lit.ProbeModel(study.encoder, study.splits, pooling="mean")


def test_splits_with_a_number_get_ridge_probes(tiny_folder):
    splits = number_splits()
    model = lit_probe.lit.ProbeModel(tiny_folder(), splits, cache=Cache(None), background=False)
    study = model.study.result()
    assert study.layerwise.kind == "ridge"
    page = Page(lit_probe.lit.attach(lit_with({"mine": model}, {"worths": model.dataset})))
    answer = page.ask("layer_metrics", "mine", "worths", page.ids("worths"))
    dev = next(one["layers"] for one in answer["series"] if one["split"] == "dev")
    assert [one["score"] for one in dev] == [one.value for one in study.metrics("dev").scores["r2"]]
    with pytest.raises(UnservedError, match="Choose one of: ridge"):
        lit_probe.lit.ProbeModel(tiny_folder(), splits, cache=Cache(None), probe="logistic")


def test_init_spec_names_what_lits_form_can_give():
    spec = lit_probe.lit.ProbeModel.init_spec()
    assert list(spec) == ["encoder", "pooling", "probe", "seed"]


# ---- attach --------------------------------------------------------------------------------------------------------------


def test_the_page_of_a_stock_server_has_our_script_and_the_guard_if_wanted():
    models, data = {"mine": Planted()}, {"data": Sentences(60)}
    guarded = Client(lit_probe.lit.attach(lit_with(models, data)))
    open_ = Client(lit_probe.lit.attach(lit_with(models, data), guard=False))
    for client in (guarded, open_):
        [script] = re.findall(r'src="\.(/lit_probe/\w+/index\.js)"', client.get("/").get_data(as_text=True))
        assert client.get(script).status_code == 200
        assert client.get("/main.js").status_code == 200
    assert "Content-Security-Policy" in guarded.get("/").headers and "Content-Security-Policy" not in open_.get("/").headers
    assert guarded.get("/get_info").status_code == 405 and open_.get("/get_info").status_code == 200
    assert guarded.post("/get_info", headers={"Host": "evil.example"}).status_code == 403
    assert open_.post("/get_info", headers={"Host": "evil.example"}).status_code == 200


def test_a_server_that_does_not_run_yet_can_be_given_too():
    models = {"mine": Planted()}
    options = {"interpreters": lit_probe.lit.interpreters(), "layouts": lit_probe.lit.layouts(), "client_root": CLIENT}
    page = Page(lit_probe.lit.attach(dev_server.Server(models, {"data": Sentences(120)}, **options)))
    assert page.ask("layer_metrics")["n_layers"] == 3
    with pytest.raises(LitProbeError, match="is no LIT server"):
        lit_probe.lit.attach(object())


def test_two_foreign_models_on_one_data_set_can_be_compared():
    data = Sentences(200)
    page = Page(lit_probe.lit.attach(lit_with({"mine": Planted(), "deaf": Planted({"only": 0.0})}, {"data": data})))
    for name in ("mine", "deaf"):
        assert page.ask("layer_metrics", model=name)["status"] == "ready"
    answer = page.ask("encoder_comparison", other="deaf")
    assert answer["status"] == "ready" and answer["difference"] > 0.2 and answer["low"] > 0


def test_probes_of_foreign_models_are_fitted_by_their_options():
    options = ProbeOptions(regularisation=0.01, class_weight="balanced")
    page = Page(lit_probe.lit.attach(lit_with({"mine": Planted()}, {"data": Sentences(120)}, probe_options=options)))
    assert page.ask("layer_metrics")["status"] == "ready"
    assert page.ask("provenance")["card"]["probe_options"] == options.to_json()


def test_a_model_that_is_not_ours_is_refused_where_nobody_asked_for_its_probes():
    with pytest.raises(LitProbeError, match=r"make the interpreters with lit_probe\.lit\.interpreters\(\)"):
        INTERPRETERS["layer_metrics"].run([], Planted(), Sentences(60))

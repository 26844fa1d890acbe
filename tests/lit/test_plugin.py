"""lit_probe in somebody else's LIT: models and data sets that are not ours, ours in their servers, and what cannot be probed."""

from __future__ import annotations

import json
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
from transformers import AutoModel, AutoTokenizer
from werkzeug.test import Client

import lit_probe.lit
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import LitProbeError, UnknownNameError
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
    }
    told = {}
    for name in INTERPRETERS:
        inputs = ids[:1] if name in ("salience_map", "salience_baselines") else ids[:120]
        told[name] = page.ask(name, inputs=inputs, **questions.get(name, {}))
    ready = {name for name, answer in told.items() if answer["status"] == "ready"}
    reading = {"layer_metrics", "layer_predictions", "row_splits", "probe_checks", "slice_comparison", "transfer", "provenance"}
    assert ready >= reading | {"neuron_ranking", "neuron_evidence", "counterfactual_pairs"}
    network = {name for name in INTERPRETERS if name.startswith("salience")} | {"neuron_ablation", "counterfactual_by_layer"}
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
    assert answer["left_out"] == {"edited": 1, "unlabelled": 1, "not_in_data": 2, "train": 139, "seen_in_training": 0}
    assert sum(one["n"] for one in answer["series"]) + sum(answer["left_out"].values()) == len(ids) + 1
    predictions = page.ask("layer_predictions", inputs=[ids[4], edit])["examples"]
    assert [one["edited"] for one in predictions] == [False, True]
    assert predictions[0]["probabilities"] != predictions[1]["probabilities"]
    assert page.ask("row_splits", inputs=[ids[-3], ids[-2], edit])["splits"] == ["not in the probes' data"] * 3


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


@pytest.mark.parametrize(
    ("data", "options", "sentence"),
    [
        (Spec({}, label=None), {}, "The data set data has no label: none of its fields is a CategoryLabel."),
        (Spec({"stars": types.Scalar()}, label=None, stars=float), {}, "no label of classes: stars holds numbers"),
        (Spec({"stars": types.Scalar()}, stars=float), {"label": "stars"}, "The label 'stars' of data is a number"),
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
    numbered = Planted({f"layer_{i}/out": 0.0 for i in (10, 2, 0)})
    assert page_of(numbered, Sentences(120)).ask("layer_metrics")["layer_names"] == ["layer_0/out", "layer_2/out", "layer_10/out"]
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


@pytest.mark.parametrize(
    ("spec", "wanted", "inputs", "texts"),
    [
        ({"a": types.TextSegment(), "label": CLASSES}, FieldNames(), None, ("a",)),
        ({"a": types.TextSegment(), "b": types.TextSegment(), "label": CLASSES}, FieldNames(), None, ("a", "b")),
        (
            {"a": types.TextSegment(), "b": types.TextSegment(), "label": CLASSES},
            FieldNames(),
            {"b": types.TextSegment()},
            ("b",),
        ),
        ({"a": types.TextSegment(), "b": types.TextSegment(), "label": CLASSES}, FieldNames(text="a"), None, ("a",)),
        ({"a": types.TextSegment(), "b": types.TextSegment(), "label": CLASSES}, FieldNames(text=("b", "a")), None, ("b", "a")),
        ({"x": types.Scalar(), "y": types.Scalar(), "label": CLASSES}, FieldNames(), None, ("x", "y")),
        ({"picture": types.ImageBytes(), "label": CLASSES}, FieldNames(), None, ()),
    ],
)
def test_texts_are_found_by_their_type(spec, wanted, inputs, texts):
    assert Reader.of("data", spec, wanted, inputs).texts == texts


def test_examples_without_words_go_by_their_ids():
    reader = Reader.of("data", {"picture": types.ImageBytes(), "label": CLASSES}, FieldNames())
    assert reader.text({"picture": "x", "_id": "ab12"}) == "example ab12"


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


def test_init_spec_names_what_lits_form_can_give():
    spec = lit_probe.lit.ProbeModel.init_spec()
    assert list(spec) == ["encoder", "pooling", "probe", "seed"]


# ---- attach --------------------------------------------------------------------------------------------------------------


def test_the_page_of_a_stock_server_has_our_script_and_the_guard_if_wanted():
    models, data = {"mine": Planted()}, {"data": Sentences(60)}
    guarded = Client(lit_probe.lit.attach(lit_with(models, data)))
    open_ = Client(lit_probe.lit.attach(lit_with(models, data), guard=False))
    for client in (guarded, open_):
        assert b"lit_probe/index.js" in client.get("/").get_data()
        assert client.get("/lit_probe/index.js").status_code == 200
        assert client.get("/main.js").status_code == 200
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


def test_a_model_that_is_not_ours_is_refused_where_nobody_asked_for_its_probes():
    with pytest.raises(LitProbeError, match=r"make the interpreters with lit_probe\.lit\.interpreters\(\)"):
        INTERPRETERS["layer_metrics"].run([], Planted(), Sentences(60))

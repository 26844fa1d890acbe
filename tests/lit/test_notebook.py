"""The widget without a notebook around it: what it takes, refuses, serves, tells and gives back."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import datasets
import numpy as np
import pandas
import pytest
import torch
import transformers
from foreign_lit import Planted, Sentences
from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import types
from live_server import curve
from tiny_lit_app import LABELS, LetterModel
from tiny_numbers import number_splits
from tiny_probing import tiny_splits

from lit_probe.data import DatasetOptions
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import encoder_of, load_encoder
from lit_probe.errors import DatasetError, EncoderError, LitProbeError, UnknownNameError, UnservedError
from lit_probe.lit import ProbeModel
from lit_probe.notebook import Address, ProbeWidget
from lit_probe.probing.study import probe_layers

NAME = "tiny-bert-on-tiny"
NOTHING_KEPT = Cache(None)


@pytest.fixture(scope="module")
def splits():
    return tiny_splits()


@pytest.fixture(scope="module")
def widget(encoder, splits):
    widget = ProbeWidget(encoder, splits, cache=NOTHING_KEPT)
    widget.study()
    yield widget
    widget.stop()


def post(url, path, body=None, headers=None):
    request = urllib.request.Request(url + path, json.dumps(body or {}).encode(), headers or {})
    with urllib.request.urlopen(request, timeout=20) as response:
        return json.load(response)


def info(widget):
    return post(f"http://127.0.0.1:{widget.port}/", "get_info")


def test_a_number_gets_ridge_probes(encoder):
    splits = number_splits()
    widget = ProbeWidget(encoder, splits, cache=NOTHING_KEPT)
    try:
        study = widget.study()
        assert study.layerwise.kind == "ridge"
        name = "tiny-bert-on-worths"
        answer = curve(f"http://127.0.0.1:{widget.port}/", name, "worths")
        dev = next(one["layers"] for one in answer["series"] if one["split"] == "dev")
        assert [one["score"] for one in dev] == [one.value for one in study.metrics("dev").scores["r2"]]
        assert "r2" in widget.layers.to_string() and widget.figure() is not None
    finally:
        widget.stop()
    ProbeWidget(encoder, splits, cache=NOTHING_KEPT, probe="ridge").stop()
    with pytest.raises(UnservedError, match="Choose one of: ridge"):
        ProbeWidget(encoder, splits, cache=NOTHING_KEPT, probe="logistic")
    with pytest.raises(UnservedError, match="asks for classes"):
        ProbeWidget(encoder, tiny_splits(), cache=NOTHING_KEPT, probe="ridge")


def first_text(widget):
    return widget.study().splits.train.texts[0]


# ---- the numbers


def test_its_table_holds_the_studys_own_numbers(widget, encoder, splits):
    table, study = widget.layers, probe_layers(encoder, splits)
    assert table["layer"].tolist() == [0, 1, 2, 3] and set(table["model"]) == {NAME}
    assert table["layer_name"].tolist() == study.layer_names and set(table["split"]) == {"dev"}
    rows = [row.to_json() for row in study.metrics("dev").rows()]
    for column in ("accuracy", "accuracy_low", "accuracy_high", "auroc", "log_loss", "majority_accuracy", "n"):
        assert table[column].tolist() == [row[column] for row in rows], column
    assert table.loc[table["chosen_on_dev"], "layer"].tolist() == [study.best_layer]
    assert not [column for column in table if "reason" in column]


def test_its_figure_draws_those_numbers(widget):
    (axes,) = widget.figure().axes
    study = widget.study()
    (curve,) = [line for line in axes.lines if line.get_label().startswith("dev")]
    assert curve.get_ydata().tolist() == [score.value for score in study.metrics("dev").scores[study.headline]]
    assert axes.get_title() == "tiny-bert on tiny: logistic probe, mean pooling"


def test_a_model_is_chosen_by_its_name_in_lit(widget):
    assert widget.study(NAME) is widget.study()
    with pytest.raises(UnknownNameError, match=f"Unknown model 'nonsense'. Choose one of: {NAME}"):
        widget.figure("nonsense")


def test_probes_that_cannot_be_fitted_say_why(encoder):
    few = tiny_splits(sizes=(3, 40, 36))
    assert np.bincount(few.train.labels).min() < 2
    widget = ProbeWidget(encoder, few, cache=NOTHING_KEPT)
    with pytest.raises(LitProbeError, match=r"The probes of tiny-bert on tiny could not be computed: .*examples"):
        _ = widget.layers
    widget.stop()


# ---- the page


def test_the_page_opens_with_the_notebook_layout_and_tells_what_is_selected(widget):
    told = info(widget)
    assert told["defaultLayout"] == "notebook" and told["syncState"] is True
    assert (widget.ui_state.primary, widget.ui_state.pinned, widget.ui_state.selection) == (None, None, [])
    url = f"http://127.0.0.1:{widget.port}/"
    rows = post(url, "get_dataset?dataset_name=tiny")
    before = widget.ui_state
    config = {"primary_id": rows[3]["id"], "pinned_id": rows[5]["id"]}
    post(url, "push_ui_state?dataset_name=tiny", {"inputs": [rows[3]["id"], rows[4]["id"]], "config": config})
    state = widget.ui_state
    assert [example["data"]["text"] for example in state.selection] == [rows[3]["data"]["text"], rows[4]["data"]["text"]]
    assert state.primary["data"]["text"] == rows[3]["data"]["text"] and state.pinned["id"] == rows[5]["id"]
    assert state.dataset_name == "tiny" and before.selection == []


def test_a_notebooks_page_may_frame_it_and_a_foreign_one_may_not(encoder, splits):
    widget = ProbeWidget(encoder, splits, cache=NOTHING_KEPT, address=Address(frame_ancestors=["https://lab.example.org"]))
    with urllib.request.urlopen(widget.url) as response:
        policy = response.headers["Content-Security-Policy"]
    widget.stop()
    here = "'self' http://localhost:* http://127.0.0.1:* vscode-webview: vscode-file:"
    assert policy.endswith(f"frame-ancestors {here} https://lab.example.org")


def test_without_a_notebook_the_address_is_told(widget):
    with pytest.raises(LitProbeError, match=rf"There is no notebook .* Open {widget.url} in a browser\."):
        widget.render()


# ---- what it takes


def test_a_list_of_texts_with_labels_becomes_a_data_set(tiny_folder, splits):
    rows = splits.train
    labels = [rows.label_names[label] for label in rows.labels]
    widget = ProbeWidget(str(tiny_folder()), list(rows.texts), labels, cache=NOTHING_KEPT)
    assert list(info(widget)["models"]) == ["tiny-bert-on-texts"]
    assert sum(len(part) for _, part in widget.study().splits.items()) == len(rows)
    widget.stop()


@pytest.mark.parametrize("kind", [tuple, np.array, pandas.Series, "column of a table"])
def test_columns_and_arrays_are_read_as_lists(encoder, splits, kind):
    rows = splits.train
    texts, labels = list(rows.texts), [rows.label_names[label] for label in rows.labels]
    if kind == "column of a table":
        frame = pandas.DataFrame({"text": texts, "label": labels}, index=range(5, 5 + len(texts))[::-1])
        given = frame["text"], frame["label"]
    else:
        given = kind(texts), kind(labels)
    widget = ProbeWidget(encoder, *given, groups=kind(texts) if callable(kind) else given[0], cache=NOTHING_KEPT)
    study = widget.study()
    widget.stop()
    names = study.splits.label_names
    found = {text: names[part.labels[row]] for _, part in study.splits.items() for row, text in enumerate(part.texts)}
    assert found == dict(zip(texts, labels, strict=True))


def test_labels_of_numbers_from_an_array_are_classes(encoder, splits):
    rows = splits.train
    widget = ProbeWidget(encoder, np.array(rows.texts), rows.labels, cache=NOTHING_KEPT)
    assert widget.study().splits.label_names == ("0", "1")
    widget.stop()


def test_a_tables_further_columns_travel_along_and_its_groups_stay_together(encoder, splits):
    rows = splits.train
    frame = pandas.DataFrame(
        {
            "review": rows.texts,
            "stars": [("one", "five")[label] for label in rows.labels],
            "author": [f"author {i // 4}" for i in range(len(rows))],
            "year": [2000 + i % 3 for i in range(len(rows))],
        },
        index=range(100, 100 + len(rows)),
    )
    frame.loc[100, "stars"] = None
    options = DatasetOptions(text_column="review", label_column="stars", group_column="author")
    widget = ProbeWidget(encoder, frame, options=options, cache=NOTHING_KEPT)
    study = widget.study()
    widget.stop()
    assert study.splits.label_names == ("five", "one")
    assert sum(len(part) for _, part in study.splits.items()) == len(rows) - 1
    assert set(study.splits.train.columns["year"]) <= {2000, 2001, 2002}
    authors = [set(part.groups) for _, part in study.splits.items()]
    assert not authors[0] & authors[1] and not authors[1] & authors[2] and not authors[0] & authors[2]


@pytest.mark.parametrize("kind", ["a Dataset", "a DatasetDict", "records", "a folder by name"])
def test_tables_of_other_libraries_are_read_with_their_own_splits(encoder, splits, kind, tmp_path):
    rows = splits.train
    columns = {"review": list(rows.texts), "stars": [("one", "five")[label] for label in rows.labels]}
    table = datasets.Dataset.from_dict(columns)
    if kind == "a DatasetDict":
        data = datasets.DatasetDict({"train": table.select(range(60)), "test": table.select(range(60, len(rows)))})
    elif kind == "a folder by name":
        table.save_to_disk(tmp_path / "saved")
        data = f"hub={tmp_path / 'saved'}"
    else:
        data = table if kind == "a Dataset" else table.to_list()
    options = DatasetOptions(text_column="review", label_column="stars")
    widget = ProbeWidget(encoder, data, options=options, cache=NOTHING_KEPT)
    study = widget.study()
    widget.stop()
    assert study.splits.label_names == ("five", "one")
    official = "Official train and test" if kind == "a DatasetDict" else "One table"
    assert study.splits.provenance["division"].startswith(official)


def test_several_encoders_are_shown_beside_one_another(tiny_folder, splits):
    widget = ProbeWidget([str(tiny_folder()), load_encoder(str(tiny_folder("electra")))], splits, cache=NOTHING_KEPT)
    assert list(info(widget)["models"]) == [NAME, "tiny-electra-on-tiny"]
    assert widget.layers.groupby("model").size().to_dict() == {NAME: 4, "tiny-electra-on-tiny": 4}
    widget.stop()


def test_ready_lit_models_are_shown_with_lits_own_components():
    spec = {"text": types.TextSegment(), "label": types.CategoryLabel(vocab=LABELS)}
    films = lit_dataset.Dataset(spec, [{"text": f"a film, number {i}", "label": LABELS[i % 2]} for i in range(8)])
    widget = ProbeWidget({"letters": LetterModel()}, {"films": films}, cache=NOTHING_KEPT)
    url = widget.url
    assert {"LIME", "classification"} <= set(info(widget)["models"]["letters"]["interpreters"])
    ids = [row["id"] for row in post(url, "get_dataset?dataset_name=films")]
    assert len(post(url, "get_preds?model=letters&dataset_name=films", {"inputs": ids})) == 8
    with pytest.raises(LitProbeError, match="The probes of these LIT models are fitted for the panels"):
        _ = widget.layers
    widget.stop()


def test_ready_lit_models_with_vectors_get_our_panels_and_ours_their_numbers(tiny_folder):
    data, cache = Sentences(200), Cache(None)
    ours = ProbeModel(tiny_folder(), data, name="data", cache=cache)
    widget = ProbeWidget({"planted": Planted(), "ours": ours}, {"data": data}, cache=cache)
    for model in ("planted", "ours"):
        assert "layer_metrics" in info(widget)["models"][model]["interpreters"]
        assert [one["split"] for one in curve(widget.url, model, "data")["series"]] == ["dev", "test"]
    assert set(widget.layers["model"]) == {"ours"} and len(widget.layers) == 4
    widget.stop()
    with pytest.raises(LitProbeError, match="have their own labels: leave out labels=…"):
        ProbeWidget({"planted": Planted()}, {"data": data}, [1, 2], cache=cache)
    widget = ProbeWidget({"planted": Planted()}, {"data": data}, probe="majority", options=DatasetOptions(seed=3), cache=cache)
    assert curve(widget.url, "planted", "data")["probe"] == "majority"
    widget.stop()


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"model": "no/such/folder"}, EncoderError, "no/such/folder"),
        ({"model": []}, LitProbeError, "No encoder was named"),
        ({"data": "nonsense"}, UnknownNameError, "Unknown data set 'nonsense'"),
        ({"data": ["a", "b"]}, LitProbeError, "The texts have no labels"),
        ({"data": ["a", "b"], "labels": ["x"]}, DatasetError, "2 texts, but 1 labels"),
        ({"data": {"text": "a"}}, LitProbeError, "Data of type dict cannot be read"),
        ({"data": {"text": ["a"]}}, DatasetError, "no column 'label'"),
        ({"data": pandas.DataFrame({"text": ["a"]})}, DatasetError, "no column 'label'"),
        ({"data": pandas.DataFrame()}, DatasetError, "no rows"),
        ({"model": 5}, LitProbeError, "A model of type int cannot be read alone"),
        ({"model": ["bert", 5]}, LitProbeError, "A model of type int cannot be read alone"),
        ({"data": pandas.Series(["a", "b"])}, LitProbeError, "The texts have no labels"),
        ({"data": np.array(["a", "b"]), "labels": np.array(["x"])}, DatasetError, "2 texts, but 1 labels"),
        (
            {"data": pandas.DataFrame({"text": ["a"]}), "labels": ["x"]},
            LitProbeError,
            r"A table holds its labels .*label_column=….* or give its column of texts alone",
        ),
        ({"data": datasets.Dataset.from_dict({"text": ["a"]}), "labels": ["x"]}, LitProbeError, "A table holds its labels"),
        ({"data": datasets.Dataset.from_dict({"text": ["a"]})}, DatasetError, "no column 'label'"),
        ({"data": datasets.Dataset.from_dict({"text": ["a"]}).to_iterable_dataset()}, DatasetError, "is a stream"),
        ({"data": {"films": object()}}, LitProbeError, "Data of type dict cannot be read"),
        (
            {"data": "demo", "options": DatasetOptions(label_column="x")},
            DatasetError,
            "demo does not use the option label_column",
        ),
        ({"options": DatasetOptions(label_column="x")}, LitProbeError, "Splits do not use the option label_column"),
        (
            {"data": ["a"], "labels": ["x"], "options": DatasetOptions(group_column="x")},
            LitProbeError,
            "Texts in a list do not use the option group_column",
        ),
        ({"labels": ["x"]}, LitProbeError, "labels and groups go with a list of texts"),
        ({"model": {"letters": LetterModel()}}, LitProbeError, "ready LIT data sets"),
        ({"pooling": "avg"}, UnknownNameError, "Unknown pooling 'avg'"),
        ({"layout": "nonsense"}, UnknownNameError, "Unknown layout 'nonsense'"),
        ({"height": 0}, LitProbeError, "The height is 0"),
        ({"address": Address(port="abc")}, LitProbeError, "'abc' is not a port"),
        ({"address": Address(port=70_000)}, LitProbeError, "70000 is not a port"),
        ({"address": Address(allowed_hosts=["http://x/"])}, LitProbeError, "not a host name"),
        ({"address": Address(proxy_url="lab.example.org/proxy/")}, LitProbeError, "cannot be a proxy_url"),
        ({"address": Address(proxy_url="/proxy/%PORT%/?a=b")}, LitProbeError, "cannot be a proxy_url"),
        ({"address": Address(proxy_url="/proxy/")}, LitProbeError, "names no %PORT%"),
    ],
)
def test_what_it_cannot_use_is_told_before_anything_is_served(encoder, splits, changes, error, message):
    before = threading.active_count()
    with pytest.raises(error, match=message):
        ProbeWidget(**{"model": encoder, "data": splits, "cache": NOTHING_KEPT, **changes})
    assert threading.active_count() == before


@pytest.fixture
def in_memory(tiny_folder):
    """A transformers model and its tokenizer."""
    folder = tiny_folder()
    return transformers.AutoModel.from_pretrained(folder), transformers.AutoTokenizer.from_pretrained(folder)


@pytest.mark.parametrize("given", [lambda pair: pair, lambda pair: [pair], lambda pair: encoder_of(*pair)])
def test_a_model_in_memory_with_its_tokenizer_is_probed_as_its_folder_is(encoder, splits, in_memory, given):
    widget = ProbeWidget(given(in_memory), splits, cache=NOTHING_KEPT)
    name = "tiny-bert-in-memory-on-tiny"
    study = widget.study(name)
    expected = probe_layers(encoder, splits).metrics("dev").rows()
    assert [row.to_json() for row in study.metrics("dev").rows()] == [row.to_json() for row in expected]
    assert set(widget.layers["model"]) == {name}
    url = f"http://127.0.0.1:{widget.port}/"
    ids = [row["id"] for row in post(url, "get_dataset?dataset_name=tiny")][:3]
    assert len(post(url, f"get_preds?model={name}&dataset_name=tiny", {"inputs": ids})) == 3
    assert "a model in a program" in json.dumps(info(widget)["models"][name])
    widget.stop()


def test_models_in_memory_stand_beside_others(encoder, splits, tiny_folder, in_memory):
    several = ProbeWidget((encoder, in_memory, encoder_of(*in_memory, name="mine")), splits, cache=NOTHING_KEPT)
    assert list(several._studies) == [f"{name}-on-tiny" for name in ("tiny-bert", "tiny-bert-in-memory", "mine")]
    several.stop()
    # A pair of encoders is two models, and so is one of names.
    two = ProbeWidget((str(tiny_folder()), str(tiny_folder("roberta"))), splits, cache=NOTHING_KEPT)
    assert len(two._studies) == 2
    two.stop()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (lambda m, t: m, r"A model of type BertModel cannot be read alone\. Give .* encoder_of\(model, tokenizer\)"),
        (lambda m, t: [m, t], "A model of type BertModel cannot be read alone"),
        (lambda m, t: [m], "A model of type BertModel cannot be read alone"),
        (lambda m, t: t, "cannot be read alone"),
        (lambda m, t: (m,), "A model of type BertModel cannot be read alone"),
        (lambda m, t: (m, None), "The model needs its tokenizer"),
        (lambda m, t: (m, "bert"), "'bert' is no tokenizer"),
        (lambda m, t: (t, m), "The model and the tokenizer are swapped"),
        (lambda m, t: (type(m), t), "BertModel is a class"),
        (lambda m, t: [(m, t), (m, t)], "Two encoders are called 'tiny-bert-in-memory'"),
        (lambda m, t: [("bert", t)], "A model of type tuple cannot be read alone"),
    ],
)
def test_a_model_in_memory_that_cannot_be_used_is_told(splits, in_memory, given, message):
    with pytest.raises(LitProbeError, match=message):
        ProbeWidget(given(*in_memory), splits, cache=NOTHING_KEPT)


def test_a_model_that_was_trained_on_is_told(splits, in_memory):
    encoder = encoder_of(*in_memory, name="mine")
    with torch.no_grad():
        in_memory[0].get_input_embeddings().weight.mul_(2)
    widget = ProbeWidget(encoder, splits, cache=NOTHING_KEPT)
    with pytest.raises(LitProbeError, match=r"The weights of 'mine' have changed since it was given to lit_probe; give it again"):
        widget.study()
    widget.stop()


def test_two_encoders_of_one_name_are_refused(encoder, splits):
    with pytest.raises(LitProbeError, match="Two encoders are called 'tiny-bert'"):
        ProbeWidget([encoder, encoder], splits, cache=NOTHING_KEPT)


# ---- behind a proxy


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("/proxy/%PORT%", "/proxy/{port}/"),
        ("/user/me/proxy/%PORT%/", "/user/me/proxy/{port}/"),
        ("https://lab.example.org/user/me/proxy/%PORT%", "https://lab.example.org/user/me/proxy/{port}/"),
    ],
)
@pytest.mark.parametrize("by_variable", [False, True])
def test_a_proxys_address_gets_the_port_and_the_slash_it_needs(encoder, splits, monkeypatch, given, url, by_variable):
    if by_variable:
        monkeypatch.setenv("LIT_PROXY_URL", given)
    widget = ProbeWidget(encoder, splits, cache=NOTHING_KEPT, address=Address(proxy_url=None if by_variable else given))
    assert widget.url == url.format(port=widget.port)
    widget.stop()


def test_the_host_of_a_proxys_address_is_answered_to_and_others_are_not(encoder, splits):
    widget = ProbeWidget(encoder, splits, cache=NOTHING_KEPT, address=Address(proxy_url="https://lab.example.org/proxy/%PORT%/"))

    def status(host):
        connection = http.client.HTTPConnection("127.0.0.1", widget.port)
        connection.request("GET", "/", headers={"Host": host})
        return connection.getresponse().status

    assert (status("lab.example.org"), status("evil.example.org")) == (200, 403)
    widget.stop()


# ---- its end


def test_a_stopped_widget_answers_no_more_and_keeps_its_numbers(encoder, splits):
    widget = ProbeWidget(encoder, splits, cache=NOTHING_KEPT)
    table = widget.layers
    start = time.monotonic()
    widget.stop()
    widget.stop()
    assert time.monotonic() - start < 1
    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection("127.0.0.1", widget.port).connect()
    with pytest.raises(LitProbeError, match=r"This widget was stopped\. Make a new ProbeWidget"):
        widget.render()
    assert widget.layers.equals(table) and widget.ui_state.selection == []
    assert repr(widget) == f"ProbeWidget({NAME}: stopped)"


def test_stopping_ends_what_is_being_computed(tiny_folder):
    other = load_encoder(str(tiny_folder()))
    splits = tiny_splits(sizes=(200, 80, 80))
    widget = ProbeWidget(other, [*splits.train.texts] * 40, [*splits.train.labels] * 40, cache=NOTHING_KEPT, probe="mlp")
    time.sleep(0.3)
    start = time.monotonic()
    widget.stop()
    assert time.monotonic() - start < 1
    for ask in (widget.study, widget.figure, lambda: widget.layers):
        with pytest.raises(LitProbeError, match="could not be computed: the widget was stopped"):
            ask()
    assert time.monotonic() - start < 1, "what is still running is not waited for"


def test_no_message_speaks_of_the_command_line(encoder, splits):
    frame = pandas.DataFrame({"review": ["a", "b"], "label": ["x", "y"]})
    with pytest.raises(DatasetError, match="with the option text_column") as told:
        ProbeWidget(encoder, frame, cache=NOTHING_KEPT)
    few = ProbeWidget(encoder, tiny_splits(sizes=(3, 40, 36)), cache=NOTHING_KEPT)
    with pytest.raises(LitProbeError, match="could not be computed"):
        few.study()
    asked = urllib.request.Request(f"http://127.0.0.1:{few.port}/", headers={"Host": "lab.example.org"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(asked, timeout=20)
    # All of it before the server ends, which may cut it off.
    body = refused.value.read().decode()
    pending = next(iter(few._studies.values())).status()["message"]
    few.stop()
    said = [str(told.value), pending, body]
    assert "allowed_hosts" in said[2]
    for message in said:
        assert "--" not in message and "server again" not in message and "restart" not in message.lower()


_ENDS_AT_ONCE = """
import sys, threading, time
from lit_probe.encoder.cache import Cache
from lit_probe.notebook import ProbeWidget

texts = [f"a {word} film, number {n}" for n in range(1500) for word in ("good", "bad")]
widget = ProbeWidget(sys.argv[1], texts, ["p", "n"] * 1500, cache=Cache(None))
while not widget._progress:
    time.sleep(0.005)
# Python waits for this thread, after it has refused to start any work: time enough for what is computed to notice.
threading.Thread(target=time.sleep, args=(1,)).start()
"""


def test_a_script_that_ends_while_probes_are_computed_ends_quietly(tiny_folder):
    command = [sys.executable, "-c", _ENDS_AT_ONCE, str(tiny_folder())]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert ended.returncode == 0, ended.stderr
    assert "ERROR" not in ended.stderr and "Traceback" not in ended.stderr and "shutdown" not in ended.stderr, ended.stderr


def test_a_port_that_is_taken_is_named_and_nothing_is_left_running(widget, encoder, splits):
    before = threading.active_count()
    with pytest.raises(LitProbeError, match=rf"Port {widget.port} is in use on 127\.0\.0\.1\. Choose another one \(--port"):
        ProbeWidget(encoder, splits, address=Address(port=widget.port), cache=NOTHING_KEPT)
    assert threading.active_count() == before


def test_a_freed_port_can_be_taken_again(encoder, splits):
    first = ProbeWidget(encoder, splits, cache=NOTHING_KEPT)
    first.stop()
    second = ProbeWidget(encoder, splits, address=Address(port=first.port), cache=NOTHING_KEPT)
    assert second.port == first.port and info(second)["defaultLayout"] == "notebook"
    second.stop()


def test_several_widgets_answer_side_by_side_and_hear_of_their_own_page_alone(widget, encoder, splits):
    other = ProbeWidget(encoder, splits, cache=NOTHING_KEPT)
    rows = post(other.url, "get_dataset?dataset_name=tiny")
    before = widget.ui_state.selection
    post(other.url, "push_ui_state?dataset_name=tiny", {"inputs": [rows[0]["id"]], "config": {"primary_id": rows[0]["id"]}})
    assert other.port != widget.port
    assert other.ui_state.primary["id"] == rows[0]["id"] and widget.ui_state.selection == before
    other.stop()

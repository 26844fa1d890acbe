"""The whole application, asked over WSGI as a browser asks it."""

from __future__ import annotations

import http.client
import importlib.util
import json
import threading
import time

import pytest
from asking_browser import Browser
from nli_rows import nli_rows
from tiny_probing import LABELS, tiny_splits

from lit_probe import split_texts
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import LitProbeError, UnknownNameError
from lit_probe.layouts import LAYOUTS
from lit_probe.lit.app import AppOptions, assemble, build
from lit_probe.lit.generators import generators_for
from lit_probe.lit.server.web import serve
from lit_probe.probing.study import probe_layers
from lit_probe.salience import SALIENCE_METHODS

MODELS = ["tiny-bert-on-tiny", "tiny-electra-on-tiny", "tiny-bert-on-other", "tiny-electra-on-other"]


@pytest.fixture(scope="module")
def encoders(tiny_folder):
    return [load_encoder(str(tiny_folder(architecture))) for architecture in ("bert", "electra")]


@pytest.fixture(scope="module")
def browser(encoders):
    splits = [tiny_splits(), tiny_splits("other", start=-70)]
    app = build(encoders, splits, AppOptions(), lambda encoder, one, progress: probe_layers(encoder, one, progress=progress))
    browser = Browser(app)
    for model in MODELS:
        browser.wait_for(model)
    return browser


@pytest.fixture
def held(encoders):
    """The application while its first study is held, and the event that lets it go on."""
    told, go_on = threading.Event(), threading.Event()

    def make_study(encoder, splits, progress):
        progress("Encoding tiny train", 20, 80, "texts")
        told.set()
        go_on.wait(20)
        return probe_layers(encoder, splits)

    app = build(encoders[:1], [tiny_splits()], AppOptions(), make_study)
    told.wait(10)
    yield Browser(app), go_on
    go_on.set()


@pytest.fixture(scope="module")
def rows(browser):
    return browser.rows("tiny")


def ids(rows, split=None):
    return [row["id"] for row in rows if split is None or row["data"]["probe_split"] == split]


def test_the_page_knows_our_models_data_sets_panels_and_layouts(browser):
    info = browser.ask("/get_info")
    assert list(info["models"]) == MODELS
    assert [name for name in info["datasets"] if not name.startswith("_")] == ["tiny", "other"]
    for model in info["models"].values():
        assert {"tiny", "other"} <= set(model["datasets"])
        assert {"layer_metrics", "layer_predictions", "pca", "nearest neighbors", "LIME", "curves"} <= set(model["interpreters"])
        assert model["metrics"] == ["held out"]
        # The tiny encoders have no head that fills masks.
        assert model["generators"] == [name for name in generators_for(()) if name != "Masked Words"]
    assert ("umap" in info["interpreters"]) == (importlib.util.find_spec("umap") is not None)
    assert "multiclass" not in info["metrics"]
    assert set(info["layouts"]) == set(LAYOUTS) and info["defaultLayout"] == "decodability"
    assert info["demoMode"] and info["initSpecs"] == {"datasets": {}, "models": {}}
    assert info["pageTitle"] == "lit_probe"


def test_the_reading_guide_says_decodable_and_that_this_is_not_used(browser):
    guide = browser.ask("/get_info")["inlineDoc"]
    assert "Decodable is not used" in guide and "Probe by layer" in guide
    assert "shows nothing" not in guide and "larger class" not in guide
    for topic in (
        "most\n  frequent class",
        "class frequencies of train",
        "no\n  evidence",
        "The Confusion Matrix",
        "means nothing",
    ):
        assert topic in guide, topic


def test_the_data_set_says_which_of_lits_panels_counts_every_row(browser):
    assert "Confusion Matrix counts the held-out rows" in browser.ask("/get_info")["datasets"]["tiny"]["description"]


def test_the_curve_over_the_api_is_the_studys_and_the_metrics_tables(browser, rows):
    answer = browser.interpret("layer_metrics", ids(rows, "dev"), config={"metric": "auroc"}, do_predict=0)
    assert answer["status"] == "ready" and answer["metric"] == "auroc"
    (series,) = answer["series"]
    body = {"inputs": ids(rows, "dev")}
    table = browser.ask("/get_metrics", body, model=MODELS[0], dataset_name="tiny", metrics="held out")["held out"]
    by_field = {entry["pred_key"]: entry["metrics"] for entry in table}
    assert [by_field[f"probe_layer_{i:02d}"]["auroc"] for i in range(4)] == [layer["score"] for layer in series["layers"]]
    assert by_field["probe"]["n"] == series["n"] == 40


def test_an_added_example_is_predicted_at_every_layer_and_not_scored(browser, rows):
    new = browser.add(rows[0], "the film was awful and dull")
    answer = browser.interpret("layer_predictions", [rows[0]["id"], new])
    assert [one["edited"] for one in answer["examples"]] == [False, True]
    assert len(answer["examples"][1]["probabilities"]) == 4
    scored = browser.interpret("layer_metrics", [*ids(rows), new])
    assert scored["left_out"]["edited"] == 1
    assert scored["series"] == browser.interpret("layer_metrics", ids(rows))["series"]


def test_lits_own_panels_work_on_our_fields(browser, rows):
    found = browser.interpret("classification", ids(rows))
    assert len(found) == len(rows) and set(found[0]) >= {"probe", "probe_layer_03", "probe_color_by"}
    config = {"dataset_name": "tiny", "model_name": MODELS[0], "field_name": "layer_02", "use_input": False}
    assert len(browser.interpret("pca", ids(rows), config=config | {"proj_kw": {"n_components": 3}})) == len(rows)
    config = {"dataset_name": "tiny", "embedding_name": "layer_02", "num_neighbors": 3}
    (neighbours,) = browser.interpret("nearest neighbors", ids(rows)[:1], config=config)
    assert neighbours["nearest_neighbors"][0]["id"] == rows[0]["id"]
    curves = browser.interpret("curves", ids(rows), config={"Label": "positive", "Prediction field": "probe"})
    assert curves["roc_data"] and curves["pr_data"]


def test_every_salience_method_is_a_row_of_lits_panel_and_puts_weight_on_the_concept(browser, rows):
    info = browser.ask("/get_info")
    specs = {name: one["metaSpec"].get("salience") for name, one in info["interpreters"].items()}
    titles = [method.title for method in SALIENCE_METHODS.values()]
    # LIT's own name for its rows is that of the interpreter, and their order is ours.
    assert [name for name in info["models"][MODELS[0]]["interpreters"] if specs.get(name)] == titles and len(titles) >= 8
    example = browser.add(rows[0], "the film was awful")
    for title in titles:
        (first,), (second,) = (browser.interpret(title, [example]) for _ in range(2))
        assert first == second
        tokens, weights = next(iter(first.values()))["tokens"], next(iter(first.values()))["salience"]
        assert len(tokens) == 6 and max(map(abs, weights)) == pytest.approx(1)
        if title in ("LIME", "Occlusion", "KernelSHAP"):
            assert tokens[max(range(len(weights)), key=lambda i: abs(weights[i]))] == "awful"


def test_the_salience_panels_second_request_explains_the_class_chosen_above_the_rows(browser, rows):
    """LIT sends the text without a class first, then with the predicted class as its label and as the target."""
    row = rows[0]
    meta = {"added": True, "source": "SalienceMapModule", "parentId": row["id"]}
    other = next(name for name in LABELS if name != row["data"]["label"])
    changed = {"data": {**row["data"], "label": other, "_id": "", "_meta": meta}, "id": "", "meta": meta}
    config = {"class to explain": {"field": "probe", "index": LABELS.index(other)}}
    (answer,) = browser.interpret("Input × gradient", [changed], config=config)
    assert f"logit of {other} is" in next(iter(answer))
    (answer,) = browser.interpret("Input × gradient", [changed], config=config | {"target": "gold"})
    assert f"logit of {row['data']['label']} is" in next(iter(answer))


def test_a_layer_that_is_not_there_is_a_message_in_the_row_and_a_configuration_that_makes_no_sense_an_error(browser, rows):
    (answer,) = browser.interpret("LIME", [rows[0]["id"]], config={"layer": "9"})
    assert list(answer) == ["No map", "Unknown layer 9. tiny-bert has layers 0 (embeddings) to 3."]
    where = {"model": MODELS[0], "dataset_name": "tiny", "interpreter": "LIME"}
    response = browser.post("/get_interpretations", {"inputs": [rows[0]["id"]], "config": {"samples": "many"}}, **where)
    assert response.status_code == 400 and "'samples' must be a whole number from 2 to 2,000" in response.text


def test_our_salience_panels_are_answered_without_lits_predictions(browser, rows):
    choices = browser.interpret("salience_methods", [], do_predict=0)
    example = browser.add(rows[0], "the film was awful")
    for method in choices["methods"]:
        answer = browser.interpret("salience_map", [example], config={"method": method["name"], "layer": 3}, do_predict=0)
        assert answer["status"] == "ready" and answer["title"] == method["title"] and len(answer["scores"]) == 6
    config = {"check": "faithfulness", "methods": ["gradient_l2"], "sample": 5}
    deadline = time.monotonic() + 30
    while (answer := browser.interpret("salience_checks", [], config=config, do_predict=0))["status"] == "computing":
        assert time.monotonic() < deadline, answer
        time.sleep(0.02)
    assert answer["status"] == "ready" and set(answer["rows"]["ids"]) < set(ids(rows, "dev"))


def test_generators_make_rows_that_lit_can_add(browser, rows):
    config = {"Fields to scramble": ["text"]}
    made = browser.ask(
        "/get_generated",
        {"inputs": [rows[0]["id"]], "config": config},
        model=MODELS[0],
        dataset_name="tiny",
        generator="Scrambler",
    )
    assert made[0][0]["meta"]["added"] and made[0][0]["data"]["text"] != rows[0]["data"]["text"]


def test_every_model_answers_for_every_data_set_of_the_same_classes(browser):
    for dataset in ("tiny", "other"):
        inputs = ids(browser.rows(dataset))
        for model in MODELS:
            config = {"train": True}
            answer = browser.interpret("layer_metrics", inputs, config=config, model=model, dataset=dataset, do_predict=0)
            assert answer["status"] == "ready"
            assert (answer["left_out"]["seen_in_training"] > 0) == (answer["trained_on"] != dataset)


def test_an_unknown_metric_is_answered_with_the_choices(browser, rows):
    response = browser.post(
        "/get_interpretations",
        {"inputs": ids(rows)[:2], "config": {"metric": "acuracy"}},
        model=MODELS[0],
        dataset_name="tiny",
        interpreter="layer_metrics",
        do_predict=0,
    )
    assert 400 <= response.status_code < 500
    assert "Unknown metric 'acuracy'. Choose one of: accuracy" in response.get_data(as_text=True)


@pytest.mark.parametrize("text", ["", "\U0001f600", "a\ud800b", "\x00", "x" * 100_000])
def test_odd_texts_get_an_answer(browser, rows, text):
    answer = browser.interpret("layer_predictions", [browser.add(rows[0], text)])
    assert answer["examples"][0]["edited"]


def test_while_the_probes_are_computed_nothing_waits_and_then_everything_answers(held):
    browser, go_on = held
    rows = browser.rows("tiny")
    answer = browser.interpret("layer_metrics", ids(rows), do_predict=0)
    assert answer == {"status": "computing", "message": "Encoding tiny train: 20 of 80 texts", "fraction": 0.25}
    map_config = {"method": "lime"}
    assert browser.interpret("salience_map", ids(rows)[:1], config=map_config, do_predict=0) == answer
    assert browser.interpret("salience_checks", [], config={"check": "words", **map_config}, do_predict=0) == answer
    assert browser.interpret("salience_methods", [], do_predict=0)["best_layer"] is None
    refused = "The probes of tiny-bert on tiny are still being computed: Encoding tiny train: 20 of 80 texts."
    where = {"model": MODELS[0], "dataset_name": "tiny"}
    for endpoint, parameters in (
        ("/get_preds", {}),
        ("/get_metrics", {"metrics": "held out"}),
        ("/get_metrics", {"metrics": "held out", "do_predict": 0}),
        ("/get_generated", {"generator": "Scrambler"}),
        ("/get_interpretations", {"interpreter": "classification"}),
        ("/get_interpretations", {"interpreter": "pca", "do_predict": 0}),
        ("/get_interpretations", {"interpreter": "layer_metrics"}),
        ("/get_interpretations", {"interpreter": "LIME"}),
        ("/get_interpretations", {"interpreter": "LIME", "do_predict": 0}),
    ):
        response = browser.post(endpoint, {"inputs": ids(rows)}, **where, **parameters)
        assert (response.status_code, response.headers["Retry-After"]) == (503, "1"), endpoint
        assert response.text == f"{refused}\n\nDetails: HTTP 503 Service Unavailable\n"
    assert browser.add(rows[0], "an edit needs no probes")["id"]
    go_on.set()
    browser.wait_for(MODELS[0])
    assert len(browser.interpret("classification", ids(rows))) == len(rows)
    assert browser.interpret("layer_metrics", ids(rows), do_predict=0)["status"] == "ready"


def test_a_client_learns_of_its_mistakes_also_while_the_probes_are_computed(held):
    browser, _ = held
    assert browser.post("/get_preds", {"inputs": ["unknown"]}, model=MODELS[0], dataset_name="tiny").status_code == 404


def test_ready_probes_wait_for_the_data_set_that_is_shown_and_for_no_other(encoders):
    finished = threading.Event()

    def make_study(encoder, splits, progress):
        if splits.name == "other":
            finished.wait(10)
        return probe_layers(encoder, splits)

    browser = Browser(build(encoders[:1], [tiny_splits(), tiny_splits("other", start=-70)], AppOptions(), make_study))
    browser.wait_for(MODELS[0])
    rows, others = browser.rows("tiny"), browser.rows("other")
    assert len(browser.interpret("classification", ids(rows))) == len(rows)
    response = browser.post("/get_preds", {"inputs": ids(others)[:1]}, model=MODELS[0], dataset_name="other")
    assert response.status_code == 503 and "tiny-bert on other are still being computed" in response.text
    # Nor is a text waited for that happens to stand in the other data set.
    shared = next(row["data"]["text"] for row in others if row["data"]["text"] not in {one["data"]["text"] for one in rows})
    assert len(browser.interpret("layer_predictions", [browser.add(rows[0], shared)])["examples"]) == 1
    finished.set()


def test_forty_requests_for_predictions_in_the_making_leave_the_server_free(held):
    browser, _ = held
    rows = browser.rows("tiny")
    server = serve(browser.client.application, "127.0.0.1", 0).start()
    address = f"/get_preds?model={MODELS[0]}&dataset_name=tiny"
    body = json.dumps({"inputs": ids(rows)})
    try:
        connections = [http.client.HTTPConnection("127.0.0.1", server.port, timeout=5) for _ in range(40)]
        for connection in connections:
            connection.request("POST", address, body)
        start = time.monotonic()
        last = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        last.request("POST", "/get_info", b"{}")
        assert last.getresponse().status == 200
        assert time.monotonic() - start < 2
        assert {connection.getresponse().status for connection in connections} == {503}
    finally:
        server.close()


def test_a_failed_study_is_shown_as_a_message_and_the_page_lives_on(encoders):
    def make_study(encoder, splits, progress):
        raise LitProbeError("Layer 2: the activations in /home/me/cache are not finite")

    browser = Browser(build(encoders[:1], [tiny_splits()], AppOptions(), make_study))
    browser.wait_for(MODELS[0])
    rows = browser.rows("tiny")
    told = (
        "The probes of tiny-bert on tiny could not be computed: Layer 2: the activations in [path] are not finite. "
        "Once this is mended, "
    )
    preds = browser.post("/get_preds", {"inputs": ids(rows)[:1]}, model=MODELS[0], dataset_name="tiny")
    assert preds.status_code == 400 and preds.text.startswith(f"{told}start again.")
    answer = browser.interpret("layer_metrics", ids(rows), do_predict=0)
    assert answer == {"status": "failed", "message": f"{told}press Retry.", "can_retry": True}


def test_the_options_decide_which_rows_and_layers_are_shown(encoders):
    options = AppOptions(show_train=5, max_shown=60, head_layers=(1, 3))
    assembled = assemble(encoders, [tiny_splits()], options)
    application, (study, *_) = assembled.application, assembled.studies
    browser = Browser(application)
    assert len(browser.rows("tiny")) == 60
    spec = browser.ask("/get_info")["models"]["tiny-bert-on-tiny"]["spec"]["output"]
    assert [name for name in spec if name.startswith("probe")] == ["probe", "probe_layer_01", "probe_layer_03", "probe_color_by"]
    assert study.encoder is encoders[0]


def test_a_layer_that_an_encoder_lacks_is_refused(encoders):
    with pytest.raises(UnknownNameError, match=r"Unknown layer 9. tiny-bert has layers 0 \(embeddings\) to 3"):
        assemble(encoders, [tiny_splits()], AppOptions(head_layers=(0, 9)))


def test_rows_are_marked_that_any_of_the_encoders_truncates(tiny_folder):
    encoders = [load_encoder(str(tiny_folder()), max_length=length) for length in (64, 9)]
    encoders[1].name = "short-bert"
    application = assemble(encoders, [tiny_splits()], AppOptions()).application
    rows = Browser(application).rows("tiny")
    assert {row["data"]["truncated"] for row in rows} == {True, False}
    assert all(row["data"]["truncated"] == (len(row["data"]["text"].split()) > 7) for row in rows)


def test_data_sets_with_other_classes_have_models_of_their_own(encoders):
    three = tiny_splits("other-classes", label_names=("no", "yes"))
    application = assemble(encoders[:1], [tiny_splits(), three], AppOptions()).application
    models = Browser(application).ask("/get_info")["models"]
    assert [name for name in models["tiny-bert-on-tiny"]["datasets"] if name[0] != "_"] == ["tiny"]
    assert [name for name in models["tiny-bert-on-other-classes"]["datasets"] if name[0] != "_"] == ["other-classes"]


def test_checks_transfer_and_provenance_answer_over_the_api_without_any_inputs(browser):
    def ask(interpreter, **config):
        deadline = time.monotonic() + 30
        while (answer := browser.interpret(interpreter, [], config=config, do_predict=0))["status"] == "computing":
            assert time.monotonic() < deadline, answer
            time.sleep(0.02)
        assert answer["status"] == "ready", answer
        return answer

    assert [layer["layer"] for layer in ask("probe_checks", check="calibration")["layers"]] == [0, 1, 2, 3]
    assert ask("probe_checks", check="baselines", baseline="majority")["title"] == "Majority class"
    assert ask("transfer")["train"] == ["tiny", "other"]
    assert list(ask("provenance")["card"]["datasets"]) == ["tiny"]
    refused = browser.post(
        "/get_interpretations",
        {"inputs": [], "config": {"check": "calibraton"}},
        model=MODELS[0],
        dataset_name="tiny",
        interpreter="probe_checks",
        do_predict=0,
    )
    assert refused.status_code == 400 and "Unknown check 'calibraton'" in refused.get_data(as_text=True)


def test_rows_wear_the_badge_of_each_data_set_that_trained_on_them(browser):
    rows, elsewhere = browser.rows("other"), tiny_splits()
    badges = {row["data"]["text"]: row["data"]["in_train"] for row in rows}
    assert {badges[row["data"]["text"]] for row in rows if row["data"]["probe_split"] == "train"} == {"in train"}
    shared = [text for text in elsewhere.train.texts if text in badges and badges[text] != "in train"]
    assert shared and {badges[text] for text in shared} == {"in train (tiny)"}


def test_what_panels_ask_for_is_kept_in_the_cache_for_the_next_server(encoders, tmp_path):
    def serve(cache):
        browser = Browser(
            build(encoders[:1], [tiny_splits()], AppOptions(), lambda encoder, one, _: probe_layers(encoder, one), cache)
        )
        browser.wait_for(MODELS[0])
        deadline = time.monotonic() + 30
        config = {"check": "calibration"}
        while browser.interpret("probe_checks", [], config=config, do_predict=0)["status"] == "computing":
            assert time.monotonic() < deadline
            time.sleep(0.02)

    serve(Cache(tmp_path))
    stored = {kind: len(list((tmp_path / kind).iterdir())) for kind in ("checks", "near_duplicates")}
    assert stored == {"checks": 1, "near_duplicates": 1}
    size = Cache(tmp_path).size()
    serve(Cache(tmp_path))
    assert Cache(tmp_path).size() == size


OF_TOKENS = {"Grad L2 Norm", "Grad ⋅ Input", "Integrated Gradients", "tcav"}


def test_lits_own_gradient_maps_and_tcav_come_with_token_fields_alone(browser, encoders):
    def study(encoder, splits, progress):
        return probe_layers(encoder, splits, progress=progress)

    offered = set(browser.ask("/get_info")["models"][MODELS[0]]["interpreters"])
    assert not offered & OF_TOKENS
    with_tokens = Browser(build(encoders[:1], [tiny_splits()], AppOptions(token_fields=True), study))
    with_tokens.wait_for(MODELS[0])
    assert set(with_tokens.ask("/get_info")["models"][MODELS[0]]["interpreters"]) == offered | OF_TOKENS
    [row, *_] = with_tokens.rows("tiny")
    config = {"Class to explain": "", "Normalize": False, "Interpolation steps": "60"}
    for name in ("Grad L2 Norm", "Grad ⋅ Input", "Integrated Gradients"):
        [found] = with_tokens.interpret(name, [row["id"]], config=config if name.startswith("Integrated") else {})
        assert len(found["token_gradients"]["salience"]) == len(found["token_gradients"]["tokens"]) > 2
    edit = with_tokens.add(row, "the film was great and awful")
    [found] = with_tokens.interpret("Grad L2 Norm", [edit])
    assert found["token_gradients"]["tokens"][1:-1] == "the film was great and awful".split()


def test_the_memory_budget_counts_all_models_and_every_data_set_that_they_can_show(encoders):
    splits = [tiny_splits(), tiny_splits("other", start=-70)]
    shown = sum(len(one.train.texts) + len(one.dev.texts) + len(one.test.texts) for one in splits)
    with pytest.raises(LitProbeError, match=rf"Token fields of {4 * shown:,} examples of"):
        assemble(encoders, splits, AppOptions(token_fields=True, memory_budget=1e-6))
    assemble(encoders, splits, AppOptions(memory_budget=1e-6))


def test_pairs_beside_single_texts_have_token_fields_and_count_by_themselves(encoders):
    rows = [(row["premise"], row["hypothesis"]) for row in nli_rows(80)]
    pairs = split_texts(rows, [LABELS[i % 2] for i in range(len(rows))], name="pairs")
    splits = [tiny_splits(), pairs]
    assert splits[0].label_names == pairs.label_names
    # Neither's model can be shown on the other.
    shown = sum(len(rows) for one in splits for _, rows in one.items())
    with pytest.raises(LitProbeError, match=rf"Token fields of {shown:,} examples of"):
        assemble(encoders[:1], splits, AppOptions(token_fields=True, memory_budget=1e-6))

    def study(encoder, splits, progress):
        return probe_layers(encoder, splits, progress=progress)

    browser = Browser(build(encoders[:1], splits, AppOptions(token_fields=True), study))
    browser.wait_for("tiny-bert-on-pairs", "pairs")
    [row, *_] = browser.rows("pairs")
    [found] = browser.interpret("Grad L2 Norm", [row["id"]], model="tiny-bert-on-pairs", dataset="pairs")
    words = [*row["data"]["first"].split(), *row["data"]["second"].split()]
    tokens, salience = found["token_gradients"]["tokens"], found["token_gradients"]["salience"]
    assert [token for token in tokens if token != "[SEP]"][1:] == words and tokens.count("[SEP]") == 2
    assert len(salience) == len(tokens)

"""Salience over HTTP, from a server as a user starts it."""

from __future__ import annotations

import time

from live_server import PATIENCE_S, ask, curve, live_server, post

MODEL = "tiny-bert-on-demo"


def test_maps_of_the_model_and_of_its_probes_arrive_for_edited_texts(tiny_folder, tmp_path):
    with live_server([f"--model={tiny_folder(n_classes=2)}", "--datasets=demo"], tmp_path) as url:
        row = post(url, "get_dataset?dataset_name=demo")[0]

        def map_of(**config):
            return ask(url, "salience_map", MODEL, "demo", [example], method="integrated_gradients", **config)

        meta = {"added": True, "source": "manual", "parentId": row["id"]}
        example = {"data": {**row["data"], "text": "not a bad film", "_id": "", "_meta": meta}, "id": "", "meta": meta}
        # The model's own answer does not wait for the probes.
        answer = map_of(explain="model", target="class:class 1")
        assert answer["status"] == "ready" and answer["class_name"] == "class 1" and answer["explained"] == "model"
        best = curve(url, MODEL, "demo")["best_layer"]
        for config, layer in (({}, best), ({"layer": "3"}, 3)):
            answer = map_of(target="gold", scalar="margin", **config)
            assert answer["status"] == "ready" and answer["layer"] == layer and answer["class_name"] == row["data"]["label"]
            assert answer["word_texts"] == ["not", "a", "bad", "film"] and answer["diagnostics"]["completeness_gap"] >= 0
        assert map_of(layer="8")["message"] == "Unknown layer 8. tiny-bert has layers 0 (embeddings) to 3."

        deadline = time.monotonic() + PATIENCE_S
        config = {"check": "words", "method": "gradient_l2", "sample": "12"}
        while (answer := ask(url, "salience_checks", MODEL, "demo", [], **config))["status"] == "computing":
            assert time.monotonic() < deadline, answer
            time.sleep(0.1)
        assert answer["status"] == "ready" and len(answer["rows"]["ids"]) == answer["n_texts"] == 12

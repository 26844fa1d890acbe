"""Asks the whole application over WSGI, as a browser asks it."""

from __future__ import annotations

import json
import time

from werkzeug.test import Client


class Browser:
    """Asks the application's API; answers are parsed as a browser does, which refuses NaN."""

    def __init__(self, app):
        self.client = Client(app)

    def post(self, endpoint, body=None, **parameters):
        return self.client.post(endpoint, json=body or {}, query_string=parameters, headers={"Host": "127.0.0.1:5432"})

    def ask(self, endpoint, body=None, **parameters):
        response = self.post(endpoint, body, **parameters)
        assert response.status_code == 200, response.get_data(as_text=True)

        def refuse(constant):
            raise AssertionError(f"{constant} in the answer of {endpoint}")

        return json.loads(response.get_data(), parse_constant=refuse)

    def rows(self, dataset):
        return self.ask("/get_dataset", dataset_name=dataset)

    def interpret(self, interpreter, inputs, model="tiny-bert-on-tiny", dataset="tiny", config=None, do_predict=1):
        body = {"inputs": inputs} | ({"config": config} if config is not None else {})
        return self.ask(
            "/get_interpretations", body, model=model, dataset_name=dataset, interpreter=interpreter, do_predict=do_predict
        )

    def wait_for(self, model, dataset="tiny"):
        """Returns once the model's probes are ready, or have failed."""
        deadline = time.monotonic() + 30
        while (answer := self.interpret("layer_metrics", [], model, dataset, do_predict=0))["status"] == "computing":
            assert time.monotonic() < deadline, answer
            time.sleep(0.05)

    def add(self, row, text, dataset="tiny"):
        """A new example as LIT's editor adds it."""
        data = {**row["data"], "text": text, "_id": "", "_meta": {"added": True, "parentId": row["id"], "source": "manual"}}
        return self.ask(
            "/annotate_new_data", {"inputs": [{"data": data, "id": "", "meta": data["_meta"]}]}, dataset_name=dataset
        )[0]

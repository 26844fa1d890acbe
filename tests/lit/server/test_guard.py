"""Each row of the guard's table: the bad request is refused, and its well-formed twin works."""

from __future__ import annotations

import io
import json

import pytest
from tiny_lit_app import HOST, LABELS, Browser, Misbehaving, tiny_lit_app, wrapped

from lit_probe.errors import LitProbeError
from lit_probe.lit.server import guard
from lit_probe.lit.server.limits import Limits
from lit_probe.lit.server.page import PackagedFiles
from lit_probe.lit.server.web import wrap

OURS = f"/lit_probe/{PackagedFiles.find().version}"
PREDS = "/get_preds?model=letters&dataset_name=films"
INTERPRETER = "/get_interpretations?model=letters&dataset_name=films&interpreter=misbehaving&do_predict=0"
METRICS = "/get_metrics?model=letters&dataset_name=films&metrics=multiclass"
GENERATOR = "/get_generated?model=letters&dataset_name=films&generator=Scrambler"


@pytest.fixture(scope="module")
def app():
    return wrapped()


@pytest.fixture(scope="module")
def browser(app):
    return Browser(app)


@pytest.fixture(scope="module")
def ids(browser):
    return [example["id"] for example in browser.post("/get_dataset?dataset_name=films").json]


def typed_in(text="a new film", **data):
    """An example as LIT's page sends it after an edit."""
    meta = {"added": True, "source": "manual", "parentId": None}
    return {"data": {"text": text, "label": LABELS[0], "_id": "", "_meta": meta, **data}, "id": "", "meta": meta}


# ---- who asks


@pytest.mark.parametrize("host", [HOST, "localhost:5432", "LOCALHOST", "[::1]:5432", "127.0.0.1:8888"])
def test_requests_for_this_machine_are_answered_on_any_port(browser, host):
    assert browser.get("/", headers={"Host": host}).status_code == 200
    assert browser.post("/get_info", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:5432",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "localhost@evil.example",
        "a, localhost",
        "",
    ],
)
def test_requests_for_another_host_are_refused(browser, host):
    for response in (browser.get("/", headers={"Host": host}), browser.post("/get_info", headers={"Host": host})):
        assert response.status_code == 403
        assert response.text.startswith(
            f"This server does not answer for the host {host!r}, only for: 127.0.0.1, ::1, localhost."
        )


def test_further_hosts_are_allowed_by_name_and_so_are_their_pages_behind_a_proxy():
    browser = Browser(wrapped(host="192.168.1.7", allowed_hosts=["Lab.example.org"]))
    assert browser.get("/", headers={"Host": "lab.example.org"}).status_code == 200
    assert browser.get("/", headers={"Host": "192.168.1.7:80"}).status_code == 200
    assert browser.get("/", headers={"Host": "other.example.org"}).status_code == 403
    assert browser.post("/get_info", headers={"Origin": "https://lab.example.org"}).status_code == 200
    assert browser.post("/get_info", headers={"Origin": "https://other.example.org"}).status_code == 403


def test_a_server_on_all_interfaces_still_answers_for_its_names_only():
    browser = Browser(wrapped(host="0.0.0.0"))
    assert browser.get("/", headers={"Host": "localhost"}).status_code == 200
    assert browser.get("/", headers={"Host": "0.0.0.0"}).status_code == 403


@pytest.mark.parametrize(
    "option",
    [{"allowed_hosts": ["http://lab.example.org/"]}, {"frame_ancestors": ["x; script-src *"]}, {"frame_ancestors": ["file:"]}],
)
def test_options_that_make_no_sense_are_refused(option):
    with pytest.raises(LitProbeError, match=r"is not a host name|cannot be a frame ancestor"):
        wrap(tiny_lit_app(), **option)


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://127.0.0.1:3000", "http://localhost:5432", "http://[::1", f"ftp://{HOST}", ""],
)
def test_pages_of_another_origin_are_refused(browser, origin):
    assert browser.post("/get_info", headers={"Origin": origin}).status_code == 403
    assert browser.get("/main.js", headers={"Origin": origin}).status_code == 403


def test_our_own_page_is_answered(browser):
    headers = {"Origin": f"http://{HOST}", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
    assert browser.post("/get_info", headers=headers).status_code == 200


def test_another_site_may_link_to_the_page_but_not_use_anything(browser):
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert browser.get("/?layout=decodability", headers=link).status_code == 200
    assert browser.get("/main.js", headers=link).status_code == 403
    assert browser.get("/", headers=link | {"Sec-Fetch-Mode": "no-cors"}).status_code == 403
    assert browser.post("/get_info", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


# ---- which address


@pytest.mark.parametrize("endpoint", [*sorted(guard.ENDPOINTS | guard.REFUSED_ENDPOINTS), guard.LEFT])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_the_api_is_called_by_post_only(browser, endpoint, method):
    response = browser.send(method, endpoint)
    assert response.status_code == 405
    assert response.headers["Allow"] == "POST"


@pytest.mark.parametrize("path", ["/", "/main.js", f"{OURS}/index.js"])
def test_files_are_read_by_get_and_head_only(browser, path):
    assert browser.send("POST", path).status_code == 405
    assert browser.send("POST", path).headers["Allow"] == "GET, HEAD"
    got, head = browser.get(path), browser.send("HEAD", path)
    assert got.status_code == head.status_code == 200
    assert head.data == b""
    assert int(head.headers["Content-Length"]) == len(got.data)


@pytest.mark.parametrize("path", ["/", "/index.html", "/main.js", "/static/favicon.png", "/static/potato.svg"])
def test_the_files_that_lit_needs_are_served(browser, path):
    assert browser.get(path).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/main.js.map",
        "/main.js.LICENSE.txt",
        "/static/index.html",
        "/static/../main.js.map",
        "/static/%2e%2e/main.js.map",
        "/static/..%2fmain.js.map",
        "/../../etc/passwd",
        "/main.js/",
        "/main.js%00",
        "/%00",
        f"{OURS}/../lit/server/web.py",
        f"{OURS}/%2e%2e/lit/web.py",
        f"{OURS}/package.json",
        f"{OURS}/fonts/roboto.LICENSE.txt",
        f"{OURS}/",
        OURS,
        "/lit_probe/index.js",
        f"/lit_probe/{'0' * 16}/index.js",
        "/lit_probe/",
        "/get_info/",
        "/nowhere",
    ],
)
def test_everything_else_is_not_found(browser, path):
    for method in ("GET", "POST"):
        assert browser.send(method, path).status_code == 404


@pytest.mark.parametrize("endpoint", sorted(guard.REFUSED_ENDPOINTS))
def test_endpoints_that_touch_files_or_run_constructors_are_switched_off(browser, endpoint, tmp_path):
    target = tmp_path / "stolen"
    response = browser.post(
        f"{endpoint}?dataset_name=films&model_name=letters&path={target}", {"inputs": [], "config": {"new_name": "x"}}
    )
    assert response.status_code == 403
    assert guard.REFUSED_ENDPOINTS[endpoint] in response.text
    assert not list(tmp_path.iterdir())


def test_every_endpoint_of_lit_is_in_one_of_the_two_tables():
    handlers = tiny_lit_app()._wsgi_app._handlers
    assert set(handlers) == set(guard.ENDPOINTS | guard.REFUSED_ENDPOINTS)
    assert not set(guard.ENDPOINTS) & set(guard.REFUSED_ENDPOINTS)


def test_the_page_pushes_its_state_in_notebooks_only(browser, ids):
    url, data = "/push_ui_state?dataset_name=films", {"inputs": ids[:1], "config": {"primary_id": ids[0]}}
    assert browser.post(url, data).status_code == 403
    lit_app = tiny_lit_app(sync_state=True)
    assert Browser(wrap(lit_app)).post(url, data).status_code == 200
    assert lit_app.ui_state_tracker.state.primary["id"] == ids[0]


# ---- a page that is left

PAGE = "0123456789abcdef" * 2


@pytest.fixture
def leaving():
    """A browser, and what the server heard of pages that were left."""
    heard: list[tuple[str, int | None]] = []
    return Browser(wrapped(leave=lambda page, question: heard.append((page, question)))), heard


@pytest.mark.parametrize("question", [None, 17, 2**53 - 1])
def test_a_page_says_that_it_is_left_or_one_of_its_questions(leaving, question):
    browser, heard = leaving
    response = browser.post(guard.LEFT, {"page": PAGE} if question is None else {"page": PAGE, "question": question})
    assert (response.status_code, response.data) == (204, b"")
    assert heard == [(PAGE, question)]
    assert "default-src 'self'" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"not json", 400),
        (b"[]", 400),
        ({"page": PAGE[1:]}, 400),
        ({"page": PAGE.upper()}, 400),
        ({"page": [PAGE]}, 400),
        ({"page": PAGE, "question": "17"}, 400),
        ({"page": PAGE, "question": 1.5}, 400),
        ({"page": PAGE, "question": True}, 400),
        ({"page": PAGE, "pages": "all"}, 400),
        ({"page": PAGE, "question": "x" * 200}, 413),
    ],
)
def test_what_is_no_such_word_leaves_nothing(leaving, body, status):
    browser, heard = leaving
    assert browser.post(guard.LEFT, body).status_code == status
    assert heard == []


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
)
def test_another_page_cannot_say_it(leaving, headers):
    browser, heard = leaving
    assert browser.post(guard.LEFT, {"page": PAGE}, headers=headers).status_code == 403
    assert heard == []


# ---- what they send: size


@pytest.fixture(scope="module")
def small():
    return Browser(wrapped(limits=Limits(max_body=2000, small_body=2000)))


def padded(size):
    """A good request for `/get_info` of exactly this many bytes."""
    return b"{" + b" " * (size - 2) + b"}"


def test_a_body_of_the_allowed_size_is_read_and_one_byte_more_is_not(small):
    assert small.post("/get_info", padded(2000)).status_code == 200
    response = small.post("/get_info", padded(2001))
    assert response.status_code == 413
    assert response.text.startswith("The request is larger than the 2,000 bytes allowed.")


@pytest.mark.parametrize(("size", "status"), [(2000, 200), (2001, 413), (100_000, 413)])
def test_a_body_without_a_declared_length_is_measured_while_it_is_read(small, size, status):
    class Counting(io.BytesIO):
        """Knows how many bytes were asked for at a time."""

        def read(self, count=-1):
            asked.append(count)
            return super().read(count)

    asked: list[int] = []
    stream = Counting(padded(size))
    response = small.send(
        "POST", "/get_info", input_stream=stream, environ_overrides={"CONTENT_LENGTH": "", "wsgi.input_terminated": True}
    )
    assert response.status_code == status
    # What is refused is then read away in small pieces, so that a deployment server does not reset the connection.
    assert asked[0] == 2001 and all(0 < count <= 1 << 16 for count in asked)


@pytest.mark.parametrize(
    ("declared", "status"), [("100", 400), ("-1", 400), ("ten", 400), ("٣", 400), ("2001", 413), ("9" * 5000, 413), ("2", 200)]
)
def test_a_lying_content_length_is_seen_through(small, declared, status):
    response = small.send("POST", "/get_info", input_stream=io.BytesIO(b"{}"), environ_overrides={"CONTENT_LENGTH": declared})
    assert response.status_code == status


# ---- what they send: JSON


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"{",
        b"null",
        b"5",
        b'"text"',
        b"[1, 2]",
        b'{"inputs": [NaN]}',
        b'{"inputs": [-Infinity]}',
        b'{"inputs": [1e999]}',
        b'{"inputs": ["\xff\xfe"]}',
        json.dumps({"inputs": []}).encode("utf-16"),
        b"\xef\xbb\xbf{}",
        b'{"inputs": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"inputs": ' + b"[" * 40 + b"]" * 40 + b"}",
        b'{"inputs": ' + b"7" * 6000 + b"}",
        b'{"inputs": ' + b"7" * 30 + b"}",
        b'{"inputs": [], "config": {"__class__": "np.ndarray"}}',
        b'{"inputs": [], "config": {"x": [{"__class__": "tuple", "__value__": [1]}]}}',
        b'{"inputs": [], "config": {"__name__": "os"}}',
        b'{"inputs": [], "config": {"__name__": "Tokens"}}',
        b'{"__name__": "Tokens"}',
    ],
    ids=lambda body: ascii(body[:40]),
)
def test_what_is_not_a_plain_json_object_is_refused(browser, body):
    response = browser.post(PREDS, body)
    assert response.status_code == 400
    assert response.text.startswith("The request is not valid JSON: ")


def test_unusual_but_valid_json_is_accepted(browser, ids):
    nested: list = []
    for _ in range(20):
        nested = [nested]
    data = {"inputs": ids[:1], "config": {"nested": nested, "number": 2**62, "text": "\ud800 \x00 שלום 😀 NaN __class__"}}
    assert browser.post(INTERPRETER, data).status_code == 200


def test_the_content_type_does_not_matter_so_plain_curl_works(browser):
    response = browser.send(
        "POST", PREDS, data=json.dumps({"inputs": [typed_in()]}), content_type="application/x-www-form-urlencoded"
    )
    assert response.status_code == 200


# ---- what they name


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (PREDS.replace("letters", "zzz"), "Unknown model 'zzz'. Choose one of: letters."),
        (PREDS.replace("films", "zzz"), "Unknown data set 'zzz'. Choose one of: _union_empty, films."),
        (PREDS + "&requested_types=MulticlassPreds,os", "Unknown LIT type 'os'. Choose one of: "),
        (PREDS + "&requested_fields=probe,zzz", "Unknown output field 'zzz'. Choose one of: probe."),
        (INTERPRETER.replace("misbehaving", "zzz"), "Unknown interpreter 'zzz'. Choose one of: "),
        (INTERPRETER.replace("predict=0", "predict=2"), "Unknown value of do_predict '2'. Choose one of: 0, 1."),
        (METRICS.replace("multiclass", "multiclass,zzz"), "Unknown metric 'zzz'. Choose one of: "),
        (GENERATOR.replace("Scrambler", "zzz"), "Unknown generator 'zzz'. Choose one of: "),
        ("/get_dataset?dataset_name=zzz", "Unknown data set 'zzz'. Choose one of: _union_empty, films."),
        ("/annotate_new_data?dataset_name=zzz", "Unknown data set 'zzz'. Choose one of: _union_empty, films."),
        (PREDS.replace("letters", "<script>alert(1)</script>"), "Unknown model '‹script›alert(1)‹/script›'."),
    ],
)
def test_unknown_names_are_not_found_and_the_allowed_ones_are_listed(browser, ids, url, message):
    response = browser.post(url, {"inputs": ids})
    assert response.status_code == 404
    assert response.text.startswith(message)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("/get_dataset", "The URL names no data set (dataset_name=…). Choose one of: _union_empty, films."),
        ("/get_preds?dataset_name=films", "The URL names no model (model=…). Choose one of: letters."),
        (INTERPRETER.replace("interpreter=", "x="), "The URL names no interpreter (interpreter=…). Choose one of: "),
        (GENERATOR.replace("generator=", "x="), "The URL names no generator (generator=…). Choose one of: "),
    ],
)
def test_a_missing_name_is_a_bad_request(browser, ids, url, message):
    response = browser.post(url, {"inputs": ids})
    assert response.status_code == 400
    assert response.text.startswith(message)


@pytest.mark.parametrize("extra", ["&progress_indicator=x", "&data=x", "&self=x", "&model=zzz", "&authuser=0"])
def test_url_parameters_that_lit_has_no_use_for_never_reach_it(browser, extra):
    assert browser.post(PREDS + extra, {"inputs": [typed_in()]}).json == browser.post(PREDS, {"inputs": [typed_in()]}).json


@pytest.mark.parametrize("url", [PREDS, INTERPRETER, METRICS, GENERATOR, "/annotate_new_data?dataset_name=films"])
@pytest.mark.parametrize(
    ("data", "status"),
    [
        (None, 400),
        ({}, 400),
        ({"inputs": None}, 400),
        ({"inputs": "abc"}, 400),
        ({"inputs": {"0": "abc"}}, 400),
        ({"inputs": ["unknown"]}, 404),
        ({"inputs": [5]}, 400),
        ({"inputs": [{}]}, 400),
        ({"inputs": [{"data": "text", "id": ""}]}, 400),
        ({"inputs": [{"data": {"text": "a"}, "id": ""}]}, 400),
        ({"inputs": [{"data": {"text": "a", "_id": "x"}, "id": "y"}]}, 400),
        ({"inputs": [{"data": {"text": "a", "_id": ""}, "id": "", "meta": 5}]}, 400),
        ({"inputs": [{"data": {"text": "a", "_id": "", "_meta": 5}, "id": ""}]}, 400),
        ({"inputs": [], "config": 5}, 400),
    ],
)
def test_malformed_inputs_are_refused_before_lit_sees_them(browser, url, data, status):
    response = browser.post(url, data)
    assert response.status_code == status
    assert response.mimetype == "text/plain"


@pytest.mark.parametrize("url", [PREDS, INTERPRETER, METRICS, GENERATOR])
def test_ids_and_whole_examples_may_be_mixed(browser, url, ids):
    response = browser.post(url, {"inputs": [*ids, typed_in()]})
    assert response.status_code == 200, response.text


def test_metrics_need_an_example_and_the_others_do_not(browser):
    assert browser.post(METRICS, {"inputs": []}).status_code == 400
    assert browser.post(PREDS, {"inputs": []}).json == []
    assert browser.post(INTERPRETER, {"inputs": []}).json == {"texts": []}


@pytest.mark.parametrize("data", [{"inputs": ["unknown"]}, {"inputs": 5}, {"inputs": [{}]}, None])
def test_endpoints_that_need_no_inputs_ignore_them(browser, ids, data):
    assert [example["id"] for example in browser.post("/get_dataset?dataset_name=films", data).json] == ids


def test_an_edit_gets_its_id_and_can_then_be_predicted(browser):
    [annotated] = browser.post("/annotate_new_data?dataset_name=films", {"inputs": [typed_in("aaaa")]}).json
    assert annotated["id"] == annotated["data"]["_id"] != ""
    assert browser.post(PREDS, {"inputs": [annotated]}).json == [{"probe": [0.0, 1.0]}]


@pytest.mark.parametrize("url", [PREDS, INTERPRETER, METRICS, GENERATOR])
def test_a_forged_id_never_brings_back_another_text(browser, ids, url):
    browser.post(PREDS, {"inputs": ids})
    for forged_id in (ids[0], "made up"):
        forged = typed_in("a secret text", _id=forged_id) | {"id": forged_id}
        response = browser.post(url, {"inputs": [*ids, forged]})
        assert response.status_code == 400
        assert response.text.startswith(f"Input {len(ids)} has an id that is not the hash of its fields: send it with empty ids")
        assert "secret" not in response.text


def test_a_row_of_the_data_set_may_be_sent_in_full(browser):
    rows = browser.post("/get_dataset?dataset_name=films").json
    assert len(browser.post(PREDS, {"inputs": rows}).json) == len(rows)


def test_an_edit_may_keep_its_originals_id_until_it_gets_its_own(browser, ids):
    edit = typed_in("an edit", _id=ids[0]) | {"id": ids[0]}
    [annotated] = browser.post("/annotate_new_data?dataset_name=films", {"inputs": [edit]}).json
    assert annotated["id"] not in ids


@pytest.mark.parametrize(
    ("url", "config", "missing"),
    [
        (INTERPRETER.replace("misbehaving", "curves"), {"Prediction field": "probe"}, "'Label'"),
        (INTERPRETER.replace("misbehaving", "LIME"), {"Kernel width": "25"}, "'_salience_target'"),
        (GENERATOR, {}, "'Fields to scramble'"),
        (GENERATOR.replace("Scrambler", "Word Replacer"), {"x": 1}, "'Fields to replace', 'Substitutions'"),
    ],
)
def test_a_configuration_without_what_lit_asks_for_is_refused_without_the_examples(url, config, missing):
    browser = Browser(wrap(tiny_lit_app(interpreters=None, generators=None)))
    response = browser.post(url, {"inputs": [typed_in("a secret text")], "config": config})
    assert response.status_code == 400
    assert f" must hold {missing}." in response.text
    assert "secret" not in response.text


def test_only_what_fits_the_model_is_offered(ids):
    class NeverFits(Misbehaving):
        def is_compatible(self, model, dataset):
            return False

    browser = Browser(wrap(tiny_lit_app(interpreters={"misbehaving": Misbehaving(), "for another model": NeverFits()})))
    response = browser.post(INTERPRETER.replace("misbehaving", "for another model"), {"inputs": ids})
    assert response.status_code == 404
    assert response.text.startswith("Unknown interpreter 'for another model'. Choose one of: classification, misbehaving.")

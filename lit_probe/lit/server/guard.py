"""What may reach LIT and what may not. LIT's own server checks nothing of this, so the tables below are the whole door.

The checks run in this order, and the first that fails answers:

| question                                        | function            | refused with |
|-------------------------------------------------|---------------------|--------------|
| Is the request meant for this server (`Host`)?  | `check_host`        | 403          |
| Does it come from a page of this server?        | `check_origin`      | 403          |
| Has it the token, where there is one?           | `access.py`         | 401          |
| Is there such an address, and for this method?  | `web.py`            | 404, 405     |
| May this endpoint be called at all?             | `check_permitted`   | 403          |
| Is the body small, whole, and a JSON object?    | `read_body`, `parse_body` | 413, 400 |
| Does it hold anything else than it may?         | `check_keys`        | 400          |
| Are model, data set, interpreter, … loaded?     | `check_parameters`  | 404, 400     |
| Does the configuration hold what it must?       | `check_config`      | 400          |
| Are the inputs ids of that data set or examples?| `check_inputs`      | 404, 400     |
| Are there too many, or too long ones?           | `check_inputs`      | 413          |
| Are the probes that it needs ready?             | `web.py`            | 503          |
"""

from __future__ import annotations

import json
import math
import re
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import parse_qsl
from wsgiref.types import WSGIEnvironment

from lit_nlp.api import types as lit_types
from lit_nlp.api.dataset import input_hash

from lit_probe.lit.host.asker import is_page
from lit_probe.lit.server.limits import DEFAULT_LIMITS, Limits
from lit_probe.lit.server.loaded import Loaded, LoadedModel
from lit_probe.registry import lookup

# ---- the tables ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Endpoint:
    """One address of LIT's API.

    Attributes:
      names: URL parameters that must be there and name something that is loaded.
      options: URL parameters that may be there. All others are dropped: LIT would pass them on as keyword arguments.
      inputs: whether the body must hold `inputs`; `"some"` asks for at least one. With `"none"` LIT gets an empty body.
    """

    names: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    inputs: Literal["none", "any", "some"] = "none"


ENDPOINTS: dict[str, Endpoint] = {
    "/get_info": Endpoint(),
    "/get_dataset": Endpoint(names=("dataset_name",)),
    "/get_preds": Endpoint(names=("model", "dataset_name"), options=("requested_types", "requested_fields"), inputs="any"),
    "/get_interpretations": Endpoint(names=("model", "dataset_name", "interpreter"), options=("do_predict",), inputs="any"),
    "/get_metrics": Endpoint(names=("model", "dataset_name"), options=("metrics", "do_predict"), inputs="some"),
    "/get_generated": Endpoint(names=("model", "dataset_name", "generator"), inputs="any"),
    "/annotate_new_data": Endpoint(names=("dataset_name",), inputs="any"),
    "/push_ui_state": Endpoint(names=("dataset_name",), inputs="any"),
}

LISTS = frozenset({"metrics", "requested_types", "requested_fields"})  # URL parameters with several names, between commas

REFUSED_ENDPOINTS: dict[str, str] = {
    "/save_datapoints": "writes files on the server",
    "/load_datapoints": "reads files on the server",
    "/create_dataset": "runs code with values from the browser",
    "/create_model": "runs code with values from the browser",
    "/post_new_data": "fills the server's memory",
    "/fetch_new_data": "belongs to /post_new_data",
    "/remove_new_data": "belongs to /post_new_data",
}

PAGES = frozenset({"/", "/index.html"})
# Where our page says that it has been left, or one of its questions given up.
LEFT = "/lit_probe/left"
# Before addresses of LIT's API: the same question about all rows or none, asked by GET, whose answer a browser keeps. Pages of
# other sites, which can send GET anywhere, cannot send such a header with it.
KEPT = "/lit_probe/kept"
KEPT_ENDPOINTS = frozenset({"/get_info", "/get_dataset", "/get_preds", "/get_interpretations", "/get_metrics"})
_KEPT_HEADER = ("HTTP_X_LIT_PROBE", "kept")
MAX_LEFT_BODY = 200  # bytes; the name of a page and the number of a question are 75
# LIT's own files. One path segment and a fixed set of endings: no `..`, no source map, not the unguarded static/index.html.
STATIC_FILES = re.compile(r"/main\.js|/static/[A-Za-z0-9_-]+\.(?:png|gif|svg)")

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
ALL_INTERFACES = frozenset({"", "0.0.0.0", "::"})

MAX_JSON_INTEGER = 2**63
LIT_JSON_KEYS = frozenset({"__class__", "__name__"})  # LIT turns objects with these keys into Python objects


class Refusal(Exception):  # noqa: N818 - an answer, not an accident
    """A request that goes no further, with the HTTP status, the message and the headers that answer it."""

    def __init__(self, status: HTTPStatus, message: str, headers: Mapping[str, str] | None = None):
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}


# ---- who asks ----------------------------------------------------------------------------------------------------------

_HOST = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::\d{1,5})?")
_ORIGIN = re.compile(r"https?://(?P<host>[^/\s]+)", re.IGNORECASE)


def host_name(host: str) -> str | None:
    """The name in a `Host` header, without brackets and port, in small letters; None when it is malformed.

    The port does not matter: a page elsewhere can choose the port of an address, but not its name, and tunnels change ports.

    >>> host_name("LocalHost:5432"), host_name("[::1]:80"), host_name("a@b"), host_name("a, b")
    ('localhost', '::1', None, None)
    """
    match = _HOST.fullmatch(host)
    return (match["v6"] or match["name"]).lower() if match else None


def check_host(environ: WSGIEnvironment, allowed: Collection[str]) -> None:
    """Refuses requests for other hosts: a foreign name that resolves to this machine (DNS rebinding) reads everything."""
    name = host_name(environ.get("HTTP_HOST", ""))
    if name not in allowed:
        raise Refusal(
            HTTPStatus.FORBIDDEN,
            f"This server does not answer for the host {environ.get('HTTP_HOST', '')!r}, only for: {', '.join(sorted(allowed))}. "
            "Further names are allowed with the option allowed_hosts.",
        )


def check_origin(environ: WSGIEnvironment, trusted: Collection[str]) -> None:
    """Refuses requests that a page of another origin caused; a link to our page from anywhere is fine.

    Browsers send `Origin` with every POST, and `Sec-Fetch-Site` with every request; programs such as curl send neither.
    """
    origin = environ.get("HTTP_ORIGIN")
    if origin is not None:
        match = _ORIGIN.fullmatch(origin)  # not "null", which sandboxed frames and files send
        if not (match and (match["host"].lower() == environ["HTTP_HOST"].lower() or host_name(match["host"]) in trusted)):
            raise Refusal(HTTPStatus.FORBIDDEN, f"Pages of another origin ({origin!r}) may not use this server.")
    if environ.get("HTTP_SEC_FETCH_SITE") == "cross-site":
        follows_a_link = environ.get("HTTP_SEC_FETCH_MODE") == "navigate" and environ.get("REQUEST_METHOD") == "GET"
        if not (follows_a_link and environ.get("PATH_INFO") in PAGES):
            raise Refusal(HTTPStatus.FORBIDDEN, "Pages of another site may link to this server, but not use it.")


def check_method(environ: WSGIEnvironment, *allowed: str) -> None:
    """Refuses other HTTP methods than the allowed ones."""
    if environ["REQUEST_METHOD"] not in allowed:
        raise Refusal(
            HTTPStatus.METHOD_NOT_ALLOWED,
            f"{environ['REQUEST_METHOD']} is not possible here; use {' or '.join(allowed)}.",
            {"Allow": ", ".join(allowed)},
        )


def check_permitted(path: str) -> None:
    """Refuses the endpoints that touch files, run constructors or keep what a browser sends."""
    if path in REFUSED_ENDPOINTS:
        raise Refusal(HTTPStatus.FORBIDDEN, f"{path[1:]} is switched off in lit_probe: it {REFUSED_ENDPOINTS[path]}.")


# ---- what they send ------------------------------------------------------------------------------------------------------


def max_body(path: str, limits: Limits = DEFAULT_LIMITS) -> int:
    """The bytes that the body of a request for this path may have: few where no whole examples are sent.

    >>> max_body("/get_preds"), max_body("/get_info"), max_body("/lit_probe/left")
    (33554432, 16384, 200)
    """
    if path == LEFT:
        return MAX_LEFT_BODY
    holds_examples = path in ENDPOINTS and ENDPOINTS[path].inputs != "none"
    return limits.max_body if holds_examples else limits.small_body


def read_body(environ: WSGIEnvironment, max_body: int) -> bytes:
    """The whole request body, never more than `max_body` bytes of it."""
    too_large = Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The request is larger than the {max_body:,} bytes allowed.")
    declared = environ.get("CONTENT_LENGTH") or ""
    if not declared:
        if not environ.get("wsgi.input_terminated"):
            return b""  # Without a length or a known end there is no body in WSGI; reading would wait for ever.
        body: bytes = environ["wsgi.input"].read(max_body + 1)
        if len(body) > max_body:
            raise too_large
        return body
    if not (declared.isascii() and declared.isdigit()):
        raise Refusal(HTTPStatus.BAD_REQUEST, f"Content-Length must be a number, not {declared!r}.")
    if len(declared) > 15 or int(declared) > max_body:
        raise too_large
    body = environ["wsgi.input"].read(int(declared))
    if len(body) != int(declared):
        raise Refusal(HTTPStatus.BAD_REQUEST, f"The body has {len(body)} bytes, but its Content-Length says {declared}.")
    return body


def parse_body(body: bytes, limits: Limits = DEFAULT_LIMITS) -> dict[str, Any]:
    """The JSON object in a request body; an empty body counts as an empty object.

    >>> parse_body(b'{"inputs": ["a"]}')
    {'inputs': ['a']}
    >>> parse_body(b'{"inputs": NaN}')
    Traceback (most recent call last):
    ...
    lit_probe.lit.server.guard.Refusal: The request is not valid JSON: NaN and infinite numbers are not allowed.
    """
    if sum(map(body.count, (b"[", b"{", b","))) > limits.max_elements:
        raise Refusal(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"The request holds more than the {limits.max_elements:,} values allowed, commas in texts among them.",
        )
    try:
        data = json.loads(body.decode("utf-8")) if body else {}
        if not isinstance(data, dict):
            raise ValueError(f"an object is expected, not {type(data).__name__}")
        _check_json(data, limits.max_depth)
    except UnicodeDecodeError:
        raise _not_json("it is not UTF-8") from None
    except RecursionError:
        raise _not_json(f"it is nested more than {limits.max_depth} deep") from None
    except ValueError as error:  # also json.JSONDecodeError, and Python's refusal of integers with thousands of digits
        raise _not_json(str(error)) from None
    return data


def _not_json(reason: str) -> Refusal:
    return Refusal(HTTPStatus.BAD_REQUEST, f"The request is not valid JSON: {reason}.")


def _check_json(data: dict[str, Any], max_depth: int) -> None:
    """Raises ValueError for values that Python's parser lets through, but that LIT or numpy would stumble over."""
    todo: list[tuple[Any, int]] = [(data, 1)]
    while todo:
        value, depth = todo.pop()
        if depth > max_depth:
            raise ValueError(f"it is nested more than {max_depth} deep")
        if isinstance(value, dict):
            if tricks := LIT_JSON_KEYS & value.keys():
                raise ValueError(f"the key {min(tricks)!r} is not allowed")
            todo += [(child, depth + 1) for child in value.values()]
        elif isinstance(value, list):
            todo += [(child, depth + 1) for child in value]
        elif isinstance(value, float) and not math.isfinite(value):
            raise ValueError("NaN and infinite numbers are not allowed")
        elif isinstance(value, int) and abs(value) >= MAX_JSON_INTEGER:
            raise ValueError("integers must fit into 64 bits")


_KEYS = ("inputs", "config")


def check_keys(data: Mapping[str, Any]) -> None:
    """Refuses what LIT does not read.

    Raises:
      Refusal: 400.
    """
    if unknown := sorted(data.keys() - set(_KEYS)):
        raise Refusal(HTTPStatus.BAD_REQUEST, f"A request holds {' and '.join(_KEYS)}, but not {unknown[0][:50]!r}.")


def kept_path(environ: WSGIEnvironment) -> str | None:
    """The address of LIT's API that is asked by GET; None where another address is asked, or not by our page."""
    path = (environ.get("PATH_INFO") or "").removeprefix(KEPT)
    name, value = _KEPT_HEADER
    return path if path in KEPT_ENDPOINTS and path != environ.get("PATH_INFO") and environ.get(name) == value else None


def kept_question(query: str, rows: Mapping[str, Collection[str]]) -> bytes:
    """The body that stands for the query of a question by GET.

    The page lays an answer over its own rows, one after another. So it says which these are: it may have been opened before the
    server was started again with other data of the same name.

    >>> kept_question("dataset_name=films&rows=31457520", {"films": ["a", "b"]})
    b'{"inputs": ["a", "b"]}'

    Args:
      query: as LIT's page sends it, and `rows` where the question is about all rows: the checksum of their ids.
      rows: of each data set the ids.

    Raises:
      Refusal: 400 for a configuration that is no JSON object; 404 where the page has other rows.
    """
    sent = dict(reversed(parse_qsl(query, errors="replace")))
    asked: dict[str, Any] = {"inputs": []}
    if "rows" in sent:
        asked["inputs"] = list(rows.get(sent.get("dataset_name", ""), ()))
        if sent["rows"] != str(zlib.adler32(",".join(asked["inputs"]).encode("utf-8", "replace"))):
            raise Refusal(HTTPStatus.NOT_FOUND, "The data set has other rows than this page. Load it again.")
    if "config" in sent:
        asked["config"] = parse_body(sent["config"].encode("utf-8", "replace"))
    return json.dumps(asked).encode()


def check_left(data: Mapping[str, Any]) -> tuple[str, int | None]:
    """The page that has been left, and the question of it that has been given up; None for all of it.

    Raises:
      Refusal: 400.
    """
    page, question = data.get("page"), data.get("question")
    if not is_page(page) or not (question is None or type(question) is int) or data.keys() - {"page", "question"}:
        raise Refusal(
            HTTPStatus.BAD_REQUEST, 'A page leaves as {"page": its name}, a question as {"page": …, "question": its number}.'
        )
    return str(page), question


# ---- whether what they name is loaded --------------------------------------------------------------------------------------


_LIT_TYPES = frozenset(
    name for name, value in vars(lit_types).items() if isinstance(value, type) and issubclass(value, lit_types.LitType)
)


def check_parameters(path: str, query: str, loaded: Loaded) -> dict[str, str]:
    """The URL parameters that LIT may see, each checked.

    Raises:
      Refusal: a parameter is missing, or the page may not push its state.
      UnknownNameError: a parameter names something that is not loaded, or does not fit the model; the message lists what does.
    """
    endpoint = ENDPOINTS[path]
    if path == "/push_ui_state" and not loaded.syncs_state:
        raise Refusal(HTTPStatus.FORBIDDEN, "push_ui_state is switched off outside notebooks.")
    sent = dict(reversed(parse_qsl(query, keep_blank_values=True, errors="replace")))  # the first of a repeated parameter counts
    parameters = {name: sent[name] for name in (*endpoint.names, *endpoint.options) if name in sent}
    model = loaded.models.get(parameters.get("model", ""), LoadedModel())
    choices: dict[str, tuple[str, Collection[str]]] = {
        "model": ("model", loaded.models),
        "dataset_name": ("data set", loaded.datasets),
        "interpreter": ("interpreter", model.interpreters),
        "generator": ("generator", model.generators),
        "metrics": ("metric", model.metrics),
        "requested_types": ("LIT type", _LIT_TYPES),
        "requested_fields": ("output field", model.fields),
        "do_predict": ("value of do_predict", ("0", "1")),
    }
    for name in endpoint.names:
        if name not in parameters:
            what, allowed = choices[name]
            raise Refusal(
                HTTPStatus.BAD_REQUEST, f"The URL names no {what} ({name}=…). Choose one of: {', '.join(sorted(allowed))}."
            )
    for name, value in parameters.items():
        what, allowed = choices[name]
        parts = [part for part in value.split(",") if part] if name in LISTS else [value]
        for part in parts:
            lookup(dict.fromkeys(allowed), part, what)
        parameters[name] = ",".join(parts)
    return parameters


def check_inputs(path: str, data: Mapping[str, Any], ids: Collection[str], limits: Limits = DEFAULT_LIMITS) -> None:
    """Checks `inputs`: each one is an id of the data set, or an example sent in full, and they are not too many or too long.

    Raises:
      Refusal: 404 for an unknown id, 413 for too many or a text that is too long, 400 for anything that is neither.
    """
    if ENDPOINTS[path].inputs == "none":
        return
    inputs = data.get("inputs")
    if not isinstance(inputs, list):
        raise Refusal(HTTPStatus.BAD_REQUEST, "inputs is missing: it must be a list of example ids, or of whole examples.")
    if ENDPOINTS[path].inputs == "some" and not inputs:
        raise Refusal(HTTPStatus.BAD_REQUEST, "inputs is empty: at least one example is needed.")
    if len(inputs) > len(ids) + limits.max_edited:
        raise _too_much(
            f"{len(inputs):,} inputs were sent. This data set has {len(ids):,} examples, and beside them {limits.max_edited:,} "
            "may be sent."
        )
    if (n_whole := sum(not isinstance(example, str) for example in inputs)) > limits.max_edited:
        raise _too_much(f"{n_whole:,} whole examples were sent; {limits.max_edited:,} are allowed. Send the others by their ids.")
    for position, example in enumerate(inputs):
        if isinstance(example, str):
            if example not in ids:
                raise Refusal(
                    HTTPStatus.NOT_FOUND,
                    f"Unknown example id {example[:50]!r} (input {position}). Send an id of this data set, or the whole example.",
                )
        elif problem := _problem_with(example, path):
            raise Refusal(HTTPStatus.BAD_REQUEST, f"Input {position} {problem}.")
        elif (
            length := max((len(value) for value in example["data"].values() if isinstance(value, str)), default=0)
        ) > limits.max_text:
            raise _too_much(f"Input {position} has a text of {length:,} characters; {limits.max_text:,} are allowed.")


def _too_much(message: str) -> Refusal:
    return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message)


def check_config(parameters: Mapping[str, str], data: Mapping[str, Any], loaded: Loaded) -> None:
    """Checks `config`: it is an object and has all the keys without which LIT refuses it.

    Raises:
      Refusal: 400.
    """
    config = data.get("config")
    if config is None:
        return
    if not isinstance(config, dict):
        raise Refusal(HTTPStatus.BAD_REQUEST, "config must be an object.")
    component = parameters.get("interpreter") or parameters.get("generator") or ""
    if missing := sorted(loaded.required_config.get(component, frozenset()) - config.keys()):
        raise Refusal(HTTPStatus.BAD_REQUEST, f"The config of {component} must hold {', '.join(map(repr, missing))}.")


def _problem_with(example: Any, path: str) -> str:
    """What keeps LIT from reading an example that was sent in full, or nothing."""
    if not (isinstance(example, dict) and isinstance(example.get("data"), dict)):
        return 'must be an example id, or an object {"data": {…}, "id": "…", "meta": {…}}'
    data = example["data"]
    if not isinstance(example.get("id"), str) or example["id"] != data.get("_id"):
        return "has an id that differs from its data's _id"
    if not (isinstance(example.get("meta"), dict | None) and isinstance(data.get("_meta"), dict | None)):
        return "has a meta that is not an object"
    # LIT would answer for the row that the id belongs to. An edit that is sent to get its id still has its original's.
    if example["id"] and path != "/annotate_new_data" and example["id"] != input_hash(data):
        return "has an id that is not the hash of its fields: send it with empty ids, or get its id from /annotate_new_data"
    return ""

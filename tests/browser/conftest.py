"""`lit-probe serve` as a user starts it: two tiny encoders on the demo and on a table of reviews."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny_encoders
from lit_page import LitPage
from live_server import curve, live_server

from lit_probe.data import load_dataset
from tools.page import TOUR_CLOSED

N_REVIEWS = 160
MODELS = ("tiny-bert-on-demo", "tiny-electra-on-demo")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests of this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def server(tiny_folder, tmp_path_factory) -> Iterator[str]:
    """The address of a server whose probes are ready."""
    folder = tmp_path_factory.mktemp("serve")
    reviews = folder / "reviews.csv"
    reviews.write_text("text,label\n" + "".join(_review(i) for i in range(N_REVIEWS)))
    encoders = ",".join(str(tiny_folder(architecture)) for architecture in ("bert", "electra"))
    with live_server([f"--model={encoders}", f"--datasets=demo,csv={reviews}"], folder) as url:
        for model in MODELS:
            curve(url, model, "demo")
        yield url


@pytest.fixture(scope="session")
def headed_server(tmp_path_factory) -> Iterator[str]:
    """The address of a server whose probes are ready. The checkpoint has a head for the demo's labels, in capital letters."""
    from transformers import AutoModelForSequenceClassification

    demo = load_dataset("demo")
    root = tmp_path_factory.mktemp("headed")
    folder = tiny_encoders.build(root / "tiny-headed", words=tuple(tiny_encoders.words_of(demo.train.texts)), n_classes=2)
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    names = [name.upper() for name in demo.label_names]
    model.config.id2label = dict(enumerate(names))
    model.config.label2id = {name: i for i, name in enumerate(names)}
    model.save_pretrained(folder)
    with live_server([f"--model={folder}", "--datasets=demo"], root) as url:
        curve(url, "tiny-headed-on-demo", "demo")
        yield url


@pytest.fixture
def lit(chromium, server) -> Iterator[LitPage]:
    """A page whose tour was closed once, that can reach the server alone; at the end no module of ours may have told an error."""
    yield from _opened(chromium, server, TOUR_CLOSED)


@pytest.fixture
def first_visit(chromium, server) -> Iterator[LitPage]:
    """The same page as a newcomer finds it."""
    yield from _opened(chromium, server, "")


@pytest.fixture
def dark(chromium, server) -> Iterator[LitPage]:
    """The same page as ``lit`` in a browser that asks for dark pages."""
    yield from _opened(chromium, server, TOUR_CLOSED, color_scheme="dark")


def _opened(chromium, server: str, script: str, color_scheme: str = "light") -> Iterator[LitPage]:
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, color_scheme=color_scheme)
    context.set_default_timeout(15_000)
    context.add_init_script(script)
    lit = LitPage(context.new_page(), server)
    yield lit
    context.close()
    assert lit.problems == []


def _review(i: int) -> str:
    words = ("great", "good", "fine") if i % 2 else ("awful", "bad", "dull")
    return f"the {words[i % 3]} film number {i},{'positive' if i % 2 else 'negative'}\n"

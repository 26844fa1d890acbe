"""The widget in a real kernel, as nbclient runs one."""

from __future__ import annotations

import base64
import json
import re
import socket

import psutil
import pytest
from cells import errors, notebook_of, printed, run, shown

SETUP = """
import json, os, threading, time
import lit_probe.lit.notebook  # its libraries, so that a widget's own time can be taken
from lit_probe.notebook import Address, ProbeWidget
words = (("film", "bad"), ("movie", "good"), ("story", "awful"), ("plot", "great"))
texts = [f"the {noun} was {adjective}, number {i}" for i in range(40) for noun, adjective in words]
labels = [i % 2 for i in range(160)]
"""
FACTS = """
import psutil
me = psutil.Process()
print(json.dumps({"pid": me.pid, "children": [one.pid for one in me.children(recursive=True)], "ports": PORTS}))
"""


@pytest.fixture(scope="module")
def ran(tiny_folder, tmp_path_factory):
    """A session of several widgets, and the kernel's end."""
    model = str(tiny_folder())
    cells = [
        SETUP,
        f"widget = ProbeWidget({model!r}, texts, labels)\nwidget.render()",
        "widget.layers",
        "widget.figure()",
        f"start = time.monotonic()\nsecond = ProbeWidget({model!r}, texts, labels)\n_ = second.layers\n"
        "print(second.port != widget.port, time.monotonic() - start)",
        "start = time.monotonic(); second.stop(); print(time.monotonic() - start)",
        "second.render()",
        f"ProbeWidget({model!r}, texts, labels, address=Address(port=widget.port))",
        "widget",
        f"third = ProbeWidget({model!r}, texts, labels)\n_ = third.layers\nthird.render()",
        "third.stop(); third.stop()",
        FACTS.replace("PORTS", "[widget.port]"),
    ]
    return run(notebook_of(cells), tmp_path_factory.mktemp("kernel")).cells


def test_rendering_shows_a_frame_and_a_link_to_a_free_port_on_this_machine(ran):
    (page,) = shown(ran[1], "text/html")
    url = re.search(r'<iframe src="(http://127\.0\.0\.1:\d+/)" width="100%" height="800"', page)[1]
    assert f'<a href="{url}"' in page and shown(ran[1], "text/plain") == [f"LIT is open at {url}"]


def test_the_table_and_the_figure_are_shown(ran):
    (table,) = shown(ran[2], "text/html")
    assert "accuracy_low" in table and table.count("<tr") == 1 + 4
    (picture,) = shown(ran[3], "image/png")
    assert len(picture) > 5_000


def test_a_second_widget_takes_its_numbers_from_the_cache_and_stops_within_a_second(ran):
    another_port, seconds = printed(ran[4]).split()
    assert another_port == "True" and float(seconds) < 3
    assert float(printed(ran[5])) < 1


def test_mistakes_are_told_in_one_clear_line(ran):
    assert ran[6].outputs[0]["evalue"].startswith("This widget was stopped. Make a new ProbeWidget")
    assert re.fullmatch(
        r"Port \d+ is in use on 127\.0\.0\.1\. Choose another one \(--port, in a notebook port=\), or 0 for a free one\.",
        ran[7].outputs[0]["evalue"],
    )
    assert shown(ran[8], "text/plain")[0].startswith("ProbeWidget(tiny-bert-on-texts: http://127.0.0.1:")


def test_the_kernels_end_leaves_no_process_and_no_port(ran):
    _assert_gone(json.loads(printed(ran[11])))


def test_a_kernel_that_ends_in_the_middle_of_the_work_leaves_nothing_either(tiny_folder, tmp_path):
    cells = [
        SETUP,
        # From a thread of its own, which has no running event loop as a cell has.
        f"made = []\ndef make(): made.append(ProbeWidget({str(tiny_folder())!r}, texts * 50, labels * 50, probe='mlp'))",
        "thread = threading.Thread(target=make); thread.start(); thread.join(); time.sleep(0.5); print(made)",
        "print([one.name for one in threading.enumerate()])",
        FACTS.replace("PORTS", "[made[0].port]"),
    ]
    done = run(notebook_of(cells), tmp_path)
    assert errors(done) == [] and "[ProbeWidget(tiny-bert-on-texts: http" in printed(done.cells[2])
    assert "lit_probe_studies" in printed(done.cells[3])
    _assert_gone(json.loads(printed(done.cells[4])))


def test_waiting_shows_a_progress_bar_in_the_cell(tiny_folder, tmp_path):
    many = "many = [f'{text} and more {i}' for i in range(60) for text in texts]"
    wait = f"_ = ProbeWidget({str(tiny_folder())!r}, many, labels * 60).layers"
    done = run(notebook_of([SETUP, many, wait]), tmp_path)
    assert errors(done) == []
    assert shown(done.cells[2], "application/vnd.jupyter.widget-view+json"), done.cells[2].outputs
    assert any("Encoding texts train" in text or "0%" in text for text in shown(done.cells[2], "text/plain"))


def _assert_gone(facts):
    assert not [pid for pid in (facts["pid"], *facts["children"]) if psutil.pid_exists(pid)]
    for port in facts["ports"]:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=1)


def test_a_stopped_widget_leaves_its_curve_and_how_to_open_it_again_in_the_place_of_the_page(ran):
    (page,) = shown(ran[9], "text/html")
    assert "<iframe" not in page and "run the cell that makes it and this one" in page
    [source] = re.findall(r'<img src="data:image/svg\+xml;base64,([^"]+)" alt="The layer curve of tiny-bert-on-texts"', page)
    picture = base64.b64decode(source).decode()
    assert "<svg" in picture and "layer (0 = embeddings)" in picture
    # The page of another widget is still there.
    assert "<iframe" in shown(ran[1], "text/html")[0]

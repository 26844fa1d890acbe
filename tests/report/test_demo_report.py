"""The report that the README links to is what the code makes from the run beside this test."""

from __future__ import annotations

from pathlib import Path

from lit_probe.report.page import report_html
from lit_probe.report.run_file import read_run

ROOT = Path(__file__).parents[2]
AGAIN = "run python -m tools.demo_report, and look at the page"


def test_the_report_of_the_demo_is_what_the_code_makes():
    page = (ROOT / "docs" / "report-of-the-demo.html").read_text("utf-8")
    made = report_html(read_run(Path(__file__).parent / "demo_layers.json"))
    assert made == page, AGAIN
    assert len(page.encode()) < 400_000


def test_it_names_no_place_of_the_machine_that_made_it():
    page = (ROOT / "docs" / "report-of-the-demo.html").read_text("utf-8")
    for place in ("/home/", "/root/", "/tmp/", "/Users/", "/work"):
        assert place not in page

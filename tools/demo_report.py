"""Makes the report of the demo anew: its layers.json in tests/report/, and docs/report-of-the-demo.html from it.

Run it as ``python -m tools.demo_report`` where numbers or the page have changed on purpose; with ``--page`` the page alone.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from lit_probe import cli
from lit_probe.report.page import report_html
from lit_probe.report.run_file import read_run

ROOT = Path(__file__).parent.parent
RUN = ROOT / "tests" / "report" / "demo_layers.json"
PAGE = ROOT / "docs" / "report-of-the-demo.html"


def main() -> None:
    """Makes both files."""
    if "--page" not in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as folder:
            if cli.main(["lit-probe", "layers", "--datasets=demo", "--checks=all", "--repeat=10", f"--out={folder}"]):
                sys.exit("the demo could not be probed")
            RUN.write_text((Path(folder) / "layers.json").read_text("utf-8"), "utf-8")
    PAGE.write_text(report_html(read_run(RUN)), "utf-8")
    print(f"Written: {PAGE}")


if __name__ == "__main__":
    main()

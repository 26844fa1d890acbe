"""The client's pure functions, tested with Node's own test runner (`node --test`, no npm packages), and its file names."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from lit_probe.checks.baselines import BASELINES

HERE = Path(__file__).parent
CLIENT = HERE.parent.parent / "lit_probe" / "client"
GUIDE = HERE.parent.parent / "docs" / "add-a-panel.md"


@pytest.fixture(scope="module")
def node() -> str:
    """A Node.js: the one inside Playwright's Python package, or the system's."""
    playwright = importlib.util.find_spec("playwright")
    bundled = Path(playwright.origin).parent / "driver" / "node" if playwright and playwright.origin else None
    found = str(bundled) if bundled and bundled.exists() else shutil.which("node")
    if found is None:
        message = "no Node.js: install playwright (pip install playwright) or node 20 or later"
        if os.environ.get("LIT_PROBE_BROWSER") == "require":
            pytest.fail(message)
        pytest.skip(message)
    return found


@pytest.mark.parametrize("file", sorted(path.relative_to(HERE).as_posix() for path in HERE.rglob("*.test.mjs")))
def test_the_pure_functions_of_the_client_pass_their_own_tests(node: str, file: str):
    result = subprocess.run([node, "--test", "--test-reporter=tap", str(HERE / file)], capture_output=True, text=True, timeout=60)
    passed = re.search(r"^# pass (\d+)$", result.stdout, re.MULTILINE)
    assert result.returncode == 0, result.stdout + result.stderr
    assert passed and int(passed[1]) > 0, result.stdout


def imported_panels() -> dict[str, str]:
    """Tag → file, as `index.js` lists them."""
    return dict(re.findall(r"importPanel\('([^']+)', new URL\('\./([^']+)'", (CLIENT / "index.js").read_text()))


def test_nothing_is_exported_that_no_other_file_uses():
    sources = {path: path.read_text() for path in (*CLIENT.rglob("*.js"), *HERE.rglob("*.mjs"))}
    for path in CLIENT.rglob("*.js"):
        for name in re.findall(r"^export (?:async )?(?:const|let|class|function) (\w+)", sources[path], re.MULTILINE):
            others = "\n".join(source for other, source in sources.items() if other != path)
            assert re.search(rf"\b{name}\b", others), f"{path.name}: {name}"


def test_index_js_imports_every_panel_file():
    assert (
        set(imported_panels().values()) == {path.relative_to(CLIENT).as_posix() for path in CLIENT.rglob("*_module.js")} != set()
    )


def test_a_panel_s_file_is_called_as_its_tag_and_defines_it():
    for tag, file in imported_panels().items():
        assert Path(file).name == tag.replace("-", "_") + ".js"
        assert re.findall(r"^definePanel\('([^']+)'", (CLIENT / file).read_text(), re.MULTILINE) == [tag]


def test_a_panel_that_saves_its_drawing_saves_it_in_every_form():
    """The buttons stand in one place, so that no panel offers an SVG alone."""
    sources = {path.relative_to(CLIENT).as_posix(): path.read_text() for path in CLIENT.rglob("*.js")}
    makers = {file for file, source in sources.items() if "save-svg" in source or "save-png" in source}
    assert makers == {"panels/parts.js"}
    [buttons] = re.findall(r"export function renderFigureButtons.*?\n}", sources["panels/parts.js"], re.DOTALL)
    assert buttons.count("save-svg") == buttons.count("save-png") == 1
    drawing = {file for file, source in sources.items() if file.endswith("_module.js") and "figurePage(" in source}
    for file in drawing:
        assert re.search(r"renderFigureButtons|renderDownloads|checkPanel|files\(", sources[file]), file


def test_only_three_files_know_lit_s_bundle():
    inside = re.compile(r"customElements|_\$litType\$|Service\b.*createElement|get_interpretations")
    knowing = {path.name for path in CLIENT.rglob("*.js") if inside.search(path.read_text())}
    assert knowing == {"before_lit.js", "lit_host.js", "lit_frame.js"}


def test_every_colour_stands_in_the_palette_where_a_dark_page_has_its_own():
    literal = re.compile(r"#[0-9A-Fa-f]{6}\b|\b(?:color|background): (?:white|black)\b")
    # LIT's own page stays light, and what takes the place of a broken panel brings no style sheet.
    others = {CLIENT / file for file in ("charts/palette.js", "page/lit_frame.js", "page/lit_host.js")}
    for path in {*CLIENT.rglob("*.js")} - others:
        assert literal.findall(path.read_text()) == [], path.name


def test_every_file_is_type_checked_says_what_it_is_and_loads_nothing_from_outside():
    for path in CLIENT.rglob("*.js"):
        source = path.read_text()
        # Then one sentence that says what the file is.
        assert re.match(r"// @ts-check\n/\*\*\s(?:\s\* )?[A-Z]\w*[^@]*?[.?]\s", source), path.name
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", source), path.name


# The client's flow, as `tests/test_architecture.py` holds Python's: each folder imports only what stands before it.
FLOW = (
    ("words",),
    ("page",),
    ("charts",),
    ("panels", "tour"),
    ("curves", "making", "checks", "salience", "neurons", "counterfactuals", "views"),
)


def test_a_folder_of_the_client_imports_only_what_stands_before_it():
    line = {folder: place for place, folders in enumerate(FLOW) for folder in folders}
    for path in CLIENT.glob("*/*.js"):
        own = path.parent.name
        for target in re.findall(r"(?:from |import\()'(\.[^']+)'", path.read_text()):
            there = (path.parent / target).resolve()
            assert there.exists(), f"{path.name} imports {target}"
            # What travels is described in one place, types of later folders included.
            if there.parent.name != own and there.name != "types.js":
                assert line[there.parent.name] < line[own], f"{own}/{path.name} imports {target}"


def test_the_smallest_panel_of_the_guide_imports_what_there_is():
    panel, entry = re.findall(r"```js\n(.*?)```", GUIDE.read_text(), re.DOTALL)[:2]
    file = CLIENT / re.findall(r"new URL\('\./([^']+)'", entry)[0]
    for names, target in re.findall(r"import \{([^}]+)\} from '([^']+)'", panel):
        source = (file.parent / target).resolve().read_text()
        assert all(re.search(rf"^export .*\b{name.strip()}\b", source, re.MULTILINE) for name in names.split(","))


def test_the_line_of_the_majority_is_drawn_as_its_entry_says():
    # The panel draws it for every series, without a question to the server, so it cannot hear of its style.
    style = BASELINES["majority"]
    assert f"quietText: pair('{style.color}'," in (CLIENT / "charts/palette.js").read_text()
    for file in ("curves/overlays.js", "curves/majority.js", "checks/check_charts.js"):
        lines = [line for line in (CLIENT / file).read_text().splitlines() if f"'{style.dash}'" in line]
        assert any("COLORS.quietText" in line for line in lines), file

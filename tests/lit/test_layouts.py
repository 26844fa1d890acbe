import re
from importlib.resources import files
from pathlib import Path

import lit_nlp
import pytest
from lit_nlp.api import layout as lit_layout
from lit_nlp.lib import serialize

from lit_probe.layouts import DEFAULT_LAYOUT, LAYOUTS
from lit_probe.layouts import panels as own
from lit_probe.layouts.panels import PROBE_BY_LAYER

MODULES = sorted((Path(str(files("lit_probe"))) / "client").rglob("*_module.js"))
FORBIDDEN = {"scalar-module", "dive-module"}


def tabs(layout):
    for group in (layout.upper, layout.lower, layout.left):
        for name, panels in group.items():
            yield name, [tag(panel) for panel in panels]


def tag(panel):
    panel = getattr(panel, "module", panel)
    return getattr(panel, "value", panel)


def titles() -> dict[str, str]:
    """Tag -> title of LIT's panels and ours, read from the scripts that define them."""
    bundle = (Path(lit_nlp.__file__).parent / "client/build/default/main.js").read_text("utf-8")
    known = {name.value: name.value for name in lit_layout.LitModuleName if f'"{name.value}"' in bundle}
    for path in MODULES:
        source = path.read_text("utf-8")
        title = re.search(r"static title = '([^']+)'", source)
        known[f"{path.stem.replace('_', '-')}"] = title[1] if title else ""
    return known


def test_the_page_opens_with_the_question_of_decodability():
    assert DEFAULT_LAYOUT == "decodability" == next(iter(LAYOUTS))
    assert any(PROBE_BY_LAYER in panels for _, panels in tabs(LAYOUTS[DEFAULT_LAYOUT]))


def test_lits_stock_layouts_are_replaced_under_their_own_names():
    assert set(lit_layout.DEFAULT_LAYOUTS) | {"notebook"} <= set(LAYOUTS)
    for name, stock in lit_layout.DEFAULT_LAYOUTS.items():
        before = [panel for _, panels in tabs(stock) for panel in panels]
        after = [panel for _, panels in tabs(LAYOUTS[name]) for panel in panels]
        assert after == [panel for panel in before if panel not in FORBIDDEN]


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_no_layout_holds_panels_that_break_under_a_probe_per_layer(layout):
    assert not FORBIDDEN & {panel for _, panels in tabs(layout) for panel in panels}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_every_tag_exists_and_no_title_stands_twice_in_a_tab(layout):
    known = titles()
    for name, panels in tabs(layout):
        assert panels, f"the tab {name} is empty"
        assert set(panels) <= set(known)
        assert len({known[panel] for panel in panels}) == len(panels)


def test_every_panel_of_ours_stands_in_a_layout_and_every_check_in_the_evidence():
    ours = {value for key, value in vars(own).items() if key.isupper()}
    curve, evidence = ([panel for _, tab in tabs(LAYOUTS[name]) for panel in tab] for name in ("decodability", "evidence"))
    assert ours <= {panel for layout in LAYOUTS.values() for _, tab in tabs(layout) for panel in tab}
    for shown in (curve, evidence):
        assert len(shown) == len(set(shown))
    checks = {own.SELECTIVITY, own.CALIBRATION, own.DESCRIPTION_LENGTH, own.LEARNING_CURVE, own.AGREEMENT, own.TRANSFER}
    assert checks | {own.SLICES_BY_LAYER, own.PROVENANCE, PROBE_BY_LAYER} <= set(evidence)
    assert {f"{path.stem.replace('_', '-')}" for path in MODULES} == ours, "every panel has a constant"


@pytest.mark.parametrize("name", ["decodability", "evidence"])
@pytest.mark.parametrize(("group", "room"), [("left", 458), ("upper", 458), ("lower", 366)])
def test_the_tabs_fit_a_page_of_a_thousand_pixels(name, group, room):
    # Others are reached by scrolling only. On such a page a tab has 9 pixels to each side, and a letter of its font about 5.6.
    assert sum(18 + 5.6 * len(tab) for tab in getattr(LAYOUTS[name], group)) <= room


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_tab_names_are_unique_within_a_layout(layout):
    names = [name for name, _ in tabs(layout)]
    for group in (layout.upper, layout.lower, layout.left):
        assert len(set(group)) == len(group)
    assert len(names) > 0


def test_layouts_survive_json():
    back = serialize.from_json(serialize.to_json(LAYOUTS, simple=True))
    assert back["evidence"]["left"]["Probe by layer"] == [PROBE_BY_LAYER]
    assert back["decodability"]["lower"]["Edit"] == ["datapoint-editor-module"]
    assert all(layout["description"] for layout in back.values())


def test_every_layout_of_ours_asks_its_question_in_its_description():
    for name in ("decodability", "evidence", "edits"):
        assert "?" in LAYOUTS[name].description

"""Every change from one layout to another by the page's own menu leaves everything in reach, on a wide page and a narrow one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from lit_page import LitPage
from playwright.sync_api import expect
from reachable import out_of_reach

from lit_probe.layouts import LAYOUTS, STOCK
from tools.tutorial_screenshots import Walk

OURS = [name for name in LAYOUTS if name not in STOCK]


def every_change(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """A walk that makes every change between two different names once, and ends where it begins.

    >>> list(every_change("abc"))
    [('a', 'b'), ('b', 'c'), ('c', 'b'), ('b', 'a'), ('a', 'c'), ('c', 'a')]
    """
    first, *others = names
    for i, name in enumerate(others):
        yield first, name
        for other in others[i + 1 :]:
            yield name, other
            yield other, name
        yield name, first


@pytest.mark.parametrize("width", [1440, 1000])
def test_every_change_of_layout_by_the_menu_leaves_all_in_reach(lit: LitPage, width: int) -> None:
    lit.page.set_viewport_size({"width": width, "height": 900})
    lit.open(dataset="demo").wait_for_curve()
    walk = Walk(lit.page, lit.url)
    changes = list(every_change([*OURS, *STOCK]))
    assert len(changes) == len(LAYOUTS) * (len(LAYOUTS) - 1) == len(set(changes))
    for now, then in changes:
        walk.choose_layout(now, then)
        expect(lit.page.locator("lit-widget-group:visible").first).to_be_visible()
        lit.settle()
        assert out_of_reach(lit.page) == [], f"from {now} to {then}"


def test_of_two_quick_changes_the_last_one_is_shown(lit: LitPage) -> None:
    lit.open(dataset="demo").wait_for_curve()
    lit.page.route("**/neurons/*_module.js", lambda route: (lit.page.wait_for_timeout(500), route.continue_()))
    shown = lit.page.evaluate("""async () => {
      const {appState} = document.createElement('data-table-module');
      const {settingsService} = document.createElement('lit-app-toolbar');
      await Promise.all(['neurons', 'decodability'].map((layoutName) => settingsService.updateSettings({layoutName})));
      return appState.layoutName;
    }""")
    assert shown == "decodability"
    expect(lit.chart).to_be_visible()

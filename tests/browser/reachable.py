"""What of LIT's page a reader cannot see or press: the measure of the tests of its layouts."""

from __future__ import annotations

from playwright.sync_api import Page

# All elements of the page count, through all shadow roots: those in a panel, and all that can be pressed. None may end outside
# the window, nor be cut off by an ancestor that cannot be scrolled; and where the middle of a button lies in sight, a click there
# must reach the button. A script that clicks does not notice: Playwright scrolls, also what a reader cannot scroll.
_OUT_OF_REACH = """() => {
  const PRESSED = 'button, input, select, textarea, summary, a[href], [role=button], [role=tab], .tab, mwc-icon.icon-button';
  const parent = (node) => node.assignedSlot ?? node.parentElement ?? node.getRootNode().host;
  const scrolls = (style) => /auto|scroll/.test(style.overflowX);
  const faults = [];
  const told = (element) => {
    const words = (element.innerText || element.value || element.title || '').trim().replace(/\\s+/g, ' ').slice(0, 40);
    const classes = [...element.classList].map((name) => '.' + name).join('');
    return `${element.localName}${element.id && '#' + element.id}${classes} “${words}”`;
  };
  const holds = (ancestor, node) => { for (; node; node = parent(node)) if (node === ancestor) return true; return false; };
  const topmost = (x, y) => {
    let hit = document.elementFromPoint(x, y);
    while (hit?.shadowRoot) {
      const inner = hit.shadowRoot.elementFromPoint(x, y);
      if (!inner || inner === hit) break;
      hit = inner;
    }
    return hit;
  };
  const look = (element, inPanel) => {
    const box = element.getBoundingClientRect();
    const pressed = element.matches(PRESSED);
    if (!box.width || !box.height || !(inPanel || pressed)) return;
    if (!element.checkVisibility({checkOpacity: true, checkVisibilityCSS: true})) return;
    let [left, right, top, bottom] = [0, innerWidth, 0, innerHeight];
    let beside = true;  // Whether all of it can be brought into sight from left to right.
    for (let node = parent(element); node; node = parent(node)) {
      const style = getComputedStyle(node);
      if (style.display === 'contents') continue;
      const frame = node.getBoundingClientRect();
      if (style.overflowY !== 'visible') [top, bottom] = [Math.max(top, frame.top), Math.min(bottom, frame.bottom)];
      if (style.overflowX === 'visible') continue;
      if (scrolls(style) && node.scrollWidth > node.clientWidth) { beside = false; break; }
      if (style.textOverflow === 'ellipsis' && !pressed) return;
      [left, right] = [Math.max(left, frame.left), Math.min(right, frame.right)];
    }
    if (!beside) return;
    if (box.left < left - 1 || box.right > right + 1) {
      if (pressed || element.localName === 'svg' || !element.children.length) {
        const [from, to, seenFrom, seenTo] = [box.left, box.right, left, right].map(Math.round);
        faults.push(`${told(element)} reaches from ${from} to ${to}, seen from ${seenFrom} to ${seenTo}`);
      }
      return;
    }
    const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
    if (!pressed || y <= top || y >= bottom) return;
    const hit = topmost(x, y);
    if (hit && !holds(element, hit) && !holds(hit, element)) faults.push(`${told(element)} lies under ${told(hit)}`);
  };
  const walk = (root, inPanel) => {
    for (const element of root.children) {
      const inside = inPanel || element.localName === 'lit-widget-group';
      look(element, inside);
      if (element.shadowRoot) walk(element.shadowRoot, inside);
      walk(element, inside);
    }
  };
  walk(document, false);
  if (document.scrollingElement.scrollLeft) faults.push(`the page is scrolled by ${document.scrollingElement.scrollLeft} pixels`);
  return faults;
}"""


def out_of_reach(page: Page) -> list[str]:
    """What lies outside the window, is cut off at its left or right, or lies under something else; one sentence each."""
    return page.evaluate(_OUT_OF_REACH)

"""Drawings as parts of a page: without what a file of their own needs, and with ids that no other drawing has."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

from lit_probe.report.html import Html

_REFERENCE = re.compile(r"url\(#([^)]+)\)")


def inline(svg: str, prefix: str, label: str) -> Html:
    """An SVG file as an element of a page.

    What names other addresses is left out: the head of the file, its metadata, the names of its vocabularies, which HTML knows.

    Args:
      svg: the file's text.
      prefix: put before each id; no other drawing of the page has the same.
      label: what the drawing shows, for readers who cannot see it.
    """
    root = ElementTree.fromstring(svg)
    for parent in root.iter():
        for child in [one for one in parent if _plain(one.tag) == "metadata"]:
            parent.remove(child)
    for element in root.iter():
        element.tag = _plain(element.tag)
        if element.tag == "style":
            # A rule for everything would be one for the whole page.
            element.text = f"svg {(element.text or '').strip()}"
        element.attrib = {_plain(name): _renamed(_plain(name), value, prefix) for name, value in element.attrib.items()}
        element.tail = None if element.tail is None or not element.tail.strip() else element.tail
    root.attrib = {"viewBox": root.attrib["viewBox"], "role": "img", "aria-label": label}
    return Html(ElementTree.tostring(root, encoding="unicode"))


def _plain(name: str) -> str:
    return name.rpartition("}")[2]


def _renamed(name: str, value: str, prefix: str) -> str:
    if name == "id":
        return prefix + value
    if name == "href":
        return value.replace("#", f"#{prefix}", 1)
    return _REFERENCE.sub(rf"url(#{prefix}\1)", value)

"""The picture of pixels that a panel saves, held against the drawing that it saves."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from matplotlib.image import imread
from playwright.sync_api import Locator

_PNG = b"\x89PNG\r\n\x1a\n"


def assert_png_beside(panel: Locator, svg: Path) -> None:
    """The panel's PNG is called as its SVG, has twice its size, is white at its corners and holds a drawing in colours."""
    with panel.page.expect_download() as download:
        panel.locator(".save-png").click()
    file = svg.with_suffix(".png")
    download.value.save_as(file)
    assert download.value.suggested_filename.endswith(".png")
    assert file.read_bytes().startswith(_PNG)
    pixels = imread(file)
    root = ElementTree.parse(svg).getroot()
    size = [round(2 * float(root.attrib[side])) for side in ("height", "width")]
    assert list(pixels.shape[:2]) == size
    assert (pixels[[0, 0, -1, -1], [0, -1, 0, -1]] == 1).all()
    colours = pixels[..., :3]
    dark = (colours.min(axis=-1) < 0.6).mean()
    assert 0.001 < dark < 0.9
    assert (colours.max(axis=-1) - colours.min(axis=-1)).max() > 0.2

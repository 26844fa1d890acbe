"""The shapes of a checkpoint's tensors, from the headers of its safetensors files: no tensor is read, and torch is not loaded."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from lit_probe.errors import EncoderError

# The last linear layer of a classification head, as the architectures call it.
_HEAD = re.compile(r"(^|\.)(classifier|out_proj|score|logits_proj|summary)\.weight$")
_INSIDE = re.compile(r"(^|\.)(layers?|h|blocks?)\.\d+\.")


def tensor_shapes(files: Sequence[Path]) -> dict[str, tuple[int, ...]]:
    """The shape of each tensor by name; none for weights in another format.

    Raises:
      EncoderError: a file is torn.
    """
    from safetensors import SafetensorError, safe_open

    shapes: dict[str, tuple[int, ...]] = {}
    for file in files:
        if file.suffix != ".safetensors":
            continue
        try:
            with safe_open(file, framework="numpy") as tensors:
                shapes |= {name: tuple(tensors.get_slice(name).get_shape()) for name in tensors.keys()}  # noqa: SIM118
        except (SafetensorError, OSError) as error:
            raise EncoderError(f"The weights in {str(file)!r} cannot be read: {error}") from None
    return shapes


def head_width(shapes: Mapping[str, tuple[int, ...]]) -> int | None:
    """The number of classes of a classification head, or None where no tensor looks like one.

    >>> head_width({"bert.pooler.dense.weight": (8, 8), "classifier.weight": (3, 8)})
    3
    >>> head_width({"classifier.dense.weight": (8, 8), "classifier.out_proj.weight": (5, 8)})
    5
    """
    widths = [shape[0] for name, shape in shapes.items() if _HEAD.search(name) and not _INSIDE.search(name) and len(shape) == 2]
    return min(widths, default=None)

"""The shapes of a checkpoint's tensors, from the headers of its files: no tensor is read, nor torch loaded for safetensors."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from lit_probe.errors import EncoderError

# The last linear layer of a classification head, as the architectures call it.
_HEAD = re.compile(r"(^|\.)(classifier|out_proj|score|logits_proj|summary)\.weight$")
_INSIDE = re.compile(r"(^|\.)(layers?|h|blocks?)\.\d+\.")


def tensor_shapes(files: Sequence[Path]) -> dict[str, tuple[int, ...]]:
    """The shape of each tensor by name.

    Raises:
      EncoderError: a file is torn.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for file in files:
        try:
            shapes |= _of_safetensors(file) if file.suffix == ".safetensors" else _of_torch_file(file)
        except Exception as error:  # torn files fail in as many ways as there are readers; all of them are told
            raise EncoderError(f"The weights in {str(file)!r} cannot be read: {error}") from None
    return shapes


def _of_safetensors(file: Path) -> dict[str, tuple[int, ...]]:
    from safetensors import safe_open

    with safe_open(file, framework="numpy") as tensors:
        return {name: tuple(tensors.get_slice(name).get_shape()) for name in tensors.keys()}  # noqa: SIM118


def _of_torch_file(file: Path) -> dict[str, tuple[int, ...]]:
    import torch

    # Files of torch before 1.6 are no zip archives, and are read whole.
    tensors = torch.load(file, map_location="meta", weights_only=True, mmap=zipfile.is_zipfile(file))
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def head_width(shapes: Mapping[str, tuple[int, ...]]) -> int | None:
    """The number of classes of a classification head, or None where no tensor looks like one.

    >>> head_width({"bert.pooler.dense.weight": (8, 8), "classifier.weight": (3, 8)})
    3
    >>> head_width({"classifier.dense.weight": (8, 8), "classifier.out_proj.weight": (5, 8)})
    5
    """
    widths = [shape[0] for name, shape in shapes.items() if _HEAD.search(name) and not _INSIDE.search(name) and len(shape) == 2]
    return min(widths, default=None)

"""Queries and keys: the two vectors of each token whose product says how much one token attends to another.

Architectures name and turn them in many ways, so they are not looked for by name: one pass is watched, and the operands of the
product whose softmax the model takes are its queries and keys, with positions rotated in and shared keys dealt out. Whether that
is so is then proved: softmaxed by hand, the products have to give the weights that the model itself returns.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.encoder.attention import Attention, check_head, pass_over
from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.errors import EncoderError
from lit_probe.results import Result

# Steps between neighbouring numbers, as shares of their size: by these the model's own scores are rounded.
_STEPS = {"float32": 2.0**-23, "bfloat16": 2.0**-8, "float16": 2.0**-11}
# So many steps of the largest sum of products, and of 1, may weights be away from their softmax.
_ROUNDINGS = 4
# A fitted scale that is so near to 1/sqrt(d) or to 1 is just that.
_NEAR = 1e-3


@dataclass(frozen=True)
class QueriesKeys(Result):
    """The queries and keys of one block.

    Attributes:
      block: its number, from 1.
      queries: ``[n_heads, n_tokens, n_units]`` float32, what each token looks for.
      keys: ``[n_heads, n_tokens, n_units]`` float32, what each token is found by. Where heads share keys (grouped-query
        attention, Ainslie et al. 2023, https://arxiv.org/abs/2305.13245), each head has its own copy; where positions are rotated
        in (Su et al. 2021, https://arxiv.org/abs/2104.09864), they are.
      scale: what a product is multiplied by before the softmax: one over the root of ``n_units`` in most models.
      largest_error: the largest distance of a weight from what the softmax of the scaled products gives.
    """

    block: int
    queries: NDArray[np.float32]
    keys: NDArray[np.float32]
    scale: float
    largest_error: float

    def products(self, head: int, token: int) -> NDArray[np.float32]:
        """``[n_tokens, n_units]`` what each unit adds to the score of each token that ``token`` may look at, already scaled."""
        found: NDArray[np.float32] = self.queries[head, token] * self.keys[head] * np.float32(self.scale)
        return found


def queries_and_keys(encoder: Encoder, text: str, block: int) -> tuple[QueriesKeys, Attention]:
    """The queries and keys of a block, proved by the model's own weights, and these.

    Args:
      encoder: the encoder; at whatever places it is read.
      text: the text, or a pair of texts.
      block: from 1, as layers are numbered.

    Raises:
      EncoderError: as of `attention`; or more goes into the weights than these products, such as a distance (T5, DeBERTa, BLOOM)
        or a cap on scores (Gemma 2), so that no unit's part in them can be told.
      UnknownNameError: there is no such block.
    """

    def watching(n_tokens: int) -> AbstractContextManager[Any]:
        return _watching(block, n_tokens)

    found, seen = on_encoder_thread(pass_over, encoder, text, watching)
    check_head(found, block, 0)
    weights = found.weights[block - 1]
    of_block = f"Block {block} of {encoder.name}"
    if not seen or tuple(seen[0].shape[:2]) != weights.shape[:2]:
        raise EncoderError(
            f"{of_block} takes no softmax of products of queries and keys that could be seen, so they are not known."
        )
    queries, keys = (one.float().cpu().numpy() for one in seen)
    scale, error, size = _proved(queries, keys, weights)
    if not error <= _ROUNDINGS * _STEPS[encoder.dtype] * (1 + size):
        raise EncoderError(
            f"{of_block} does more than multiply queries and keys: softmaxed, their products are up to {error:.2g} away from its "
            "own weights. It adds a distance between tokens or caps the scores, so what each unit contributes cannot be told."
        )
    return QueriesKeys(block, queries, keys, scale, error), found


@contextmanager
def _watching(block: int, n_tokens: int) -> Iterator[list[Any]]:
    """Within the context, one pass of a batch of one text hands over the operands of the product before one of its softmaxes."""
    import torch
    from torch.overrides import TorchFunctionMode

    seen: list[Any] = []
    last: list[Any] = []
    n_softmaxes = 0

    class Products(TorchFunctionMode):
        """Keeps the operands of the last product of the form of weights."""

        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            nonlocal n_softmaxes
            result = func(*args, **(kwargs or {}))
            if not isinstance(result, torch.Tensor) or result.ndim < 3 or set(result.shape[-2:]) != {n_tokens}:
                return result
            name = getattr(func, "__name__", "")
            if name in ("matmul", "__matmul__", "bmm", "baddbmm"):
                given = [*args, *(kwargs or {}).values()]
                # A sum is added to before, and its tensor stands first.
                one, other = [operand for operand in given if isinstance(operand, torch.Tensor)][-2:]
                last[:] = [one.reshape(-1, *one.shape[-2:]), other.reshape(-1, *other.shape[-2:]).transpose(-1, -2)]
            elif name == "softmax":
                n_softmaxes += 1
                if n_softmaxes == block:
                    seen[:] = [part.clone() for part in last]
            return result

    with Products():
        yield seen


def _proved(queries: NDArray[np.float32], keys: NDArray[np.float32], weights: NDArray[np.float32]) -> tuple[float, float, float]:
    """The scale of the products by which their softmax is nearest to the weights, how near that is, and how large sums may be.

    What a token may not look at has no weight at all, and is left out on both sides.
    """
    products = np.einsum("hqd,hkd->hqk", queries, keys, dtype=np.float64)
    seen = weights > 0
    n_seen = seen.sum(axis=-1, keepdims=True)
    logs = np.log(np.where(seen, weights, 1).astype(np.float64))

    def centred(values: NDArray[np.float64]) -> NDArray[np.float64]:
        means = (values * seen).sum(axis=-1, keepdims=True) / np.maximum(n_seen, 1)
        found: NDArray[np.float64] = (values - means) * seen
        return found

    usual = 1 / math.sqrt(queries.shape[-1])
    within, spread = centred(products), centred(logs)
    square = float((within**2).sum())
    scale = float((within * spread).sum()) / square if square > 0 else usual
    scale = next((one for one in (usual, 1.0) if abs(scale / one - 1) < _NEAR), scale)
    scores = np.where(seen, products * scale, -np.inf)
    top = scores.max(axis=-1, keepdims=True, where=seen, initial=np.finfo(np.float64).min)
    powers = np.exp(scores - top)
    total = powers.sum(axis=-1, keepdims=True)
    made = np.divide(powers, total, out=np.zeros_like(powers), where=total > 0)
    sizes = np.einsum("hqd,hkd->hqk", np.abs(queries), np.abs(keys))
    return scale, float(np.abs(made - weights).max()), abs(scale) * float(sizes.max(where=seen, initial=0))

"""Where a model's feed-forward activations are: what its blocks' second feed-forward matrix reads, after the nonlinearity.

Architectures name these modules in many ways (``intermediate`` and ``output``, ``ffn.lin1`` and ``lin2``, ``mlp.Wi`` and
``Wo``), so nothing is looked up by name: one short forward pass is watched. Of the linear modules that run between two layers'
hidden states, the last one that has more inputs than outputs is the second matrix, if the one before it widens to as many units
(or to twice as many, where a gate takes half) from as many as the second goes back to. Where heads are wide, the values and the
output projection of an attention have such shapes, too; its queries, keys and values are three that are given the same, one after
the other. Everything here runs on the encoder thread, and leaves no hook behind.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.final_norm import first_of, place_of
from lit_probe.encoder.layer_calls import layer_calls, run_to
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.encoder.tokens import PaddedBatch, by_token
from lit_probe.errors import EncoderError, UnknownNameError
from lit_probe.once import once_per_object

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module


@dataclass(frozen=True)
class FeedForward:
    """The call of a block's second feed-forward matrix.

    Attributes:
      path: the path of the module in the model, such as ``encoder.layer.0.output.dense``.
      module: the linear module; what it is given are the activations.
      number: the position of the call among the module's calls in one pass, from 0: some architectures call one block
        again and again.
      n_units: the number of neurons.
    """

    path: str
    module: Module
    number: int
    n_units: int


@dataclass(frozen=True)
class _LinearCall:
    path: str
    module: Module
    number: int
    n_in: int
    n_out: int
    by_token: bool
    given: tuple[Any, ...]


_Found = FeedForward | str


def feed_forwards(encoder: Encoder, first: int, last: int) -> list[FeedForward]:
    """The second feed-forward matrices of the blocks that make the layers ``first`` to ``last``, both included.

    Raises:
      UnknownNameError: there are no such layers; layer 0, the embeddings, has no block.
      EncoderError: a block has no feed-forward part that can be read; the message says what module was expected where.
    """
    encoder = encoder.at_layers
    if not 1 <= first <= last < encoder.n_layers:
        raise UnknownNameError(
            f"There are no blocks {first} to {last}. The feed-forward blocks of {encoder.name} are those of layers 1 to "
            f"{encoder.n_layers - 1}, the first not after the last."
        )
    chosen = []
    # On the encoder thread, so that no other pass is watched with it.
    for one in on_encoder_thread(_watched, encoder)[first - 1 : last]:
        if isinstance(one, str):
            raise EncoderError(one)
        chosen.append(one)
    return chosen


def feed_forward_activations(encoder: Encoder, batch: PaddedBatch, blocks: Sequence[FeedForward], last: int) -> Tensor:
    """The activations of some blocks side by side, ``[b, n_tokens, sum of n_units]``. Blocks after layer ``last`` are not run.

    Raises:
      EncoderError: the pass did not go as it did when it was first watched.
    """
    import torch

    encoder = encoder.at_layers
    taken: list[Tensor | None] = [None] * len(blocks)
    n_calls: dict[Module, int] = {}

    def take(module: Module, arguments: tuple[Any, ...]) -> None:
        number = n_calls.get(module, 0)
        n_calls[module] = number + 1
        for place, block in enumerate(blocks):
            if block.module is module and block.number == number:
                taken[place] = arguments[0]

    layer_calls(encoder)  # watches a pass of its own when it is first asked, which must not be counted
    with ExitStack() as hooks:
        for module in {block.module for block in blocks}:
            hooks.callback(module.register_forward_pre_hook(take).remove)
        run_to(encoder, last, batch)
    found = [one for one in (by_token(states, batch) for states in taken) if one is not None]
    if len(found) != len(blocks):
        raise EncoderError(
            f"The feed-forward blocks of {encoder.checkpoint.model_id!r} did not run as they did when they were first watched."
        )
    return torch.cat(found, dim=-1)


@once_per_object
def _watched(encoder: Encoder) -> tuple[_Found, ...]:
    """``[n_layers - 1]`` the feed-forward part of each block, or what was expected instead."""
    import torch

    model = encoder.model
    names = {module: name for name, module in model.named_modules()}
    encoded = encoder.encode(["a b"])
    batch = encoder.padded(encoded)
    calls: list[_LinearCall] = []
    n_calls: dict[Module, int] = {}
    # By tensor, how many linear modules had run when it first came out of some module. The tensors are kept alive, so that no two
    # have the same place.
    ran_before: dict[tuple[Any, ...], int] = {}
    kept: list[Any] = []

    def watch(module: Module, arguments: tuple[Any, ...], returned: Any) -> None:
        output = first_of(returned)
        if not isinstance(output, torch.Tensor):
            return
        if arguments and (sizes := linear_sizes(module)):
            number = n_calls.get(module, 0)
            n_calls[module] = number + 1
            given = arguments[0]
            calls.append(_LinearCall(names[module], module, number, *sizes, by_token(given, batch) is not None, place_of(given)))
        kept.append((arguments, output))
        ran_before.setdefault(place_of(output), len(calls))

    handles = [module.register_forward_hook(watch) for module in model.modules() if module is not model]
    try:
        hidden_states = encoder.forward(encoded).layers
    finally:
        for handle in handles:
            handle.remove()
    ends = [ran_before.get(place_of(hidden)) for hidden in hidden_states]
    # The embedding output may be a sum that no module returns.
    ends[0] = ends[0] or 0
    return tuple(
        _feed_forward_among(calls[start:end] if start is not None and end is not None else [], layer, names, encoder)
        for layer, (start, end) in enumerate(itertools.pairwise(ends), start=1)
    )


def linear_sizes(module: Module) -> tuple[int, int] | None:
    """(inputs, outputs) of a linear module, None for any other. gpt2 and its like keep the matrix the other way round."""
    import torch

    if isinstance(module, torch.nn.Linear):
        return module.in_features, module.out_features
    if type(module).__name__ == "Conv1D" and getattr(module, "nx", None) is not None:
        return module.nx, module.nf  # type: ignore[return-value]
    return None


def _feed_forward_among(calls: Sequence[_LinearCall], layer: int, names: dict[Module, str], encoder: Encoder) -> _Found:
    """The second matrix among the linear modules that ran between two layers, in their order; or what was expected."""
    narrowing = [place for place, call in enumerate(calls) if call.n_in > call.n_out]
    if narrowing:
        second, first = calls[narrowing[-1]], calls[narrowing[-1] - 1] if narrowing[-1] else None
        widens = first is not None and first.n_in == second.n_out and first.n_out in (second.n_in, 2 * second.n_in)
        before = calls[max(narrowing[-1] - 3, 0) : narrowing[-1]]
        attends = len(before) == 3 and len({call.given for call in before}) == 1
        if widens and not attends and second.by_token:
            return FeedForward(second.path, second.module, second.number, second.n_in)
    made = layer_calls(encoder)[layer]
    block = names[made.module] if made is not None else f"block {layer}"
    width = encoder.checkpoint.config.get("intermediate_size")
    seen = ", ".join(f"{call.path} ({call.n_in} to {call.n_out})" for call in calls) or "none"
    return (
        f"Layer {layer} of {encoder.checkpoint.model_id!r} has no feed-forward block that can be read. Expected in {block} are "
        f"two torch.nn.Linear, such as {block}.intermediate.dense and {block}.output.dense, of which the second takes "
        f"{width or 'the widened'} inputs to fewer outputs. The torch.nn.Linear that ran for this layer: {seen}."
    )

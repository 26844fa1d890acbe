"""Passes that stop at a place, or go on from it with other numbers.

Where a hidden state is made has to be found. Architectures name and nest their blocks in many ways, so nothing is looked up by
name: one short forward pass is watched, and a module that returns the very numbers that transformers reports as hidden state
``i`` is where layer ``i`` is made. Of several it is the innermost that is given layer ``i - 1``: there transformers collects the
hidden states, also at a block inside another (albert's). Where none is, it is the outermost. Everything here runs on the encoder
thread, and leaves no hook behind.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lit_probe.encoder.encoder import Encoder, Take
from lit_probe.encoder.final_norm import first_of, place_of
from lit_probe.encoder.sites import LAYERS, Site, meeting, states_at, with_states
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.encoder.tokens import PaddedBatch
from lit_probe.errors import EncoderError
from lit_probe.once import once_per_object

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module


@dataclass(frozen=True)
class LayerCall:
    """A call of a module that returns the hidden states of a layer.

    Attributes:
      module: the module.
      number: the position of the call among the module's calls in one pass, from 0: some architectures call one block
        again and again.
      n_returned: 0 if it returns a tensor, n if it returns a tuple of n with the hidden states first.
      argument: position or name of the argument that holds the layer before, or None where none does.
      carries: whether it returns further tensors, which later blocks read, such as t5's position biases: then it has to run.
    """

    module: Module
    number: int
    n_returned: int
    argument: int | str | None
    carries: bool = False

    def as_returned(self, hidden: Tensor) -> Any:
        """These hidden states in the form in which the call returns them."""
        return (hidden, *(None for _ in range(self.n_returned - 1))) if self.n_returned else hidden


def layer_calls(encoder: Encoder) -> tuple[LayerCall | None, ...]:
    """``[n_layers]`` the calls that make the layers of the encoder's model; None where no module returns such a tensor."""
    # On the encoder thread, so that no other pass is watched with it.
    return on_encoder_thread(_watched, encoder.at_layers)


def run_model(encoder: Encoder, batch: PaddedBatch) -> Any:
    """One pass of the encoder's model over a batch."""
    output = encoder.model(**batch.model_inputs, output_hidden_states=True)
    encoder.check_unchanged()
    return output


def run_to(encoder: Encoder, place: int, batch: PaddedBatch) -> Tensor:
    """What stands at one place of the encoder, ``[b, n_tokens, width]``, without running what comes after it.

    Args:
      encoder: the frozen encoder.
      place: 0..n_layers-1.
      batch: the texts.

    Raises:
      EncoderError: the pass did not go as it did when it was first watched.
    """
    site = encoder.sites[place]
    if site.family == LAYERS:
        return _run_to_layer(encoder, site.depth, batch)

    def stop(some: Sequence[Site], tensor: Any) -> None:
        raise _ReachedError(states_at(some, tensor, batch)[..., site.units])

    try:
        with meeting(encoder.model, [site], stop):
            run_model(encoder, batch)
    except _ReachedError as reached:
        encoder.check_unchanged()
        return reached.hidden
    raise _other_pass(encoder, site.name)


def _run_to_layer(encoder: Encoder, layer: int, batch: PaddedBatch) -> Tensor:
    call = layer_calls(encoder)[layer]
    if call is None:
        hidden: Tensor = run_model(encoder, batch).hidden_states[layer]
        return hidden
    n_calls = 0

    def stop(_: Module, __: Any, returned: Any) -> None:
        nonlocal n_calls
        n_calls += 1
        if n_calls == call.number + 1:
            raise _ReachedError(returned[0] if call.n_returned else returned)

    handle = call.module.register_forward_hook(stop)
    try:
        run_model(encoder, batch)
    except _ReachedError as reached:
        encoder.check_unchanged()
        return reached.hidden
    finally:
        handle.remove()
    raise _other_pass(encoder, f"layer {layer}")


def _other_pass(encoder: Encoder, place: str) -> EncoderError:
    return EncoderError(f"{encoder.checkpoint.model_id!r} did not come to {place} as it did when it was first watched.")


def run_from(encoder: Encoder, place: int, states: Tensor, batch: PaddedBatch, take: Take) -> Any:
    """A pass in which other numbers stand at one place. Blocks up to a changed layer are not run if layers alone are read.

    Args:
      encoder: the frozen encoder.
      place: 0..n_layers-1.
      states: ``[b, n_tokens, width]`` what stands there.
      batch: the texts.
      take: is handed the places at which the encoder is read, as `Encoder.run` does; what it is handed of those that do not come
        after ``place`` means nothing, ``place`` itself included.

    Returns:
      ``[b, n_head_classes]`` of the checkpoint's own classification head, or None.

    Raises:
      EncoderError: no module of the architecture returns the layer's hidden states as they are.
    """
    site = encoder.sites[place]
    with ExitStack() as stack:
        if site.family == LAYERS:
            _enter_at_layer(stack, encoder, site.depth, states)
        else:
            stack.enter_context(meeting(encoder.model, [site], lambda _, tensor: with_states(site, tensor, states, batch)))
        return encoder.run(batch, take)


def _enter_at_layer(stack: ExitStack, encoder: Encoder, layer: int, hidden: Tensor) -> None:
    calls = layer_calls(encoder)
    call = calls[layer]
    if call is None:
        raise EncoderError(
            f"No module of {encoder.checkpoint.model_id!r} returns the hidden states of layer {layer} as they are, so they "
            "cannot be changed there."
        )
    if any(site.family != LAYERS for site in encoder.sites):
        # Of what does not run nothing can be read, and the calls of a module that runs several times are counted.
        stack.enter_context(_returns(call, hidden, runs=True))
        return
    for before in calls[1:layer]:
        # A layer that is not made of the one before alone, or makes more than itself, is simply run.
        if before is not None and before.argument is not None and not before.carries:
            stack.enter_context(_returns(before, None))
    stack.enter_context(_returns(call, hidden))


@contextmanager
def _returns(call: LayerCall, hidden: Tensor | None, *, runs: bool = False) -> Iterator[None]:
    """Within the context, the call returns these hidden states, or those of the layer before it.

    It computes nothing, unless it is said to run.
    """
    n_calls = 0
    forward = call.module.forward
    # A layer may be made by a module that was wrapped already: a block that is called several times.
    wrapped = "forward" in vars(call.module)

    def returned(*args: Any, **kwargs: Any) -> Any:
        nonlocal n_calls
        n_calls += 1
        if n_calls != call.number + 1:
            return forward(*args, **kwargs)
        if hidden is not None:
            if call.carries:
                return (hidden, *forward(*args, **kwargs)[1:])
            if runs:
                forward(*args, **kwargs)
            return call.as_returned(hidden)
        assert call.argument is not None
        return call.as_returned(kwargs[call.argument] if isinstance(call.argument, str) else args[call.argument])

    call.module.forward = returned
    try:
        yield
    finally:
        if wrapped:
            call.module.forward = forward
        else:
            del call.module.forward


class _ReachedError(Exception):
    """Ends a forward pass that has come far enough."""

    def __init__(self, hidden: Tensor):
        super().__init__()
        self.hidden = hidden


@once_per_object
def _watched(encoder: Encoder) -> tuple[LayerCall | None, ...]:
    import torch

    model = encoder.model
    # By what they return, the calls from the innermost to the outermost, each with its arguments.
    made: dict[tuple[Any, ...], list[tuple[LayerCall, dict[tuple[Any, ...], int | str]]]] = {}
    # Keeps every tensor alive, so that no two have the same place.
    seen: list[Any] = []
    n_calls: dict[Module, int] = {}

    def watch(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any], returned: Any) -> None:
        number = n_calls.get(module, 0)
        n_calls[module] = number + 1
        hidden = first_of(returned)
        several = hidden is not returned
        if not isinstance(hidden, torch.Tensor):
            return
        arguments: list[tuple[int | str, Any]] = [*enumerate(args), *kwargs.items()]
        seen.append((hidden, args, kwargs))
        carries = several and any(isinstance(other, torch.Tensor) for other in returned[1:])
        call = LayerCall(module, number, len(returned) if several else 0, None, carries)
        places = {place_of(one): name for name, one in arguments if isinstance(one, torch.Tensor)}
        made.setdefault(place_of(hidden), []).append((call, places))

    handles = [module.register_forward_hook(watch, with_kwargs=True) for module in model.modules() if module is not model]
    try:
        hidden_states = encoder.forward(encoder.encode(["a b"])).layers
    finally:
        for handle in handles:
            handle.remove()

    def call_of(before: Tensor | None, hidden: Tensor) -> LayerCall | None:
        if place_of(hidden) not in made:
            return None
        for call, arguments in made[place_of(hidden)]:
            if before is not None and place_of(before) in arguments:
                return replace(call, argument=arguments[place_of(before)])
        return made[place_of(hidden)][-1][0]

    return (call_of(None, hidden_states[0]), *(call_of(before, after) for before, after in itertools.pairwise(hidden_states)))

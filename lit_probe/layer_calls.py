"""Where in a model's forward pass the hidden states of a layer are read: the place to stop, or to change them.

Architectures name and nest their blocks in many ways, so nothing is looked up by name: one short forward pass is watched, and the
first module that is called with the very tensor that transformers reports as hidden state ``i`` is where layer ``i`` is read.
Everything here runs on the encoder thread, and leaves no hook behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from lit_probe.encoder import Encoder
from lit_probe.errors import EncoderError

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module


@dataclass(frozen=True)
class LayerCall:
    """The call that reads the hidden states of a layer.

    Attributes:
      module: the module that is called.
      number: which of its calls in one forward pass it is, from 0: some architectures call one block again and again.
      argument: position or name of the argument that holds the hidden states.
    """

    module: Module
    number: int
    argument: int | str


_calls: WeakKeyDictionary[Any, tuple[LayerCall | None, ...]] = WeakKeyDictionary()


def layer_calls(encoder: Encoder) -> tuple[LayerCall | None, ...]:
    """``[n_layers]`` the first call that reads each layer's hidden states; None where no module gets that tensor as it is."""
    model = encoder.model
    if model not in _calls:
        _calls[model] = _watched(model, encoder)
    return _calls[model]


def run_to_layer(encoder: Encoder, layer: int, run: Callable[[], Any]) -> Tensor:
    """The hidden states ``[b, n_tokens, d_model]`` of one layer, without running the blocks after it.

    Args:
      encoder: whose model ``run`` calls.
      layer: 0..n_layers-1.
      run: calls the model once, with ``output_hidden_states=True``, which only matters where the pass cannot stop at the layer.
    """
    call = layer_calls(encoder)[layer]
    if call is None:
        hidden: Tensor = run().hidden_states[layer]
        return hidden

    def stop(hidden: Tensor) -> Tensor:
        raise _Reached(hidden)

    try:
        with at_call(call, stop):
            run()
    except _Reached as reached:
        return reached.hidden
    raise EncoderError(f"{encoder.checkpoint.model_id!r} did not come to layer {layer} as it did when it was first watched.")


@contextmanager
def at_call(call: LayerCall, change: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Within the context, the call reads ``change(hidden states)`` instead of the hidden states themselves."""
    n_calls = 0

    def hook(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        nonlocal n_calls
        n_calls += 1
        if n_calls != call.number + 1:
            return None
        if isinstance(call.argument, str):
            return args, {**kwargs, call.argument: change(kwargs[call.argument])}
        return (*args[: call.argument], change(args[call.argument]), *args[call.argument + 1 :]), kwargs

    handle = call.module.register_forward_pre_hook(hook, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()


class _Reached(Exception):  # noqa: N818 - no error: it ends a forward pass that has come far enough
    def __init__(self, hidden: Tensor):
        super().__init__()
        self.hidden = hidden


def _watched(model: Module, encoder: Encoder) -> tuple[LayerCall | None, ...]:
    import torch

    first_read: dict[int, LayerCall] = {}
    # Keeps every tensor alive, so that no two have the same id.
    seen: list[Any] = []
    n_calls: dict[Module, int] = {}

    def watch(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        number = n_calls.get(module, 0)
        n_calls[module] = number + 1
        arguments: list[tuple[int | str, Any]] = [*enumerate(args), *kwargs.items()]
        for argument, value in arguments:
            if isinstance(value, torch.Tensor):
                seen.append(value)
                first_read.setdefault(id(value), LayerCall(module, number, argument))

    handles = [module.register_forward_pre_hook(watch, with_kwargs=True) for module in model.modules() if module is not model]
    try:
        hidden_states = encoder.forward(encoder.encode(["a b"])).layers
    finally:
        for handle in handles:
            handle.remove()
    return tuple(first_read.get(id(hidden)) for hidden in hidden_states)

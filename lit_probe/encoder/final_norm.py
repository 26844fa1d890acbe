"""Whether a model's last hidden state is what its last block returns, or what a norm after it makes of that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module


def place_of(tensor: Tensor) -> tuple[Any, ...]:
    """Where a tensor's values lie: two tensors of one place are the same numbers, also where one is a view of the other."""
    return tensor.data_ptr(), tuple(tensor.shape), tensor.stride()


def first_of(returned: Any) -> Any:
    """What a module returns, or the first of what it returns."""
    return returned[0] if isinstance(returned, tuple | list) and returned else returned


def ends_in_norm(model: Module, run: Callable[[], Sequence[Tensor]]) -> bool:
    """Watches one pass; see `final_norm`."""
    return final_norm(model, run) is not None


def final_norm(model: Module, run: Callable[[], Sequence[Tensor]]) -> Module | None:
    """The norm that makes the last hidden state; None where a block makes it. Watches one pass.

    To be called on the encoder thread; no hook is left behind.

    A block has matrices of weights, a norm has none. So the last hidden state has passed a norm if modules return it, and none of
    them holds a matrix.

    Args:
      model: the model.
      run: calls it once on a short text and gives its hidden states.
    """
    import torch

    # By where the values lie that they return, the modules that do, the innermost first.
    made: dict[tuple[Any, ...], list[Module]] = {}
    # Keeps every tensor alive, so that no two have the same place.
    kept = []

    def watch(module: Module, _: Any, returned: Any) -> None:
        output = first_of(returned)
        if isinstance(output, torch.Tensor):
            kept.append(output)
            made.setdefault(place_of(output), []).append(module)

    handles = [module.register_forward_hook(watch) for module in model.modules() if module is not model]
    try:
        last = run()[-1]
    finally:
        for handle in handles:
            handle.remove()
    makers = made.get(place_of(last), [])
    has_matrix = any(parameter.ndim > 1 for module in makers for parameter in module.parameters())
    return None if has_matrix or not makers else makers[0]

"""Where in a pass each layer can be met as soon as it is made, so that no pass has to keep all layers until its end.

As in `layer_calls` nothing is looked up by name: one short pass is watched, and a module that returns the very numbers that
transformers reports as hidden state ``i``, or is given them, is where layer ``i`` is met. A second pass, which keeps nothing,
has to meet the same numbers there, bit by bit; else layers are read at the end of a pass, as transformers gives them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from lit_probe.encoder.final_norm import first_of, place_of
from lit_probe.encoder.sites import LAYERS, Part, Site, given_tensor, meeting

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module


def met_layers(model: Module, run: Callable[[bool], Any]) -> tuple[Site, ...] | None:
    """``[n_layers]`` where each layer is met; None where one of them is not. To be called on the encoder thread.

    Args:
      model: the encoder's.
      run: calls it once on some texts, one of which is padded; it is told whether hidden states are wanted in the output.
    """
    import torch

    hidden, places = _watched(model, run)
    sites = []
    for layer, states in enumerate(hidden):
        found = _outermost(places.get(place_of(states), []))
        if found is None:
            return None
        path, part, number = found
        sites.append(Site(f"layer {layer}", LAYERS, layer, states.shape[-1], path, part, number))
    met: dict[int, Tensor] = {}

    def keep(some: Sequence[Site], tensor: Any) -> None:
        # A model may write over what stands between its layers: then these are not the numbers that it reports.
        met.update({site.depth: tensor.clone() for site in some})

    with meeting(model, sites, keep):
        run(False)
    alike = len(met) == len(sites) and all(torch.equal(met[layer], states) for layer, states in enumerate(hidden))
    return tuple(sites) if alike else None


def _watched(model: Module, run: Callable[[bool], Any]) -> tuple[Sequence[Tensor], dict[tuple[Any, ...], list[_Met]]]:
    """The hidden states of one pass, and by where the values of a tensor lie, what gave or took it, in the order of the pass."""
    import torch

    places: dict[tuple[Any, ...], list[_Met]] = {}
    # Keeps every tensor alive, so that no two have the same place.
    seen = []
    n_calls: dict[tuple[str, Part], int] = {}

    def note(path: str, part: Part, tensor: Any) -> None:
        number = n_calls.get((path, part), 0)
        n_calls[path, part] = number + 1
        if isinstance(tensor, torch.Tensor):
            seen.append(tensor)
            places.setdefault(place_of(tensor), []).append((path, part, number))

    handles = []
    for path, module in model.named_modules():
        if module is not model:
            given = lambda _, args, kwargs, path=path: note(path, "input", given_tensor(args, kwargs))  # noqa: E731
            made = lambda _, __, output, path=path: note(path, "output", first_of(output))  # noqa: E731
            handles += [module.register_forward_pre_hook(given, with_kwargs=True), module.register_forward_hook(made)]
    try:
        return run(True).hidden_states, places
    finally:
        for handle in handles:
            handle.remove()


# The path of a module, what of it, and which of its calls in a pass, from 0.
_Met = tuple[str, Part, int]


def _outermost(met: Sequence[_Met]) -> _Met | None:
    """Where a tensor is met also in a pass that leaves out inner modules: at the module around all that made it."""
    made = [one for one in met if one[1] == "output"]
    if not made:
        # What is added up between modules is met where the next one takes it.
        return met[0] if met else None
    return [one for one in made if made[0][0] == one[0] or made[0][0].startswith(f"{one[0]}.")][-1]

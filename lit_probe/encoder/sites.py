"""Places in a network where activations are read and changed, and the pass that meets them.

Layers are the hidden states that transformers gives itself. Any other place is what a call of a module takes or gives: it is met
by hooks, which are there for one pass only. Everything here runs on the encoder thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from lit_probe.encoder.final_norm import first_of
from lit_probe.encoder.tokens import PaddedBatch, by_token
from lit_probe.errors import EncoderError

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

Part = Literal["input", "output"]

LAYERS = "layers"
EMBEDDINGS = "embeddings"
"""The name of layer 0, which has seen no context yet."""

FAMILIES = {
    LAYERS: "the hidden states: 0 is the embedding output, i the output of block i",
    "attention": "what a block's attention adds to the stream",
    "mlp": "what a block's feed-forward part adds to the stream",
    "mlp_neurons": "the feed-forward neurons, after the nonlinearity",
    "heads": "each head's part before the attention's output projection",
}
AFTER_NORM = " (after the final norm)"
"""What stands behind the last layer's name where transformers gives it so."""
MODULE = "module"
"""The family of places that are named by the path of a module."""


@dataclass(frozen=True)
class Site:
    """A place in a network where activations are read.

    Attributes:
      name: what it is called, such as ``attention 4``, ``head 4.7`` or ``module encoder.layer.3.output.dense``.
      family: a name in ``FAMILIES``, or ``module``; ``vectors`` for those that are known by their vectors alone.
      depth: where it stands on the axis of layers: 0 for the embeddings, else the number of its block.
      width: the number of its units.
      path: of the module, in the model; empty for layers.
      part: what of the module is read.
      number: which call of the module in one pass, from 0.
      start: the first of the units that are read, of those that the module takes or gives.
      moment: when it is met in a pass, among the places that are no layers.
      after: the last layer that is made before it is met, for places that are no layers; -1 where none is.
    """

    name: str
    family: str
    depth: int
    width: int
    path: str = ""
    part: Part = "output"
    number: int = 0
    start: int = 0
    moment: int = 0
    after: int = -1

    def comes_after(self, other: Site) -> bool:
        """Whether a change at the other place may be seen here; where not, it cannot."""
        if self.family == other.family == LAYERS:
            return self.depth > other.depth
        if self.family == LAYERS:
            return self.depth >= other.depth
        if other.family == LAYERS:
            return self.after >= other.depth
        return self.moment > other.moment or self._shares_units(other)

    def _shares_units(self, other: Site) -> bool:
        same = (self.path, self.part, self.number) == (other.path, other.part, other.number)
        return same and self != other and self.start < other.units.stop and other.start < self.units.stop

    @property
    def units(self) -> slice:
        """Its units among all that the module takes or gives."""
        return slice(self.start, self.start + self.width)


# Is given the sites that one tensor of a module holds, and the tensor; what it returns takes the tensor's place, unless None.
Meet = Callable[[Sequence[Site], Any], Any]


@contextmanager
def meeting(model: Module, sites: Sequence[Site], meet: Meet) -> Iterator[None]:
    """Within the context, one pass of the model hands over what stands at some places, as soon as it is made.

    Args:
      model: the encoder's.
      sites: of any family but layers.
      meet: see `Meet`. A model may write over what it is given later on.

    Raises:
      EncoderError: the model has no such module.
    """
    asked: dict[Module, dict[tuple[Part, int], list[Site]]] = {}
    for site in sites:
        asked.setdefault(_module_of(site, model), {}).setdefault((site.part, site.number), []).append(site)
    n_calls: dict[tuple[Module, Part], int] = {}

    def sites_at(module: Module, part: Part) -> list[Site]:
        number = n_calls.get((module, part), 0)
        n_calls[module, part] = number + 1
        return asked[module].get((part, number), [])

    def given(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        some, states = sites_at(module, "input"), given_tensor(args, kwargs)
        changed = meet(some, states) if some else None
        if changed is None:
            return None
        swapped = tuple(changed if one is states else one for one in args)
        return swapped, {name: changed if one is states else one for name, one in kwargs.items()}

    def returned(module: Module, _: Any, __: Any, output: Any) -> Any:
        some = sites_at(module, "output")
        changed = meet(some, first_of(output)) if some else None
        if changed is None:
            return None
        return type(output)((changed, *output[1:])) if isinstance(output, tuple | list) else changed

    with ExitStack() as stack:
        for module in asked:
            stack.callback(module.register_forward_pre_hook(given, with_kwargs=True).remove)
            stack.callback(module.register_forward_hook(returned, with_kwargs=True).remove)
        yield


def _module_of(site: Site, model: Module) -> Module:
    # A checkpoint with a head has its body as a module of the model. With random weights there is no head: the body is all.
    for path in (site.path, site.path.partition(".")[2]):
        with suppress(AttributeError):
            if path:
                return model.get_submodule(path)
    raise EncoderError(f"There is no module {site.path!r} for {site.name} in this model ({type(model).__name__}).")


def given_tensor(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """The first tensor that a module is given, or None."""
    return next((one for one in (*args, *kwargs.values()) if hasattr(one, "shape")), None)


def states_at(some: Sequence[Site], tensor: Any, batch: PaddedBatch) -> Tensor:
    """``[b, n_tokens, units]`` of a tensor that some places share.

    Raises:
      EncoderError: it has no vector for each token of the batch.
    """
    states = by_token(tensor, batch)
    if states is None:
        raise EncoderError(f"{some[0].name} gives no vector for each token of a batch of {len(batch.ids)} texts.")
    return states


def with_states(site: Site, tensor: Tensor, states: Tensor, batch: PaddedBatch) -> Tensor:
    """The tensor that was met at a site, with ``states`` ``[b, n_tokens, width]`` in the place of the site's own."""
    changed = tensor.clone()
    states_at([site], changed, batch)[..., site.units] = states
    return changed

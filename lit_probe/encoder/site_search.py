"""Where the places of a network are: from names of families and paths of modules to the calls of modules that make them.

Architectures name their parts in many ways, so parts are found by watching one short pass, not by name: what a block *adds* to
the stream that runs through it (Elhage et al. 2021, https://transformer-circuits.pub/2021/framework) is an operand of an
addition. A block adds what its attention gives and what its feed-forward part gives, one after the other or both at once.
Everything here runs on the encoder thread, and leaves no hook behind.
"""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.feed_forward import feed_forwards, linear_sizes
from lit_probe.encoder.final_norm import first_of
from lit_probe.encoder.sites import AFTER_NORM, EMBEDDINGS, FAMILIES, LAYERS, MODULE, Part, Site, given_tensor
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.encoder.tokens import by_token
from lit_probe.errors import EncoderError, UnknownNameError
from lit_probe.once import once_per_object
from lit_probe.registry import check_layer, lookup

if TYPE_CHECKING:
    from torch.nn import Module

# What stands at a place of the watched text is told by where its numbers lie, whatever shape they are seen in.
_Place = tuple[int, int]

SITES_MADE_BY = "operands of additions to the stream, second matrices, heads where they are put side by side; after which layers"
"""The rule by which places are found, for the cache."""

_PARTS: dict[str | None, Part] = {None: "output", "output": "output", "input": "input"}
_MODULE = re.compile(r"module:(?P<path>[^:#]+)(?::(?P<part>input|output))?(?:#(?P<number>\d+))?")


def sites_of(encoder: Encoder, wanted: Sequence[str], depths: Collection[int] | None = None) -> tuple[Site, ...]:
    """The places that are meant, in the order of ``wanted`` and of the pass; each once.

    Args:
      encoder: a text encoder; its weights are loaded, unless only layers are wanted.
      wanted: names in ``FAMILIES``; names of single places, such as ``attention 4``; or ``module:PATH`` with wildcards, such as
        ``module:encoder.layer.*.output.dense``: ``*`` stands for one step of the path, ``**`` for any number.
        ``module:PATH:input`` is what the module is given, ``#1`` behind it its second call in a pass.
      depths: only places in these blocks; 0 stands for the embeddings. All of them when None.

    Raises:
      UnknownNameError: there is no such family, place or block, or no module has such a path.
      EncoderError: a family cannot be found in this architecture, or what a module gives has no vector for each token.
    """
    encoder = encoder.at_layers
    for depth in depths or ():
        check_layer(depth, encoder.n_layers, encoder.name)
    found: dict[Site, None] = {}
    for one in wanted:
        some = [site for site in _meant(encoder, one) if depths is None or site.depth in depths]
        if not some:
            named = ", ".join(map(str, sorted(depths or ())))
            raise UnknownNameError(f"There is nothing of {one!r} at layer {named} of {encoder.name}. Name other layers.")
        found |= dict.fromkeys(some)
    return tuple(found)


def _meant(encoder: Encoder, wanted: str) -> Sequence[Site]:
    if wanted.startswith(f"{MODULE}:"):
        return _modules(encoder, on_encoder_thread(_watched, encoder), wanted)
    if wanted in FAMILIES:
        return tuple(_family(encoder, wanted))
    # The name of one place, as `Encoder.layer_names` has it.
    wanted = wanted.removesuffix(AFTER_NORM)
    if wanted.startswith(f"{MODULE} "):
        return _meant(encoder, wanted.replace(" ", ":", 1))
    first = wanted.partition(" ")[0]
    family = {"head": "heads", "block": LAYERS, EMBEDDINGS: LAYERS}.get(first, first)
    lookup(FAMILIES, family, "family of sites")
    named = {site.name: site for site in _family(encoder, family)}
    if wanted not in named:
        near = ", ".join(difflib.get_close_matches(wanted, named, n=3, cutoff=0))
        raise UnknownNameError(
            f"Unknown place {wanted!r} of {encoder.name}: its {len(named)} {family} are called like {near}. {_listed_by(encoder)}"
        )
    return (named[wanted],)


def _listed_by(encoder: Encoder) -> str:
    return f"lit-probe sites --model={encoder.checkpoint.model_id} lists them."


def _family(encoder: Encoder, name: str) -> Iterator[Site]:
    if name == LAYERS:
        yield from encoder.layers
        return
    watched = on_encoder_thread(_watched, encoder)
    for depth in range(1, encoder.n_layers):
        if name == "mlp_neurons":
            [second] = feed_forwards(encoder, depth, depth)
            yield watched.site(watched.call(second.path, second.number), f"{name} {depth}", name, depth, second.n_units, "input")
            continue
        block = watched.block(depth, encoder)
        if name != "heads":
            made = block.mlp if name == "mlp" else block.attention
            yield watched.site(made, f"{name} {depth}", name, depth, encoder.d_model)
            continue
        width = block.projection.n_in // block.n_heads
        for head in range(block.n_heads):
            yield watched.site(block.projection, f"head {depth}.{head}", name, depth, width, "input", head * width)


def _modules(encoder: Encoder, watched: _Watched, name: str) -> list[Site]:
    read = _MODULE.fullmatch(name)
    if read is None:
        raise UnknownNameError(
            f"{name!r} names no module. Write module:PATH, module:PATH:input or module:PATH#1 for a second call."
        )
    pattern, part = read["path"], _PARTS[read["part"]]
    paths = list(dict.fromkeys(call.path for call in watched.calls))
    # A path may count from the model with its head or from its body, whichever of them is read.
    body = f"{encoder.model.base_model_prefix}."
    written = (pattern, pattern.removeprefix(body), body + pattern)
    # One star is one step of a path, two are any number of them.
    steps = [re.compile(re.escape(one).replace(r"\*\*", ".*").replace(r"\*", "[^.]*")) for one in written]
    found = ({path for path in paths if one.fullmatch(path)} for one in steps)
    matching: set[str] = next(filter(None, found), set())
    if not matching:
        near = difflib.get_close_matches(pattern, paths, n=3, cutoff=0.4)
        raise UnknownNameError(
            f"No module of {encoder.name} that runs has a path like {pattern!r}."
            + (f" Nearest: {', '.join(near)}." if near else "")
            + f" {_listed_by(encoder)}"
        )
    calls = [call for call in watched.calls if call.path in matching and call.number == int(read["number"] or 0)]
    if not calls:
        raise UnknownNameError(
            f"No module like {pattern!r} is called {int(read['number']) + 1} times in a pass of {encoder.name}."
        )
    sites: list[Site] = []
    for call in calls:
        width = call.width_in if part == "input" else call.width_out
        if width is None:
            raise EncoderError(
                f"{call.path} ({call.kind}) of {encoder.name} {'is given' if part == 'input' else 'gives'} no vector for each "
                "token, so it cannot be probed."
            )
        if sites and width != sites[0].width:
            raise EncoderError(
                f"The modules that {pattern!r} names are not equally wide: {sites[0].path} has {sites[0].width} units, "
                f"{call.path} has {width}. Name those of one width."
            )
        tail = (":input" if part == "input" else "") + (f"#{call.number}" if call.number else "")
        sites.append(watched.site(call, f"{MODULE} {call.path}{tail}", MODULE, watched.depth(call, part), width, part))
    return sites


@dataclass(frozen=True)
class _Call:
    """A call of a module in the watched pass.

    Attributes:
      path: the module's, in the model.
      kind: the module's class.
      number: which call of the module, from 0.
      shape: of what it returns, as text; ``n_texts`` and ``n_tokens`` stand for their sizes.
      width_in: units for each token of its first argument, None where that is no such tensor.
      width_out: likewise of what it returns.
      n_in: inputs of a linear module, 0 for another.
      begun: when it was called, among all that happened in the pass.
      index: when it returned.
    """

    path: str
    kind: str
    number: int
    shape: str
    width_in: int | None
    width_out: int | None
    n_in: int
    begun: int
    index: int
    given: _Place | None = field(repr=False)
    returned: _Place | None = field(repr=False)
    is_norm: bool = field(repr=False)


@dataclass(frozen=True)
class _Addition:
    index: int
    one: _Place
    other: _Place
    result: _Place


@dataclass(frozen=True)
class _Merge:
    """The vectors of heads, ``[n_texts, n_tokens, n_heads, units]``, are put side by side."""

    index: int
    n_heads: int
    width: int


@dataclass(frozen=True)
class _Block:
    attention: _Call
    mlp: _Call
    projection: _Call
    n_heads: int


@dataclass(frozen=True)
class _Watched:
    """All calls, additions and merges of heads of one pass, in their order, and where each layer's numbers lie."""

    calls: tuple[_Call, ...]
    additions: tuple[_Addition, ...]
    merges: tuple[_Merge, ...]
    layers: tuple[_Place, ...]

    def block(self, depth: int, encoder: Encoder) -> _Block:
        """What block ``depth`` (from 1) adds to the stream.

        Raises:
          EncoderError: it does not add two things, of which a module returns each.
        """
        first, last = (self._made(self.layers[layer]) for layer in (depth - 1, depth))
        branches = self._branches(self.layers[depth - 1], first, last)
        [second] = feed_forwards(encoder, depth, depth)
        end = self.call(second.path, second.number).index
        # Both may be computed before either is added: the feed-forward part's is made first once its second matrix has run.
        after = [branch for branch in branches if branch[0].index >= end]
        before = [branch for branch in branches if branch not in after[:1]]
        if len(branches) != 2 or not after:
            named = ", ".join(branch[-1].path for branch in branches) or "nothing that a module returns"
            raise EncoderError(
                f"Block {depth} of {encoder.checkpoint.model_id!r} should add two things to the stream, what its attention and "
                f"what its feed-forward part gives; found: {named}. Name modules by path: module:PATH."
            )
        attention = before[0]
        # Not every block attends: some convolve or recur in that place, whatever number of heads the configuration says.
        projections = [
            (call, merge.n_heads)
            for merge in self.merges
            for call in self.calls
            if first < merge.index < call.index <= attention[0].index and call.width_in and call.n_in == merge.width
        ]
        if not projections:
            raise EncoderError(
                f"Block {depth} of {encoder.checkpoint.model_id!r} has no attention whose heads are put side by side before a "
                "torch.nn.Linear. Name modules by path: module:PATH."
            )
        projection, n_heads = projections[-1]
        return _Block(attention[-1], after[0][-1], projection, n_heads)

    def site(self, call: _Call, name: str, family: str, depth: int, width: int, part: Part = "output", start: int = 0) -> Site:
        """A place where a call is read."""
        moment = call.begun if part == "input" else call.index
        after = sum(made <= moment for made in self._moments) - 1
        return Site(name, family, depth, width, call.path, part, call.number, start, moment, after)

    def call(self, path: str, number: int) -> _Call:
        """That call of the module."""
        return next(call for call in self.calls if call.path == path and call.number == number)

    def depth(self, call: _Call, part: Part) -> int:
        """The layer that a call is at work for: the first that is not there yet when it begins, or the one that it returns."""
        place = call.given if part == "input" else call.returned
        if place in self.layers:
            return self.layers.index(place)
        return min(sum(moment <= call.begun for moment in self._moments), len(self.layers) - 1)

    @cached_property
    def _moments(self) -> list[int]:
        """When the numbers of each layer were there; of a layer that nothing is seen to make, those of the one before."""
        return list(itertools.accumulate((self._made(layer) for layer in self.layers), max))

    def _made(self, place: _Place) -> int:
        """When the numbers of a layer were there first; -1 before anything happened."""
        calls = (call.index for call in self.calls if call.returned == place)
        added = (addition.index for addition in self.additions if addition.result == place)
        return min(itertools.chain(calls, added), default=-1)

    def _branches(self, stream: _Place, first: int, last: int) -> list[list[_Call]]:
        """The calls that return what is added to the stream between two moments, innermost first, by the time of the first."""
        on_stream, sums, added = {stream}, dict[_Place, list[_Place]](), list[tuple[int, _Place]]()
        events: Iterable[_Call | _Addition] = sorted([*self.calls, *self.additions], key=lambda one: one.index)
        for event in events:
            if not first < event.index <= last:
                continue
            if isinstance(event, _Call):
                # After some additions the stream is normalised, and what is added next is added to that.
                if event.is_norm and event.given in on_stream and event.returned is not None:
                    on_stream.add(event.returned)
                continue
            free = [place for place in (event.one, event.other) if place not in on_stream]
            if len(free) == 2:
                sums[event.result] = [part for place in free for part in sums.get(place, [place])]
            else:
                on_stream.add(event.result)
                added += [(event.index, part) for place in free for part in sums.get(place, [place])]
        makers = [
            [call for call in self.calls if call.returned == place and first < call.index < until and call.width_out]
            for until, place in added
        ]
        return sorted((calls for calls in makers if calls), key=lambda calls: calls[0].index)


@once_per_object
def _watched(encoder: Encoder) -> _Watched:
    import torch
    from torch.overrides import TorchFunctionMode

    model = encoder.model
    names = {module: name for name, module in model.named_modules()}
    encoded = encoder.encode(["a b c"])
    n_tokens, width = len(encoded[0].ids), encoder.d_model
    # What is as wide as a text is long has no vector for each token, but a row for each unit, as convolutions have.
    # What stands once for all texts, as positions may, has none either.
    widths, of_longer = _widths(encoder, ["a b c"]), _widths(encoder, ["a b c a b c"] * 2)
    calls: list[_Call] = []
    additions: list[_Addition] = []
    merges: list[_Merge] = []
    n_calls: dict[Module, int] = {}
    begun: dict[Module, int] = {}
    # Keeps every tensor alive, so that no two lie in one place.
    kept: list[Any] = []
    clock = itertools.count()

    def place(tensor: Any) -> _Place | None:
        if not isinstance(tensor, torch.Tensor) or tensor.shape[-1:] != (width,) or tensor.numel() != n_tokens * width:
            return None
        kept.append(tensor)
        return tensor.data_ptr(), tensor.numel()

    def shape(output: Any) -> str:
        if not isinstance(output, torch.Tensor):
            return ""
        sizes = ["n_texts", *("n_tokens" if size == n_tokens else str(size) for size in output.shape[1:])]
        return f"[{', '.join(sizes)}]"

    def watch(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any], returned: Any) -> None:
        number = n_calls.get(module, 0)
        n_calls[module] = number + 1
        given, output, path = given_tensor(args, kwargs), first_of(returned), names[module]
        twice = zip(widths[path, number], of_longer.get((path, number), (None, None)), strict=True)
        width_in, width_out = (one if one == other else None for one, other in twice)
        calls.append(
            _Call(
                path=path,
                kind=type(module).__name__,
                number=number,
                shape=shape(output),
                width_in=width_in,
                width_out=width_out,
                n_in=(linear_sizes(module) or (0, 0))[0],
                begun=begun[module],
                index=next(clock),
                given=place(given),
                returned=place(output),
                is_norm=not any(parameter.ndim > 1 for parameter in module.parameters()),
            )
        )

    def begin(module: Module, _: Any) -> None:
        begun[module] = next(clock)

    class BetweenModules(TorchFunctionMode):
        """Sees every addition of two tensors and every merge of heads, also those that no module makes."""

        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            name = getattr(func, "__name__", "")
            # Before an addition in place, while both are still there.
            is_one = name in ("add", "add_", "__add__", "__radd__", "__iadd__")
            operands = [place(one) for one in args[:2]] if is_one else []
            result = func(*args, **(kwargs or {}))
            if name in ("view", "reshape", "flatten") and args and args[0].ndim == 4 and result.ndim == 3:
                n_heads, width = int(args[0].shape[2]), int(result.shape[2])
                if args[0].shape[1] == result.shape[1] == n_tokens and width == n_heads * args[0].shape[3]:
                    merges.append(_Merge(next(clock), n_heads, width))
            if len(operands) == 2 and None not in operands and (made := place(result)) is not None:
                additions.append(_Addition(next(clock), operands[0], operands[1], made))  # type: ignore[arg-type]
            return result

    with ExitStack() as stack:
        for module in model.modules():
            if module is not model:
                stack.callback(module.register_forward_pre_hook(begin).remove)
                stack.callback(module.register_forward_hook(watch, with_kwargs=True).remove)
        stack.enter_context(BetweenModules())
        hidden_states = encoder.forward(encoded).layers
    layers = [place(hidden.contiguous()) for hidden in hidden_states]
    places = tuple(one or (-1, layer) for layer, one in enumerate(layers))
    return _Watched(tuple(calls), tuple(additions), tuple(merges), places)


def _widths(encoder: Encoder, texts: Sequence[str]) -> dict[tuple[str, int], tuple[int | None, int | None]]:
    """By path and number of a call: how many units for each token a module is given, and returns; None for no such tensor."""
    encoded = encoder.encode(texts)
    batch = encoder.padded(encoded)
    found: dict[tuple[str, int], tuple[int | None, int | None]] = {}
    numbers: dict[str, Iterator[int]] = {}

    def units(states: Any) -> int | None:
        of_tokens = by_token(states, batch) if hasattr(states, "shape") and states.is_floating_point() else None
        return None if of_tokens is None else int(of_tokens.shape[-1])

    with ExitStack() as stack:
        for path, module in encoder.model.named_modules():
            numbers[path] = itertools.count()

            def watch(_: Module, args: tuple[Any, ...], kwargs: dict[str, Any], returned: Any, path: str = path) -> None:
                found[path, next(numbers[path])] = units(given_tensor(args, kwargs)), units(first_of(returned))

            if path:
                stack.callback(module.register_forward_hook(watch, with_kwargs=True).remove)
        encoder.forward(encoded)
    return found


def module_tree(encoder: Encoder) -> str:
    """The encoder's modules with the shapes that they return, one to a line; those of one form stand once, with their number.

    Raises:
      EncoderError: the weights cannot be loaded or used.
    """
    encoder = encoder.at_layers
    watched = on_encoder_thread(_watched, encoder)
    shapes = {call.path: call.shape for call in reversed(watched.calls)}
    return "\n".join(_lines(encoder.model, "", shapes))


def _lines(module: Module, path: str, shapes: dict[str, str]) -> list[str]:
    children = [
        (name, child, _lines(child, f"{path}.{name}" if path else name, shapes)) for name, child in module.named_children()
    ]
    lines = []
    for _, alike in itertools.groupby(children, key=lambda one: (type(one[1]), one[2], one[0].isdigit() or one[0])):
        same = list(alike)
        names = same[0][0] if len(same) == 1 else f"{same[0][0]}..{same[-1][0]}"
        (name, child, below) = same[0]
        size = shapes.get(f"{path}.{name}" if path else name, "")
        times = f"{len(same)} × " if len(same) > 1 else ""
        lines.append(f"{names}: {times}{type(child).__name__} {size}".rstrip())
        lines += [f"  {line}" for line in below]
    return lines

"""A model and a tokenizer that a program holds, frozen as they were when they were given. Neither is touched.

The model is copied without its weights: the copy's tensors are views of the given model's own memory. So nothing is held twice,
and weights that are trained on afterwards have to be noticed.
"""

from __future__ import annotations

import copy
import hashlib
import json
import time
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from absl import logging

from lit_probe.encoder.dtypes import FLOAT32
from lit_probe.encoder.source import Source
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.errors import EncoderError

if TYPE_CHECKING:
    from torch import Tensor, dtype
    from torch.nn import Module

# What of a configuration says nothing about the numbers, or is hashed with the weights.
_NOT_HASHED = frozenset({"_name_or_path", "dtype", "torch_dtype", "transformers_version"})
_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
# The hooks by which transformers itself gives hidden states. It installs them once per model.
_HOOKS_TO_KEEP = "transformers.utils.output_capturing"
# Values of each tensor that are compared before and after a pass.
_SAMPLED = 32


class Watched:
    """Some tensors, and whether they have been changed.

    torch counts what is done to a tensor in place, and a view shares the count. Fused optimizers and writes through ``.data`` are
    not counted, so some values of each tensor are compared as well.
    """

    def __init__(self, tensors: Sequence[Tensor]):
        # Made in inference mode, a tensor has no count.
        self._counted = [tensor.detach() for tensor in tensors if not tensor.is_inference()]
        self._samples: dict[dtype, list[Tensor]] = {}
        for tensor in tensors:
            if tensor.numel():
                self._samples.setdefault(tensor.dtype, []).append(_some_of(tensor.detach()))
        self._then = self._counts(), self._bytes()

    def changed(self) -> bool:
        """Whether one of them was written to. To be asked on the encoder thread only."""
        counts, values = self._then
        return self._counts() != counts or any(not now.equal(then) for now, then in zip(self._bytes(), values, strict=True))

    def _counts(self) -> list[int]:
        return [tensor._version for tensor in self._counted]

    def _bytes(self) -> list[Tensor]:
        # As bytes: NaN is not equal to itself.
        import torch

        return [torch.cat(samples).view(torch.uint8) for samples in self._samples.values()]


@dataclass(frozen=True, eq=False)
class InMemory(Source):
    """A model in memory, with its tokenizer.

    Attributes:
      model_id: its name.
      config: its configuration, as ``save_pretrained`` would write it.
      model: a copy that shares the weights' memory, in ``eval()`` mode. To be used on the encoder thread only.
      tokenizer: a copy that neither truncates nor pads.
      weights: the given model's tensors.
      notes: what a reader must know about the copy, in sentences.
    """

    model_id: str
    config: Mapping[str, Any]
    model: Any
    tokenizer: Any
    weights: Watched
    notes: tuple[str, ...]

    revision = None
    config_name = "configuration"
    tokenizer_advice = "Give the tokenizer that the model was trained with."
    in_memory = True

    @property
    def identity(self) -> Hashable:
        """The object itself: what is given twice is two sources."""
        return self

    @property
    def body(self) -> Any:
        """The model without its head, unless that is a classification head."""
        return self.model if self.has_classification_head else self.model.base_model

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader must know about it, in sentences."""
        told = f"{self.model_id} was a model in a program's memory: no file says where its weights are from."
        return (*super().remarks, told, *self.notes)

    @property
    def hash_seconds(self) -> float:
        """How long it took to hash the weights; they are hashed if they have not been."""
        return self._hashed[1]

    def hashes(self) -> dict[str, str]:
        """sha256 of ``config``, ``weights`` and ``tokenizer`` by their content: the same in every process.

        Raises:
          EncoderError: the weights have changed before they were first asked for.
        """
        return self._hashed[0]

    def check_unchanged(self) -> None:
        """Does nothing if the weights are those that were given.

        Raises:
          EncoderError: they have changed since.
        """
        if on_encoder_thread(self.weights.changed):
            raise EncoderError(
                f"The weights of {self.model_id!r} have changed since it was given to lit_probe; give it again to read the new "
                "ones."
            )

    @cached_property
    def _hashed(self) -> tuple[dict[str, str], float]:
        start = time.perf_counter()
        self.check_unchanged()
        weights, n_bytes = on_encoder_thread(_hash_of_weights, self.model)
        self.check_unchanged()
        seconds = time.perf_counter() - start
        logging.info("Hashing the %.1f MB of weights of %r took %.2f s.", n_bytes / 1e6, self.model_id, seconds)
        config = {name: value for name, value in self.config.items() if name not in _NOT_HASHED}
        hashes = {"config": _hash_of(config), "weights": weights, "tokenizer": _hash_of(_tokenizer_facts(self.tokenizer))}
        return hashes, seconds

    @property
    def _tokenizer_limit(self) -> Any:
        return self.tokenizer.model_max_length

    @property
    def _tensor_shapes(self) -> Mapping[str, tuple[int, ...]]:
        return {name: tuple(tensor.shape) for name, tensor in self.model.named_parameters()}


def frozen(model: Any, tokenizer: Any, name: str, dtype: str = FLOAT32) -> InMemory:
    """The model and tokenizer as they are now. To be called on the encoder thread.

    Args:
      model: a transformers model; neither it nor anything of it is changed.
      tokenizer: its tokenizer in the fast form.
      name: what it is called.
      dtype: the numbers that its weights are read in.

    Raises:
      EncoderError: its weights are not there, are quantised, or lie on several devices, or it cannot be copied.
    """
    tensors = list({id(tensor): tensor for module in model.modules() for tensor in _tensors_of(module)}.values())
    _refuse_what_cannot_be_read(model, tensors, name)
    copied, notes = _copy(model, tensors, name, dtype)
    config = {**model.config.to_dict(), "architectures": [type(model).__name__]}
    tokenizer = copy.deepcopy(tokenizer)
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    return InMemory(name, config, copied, tokenizer, Watched(tensors), notes)


def _tensors_of(module: Module) -> Iterator[Tensor]:
    """The parameters and buffers of a module, and what tensors it holds besides, without those of modules inside it."""
    import torch

    for held in (module._parameters, module._buffers, vars(module)):
        yield from (value for value in held.values() if isinstance(value, torch.Tensor))


def _refuse_what_cannot_be_read(model: Any, tensors: Sequence[Tensor], name: str) -> None:
    import torch

    if any(tensor.is_meta for tensor in tensors):
        raise EncoderError(f"{name!r} has no weights (they are on torch's meta device). Load them before you give it.")
    plain = (torch.Tensor, torch.nn.Parameter)
    whole = all(type(tensor) in plain and (tensor.itemsize > 1 or tensor.dtype == torch.bool) for tensor in tensors)
    quantised = any(".quantized" in type(module).__module__ for module in model.modules())
    if not whole or quantised or getattr(model, "is_quantized", False):
        raise EncoderError(
            f"The weights of {name!r} are quantised or otherwise no plain numbers, which lit_probe does not read. Give the "
            "model as it was before, in float32, float16 or bfloat16."
        )
    devices = sorted({str(tensor.device) for tensor in model.parameters()})
    if len(devices) != 1:
        where = f"lie on several devices ({', '.join(devices)})" if devices else "are not there"
        raise EncoderError(f"The weights of {name!r} {where}. Give a model whose weights are all on one device.")


def _copy(model: Any, tensors: Sequence[Tensor], name: str, dtype: str) -> tuple[Any, tuple[str, ...]]:
    """The model in ``eval()`` mode on views of the tensors, and what a reader must know about it."""
    import torch

    wanted = getattr(torch, dtype)
    memo: dict[int, Any] = {id(tensor): _view(tensor, wanted) for tensor in tensors}
    left_out = False
    for module in model.modules():
        for hooks in filter(None, (vars(module).get(kind) for kind in _HOOKS)):
            kept = [(key, hook) for key, hook in hooks.items() if getattr(hook, "__module__", "") == _HOOKS_TO_KEEP]
            memo[id(hooks)] = type(hooks)(kept)
            left_out |= len(kept) < len(hooks)
        if "forward" in vars(module):
            # Mixed precision and compilers put one there, which may be bound to the given model.
            memo[id(vars(module)["forward"])] = None
            left_out = True
    try:
        copied = copy.deepcopy(model, memo)
    except Exception as error:  # what people keep on a model fails to be copied in as many ways as there are things
        raise EncoderError(
            f"{name!r} cannot be copied, and so not be frozen: {error}. Save it with save_pretrained() and give the folder to "
            "load_encoder."
        ) from error
    for module in copied.modules():
        vars(module).pop("forward", None)
    for part in (copied, copied.base_model):
        part.config.return_dict = True
    notes = []
    others = {str(tensor.dtype).removeprefix("torch.") for tensor in model.parameters() if _is_other_float(tensor, wanted)}
    if others:
        kinds, why = " and ".join(sorted(others)), "as those of files are" if dtype == FLOAT32 else "as was asked for"
        notes.append(f"The weights of {name} are {kinds} in memory. They are read in {dtype}, {why}.")
    if left_out:
        notes.append(f"Hooks on {name} and replaced forward methods of its modules are not read: only its weights are.")
    return copied.eval(), tuple(notes)


def sharing_weights(model: Module) -> Module:
    """A copy of the model whose tensors are views of the given one's: its settings are its own, its weights take no memory."""
    tensors = {id(tensor): tensor for module in model.modules() for tensor in _tensors_of(module)}
    return copy.deepcopy(model, {place: _view(tensor, tensor.dtype) for place, tensor in tensors.items()})


def in_dtype(model: Module, wanted: str) -> Module:
    """The model with its parameters in a dtype. Buffers stay: transformers computes positions from them, in float32."""
    import torch

    for parameter in model.parameters():
        parameter.data = parameter.data.to(getattr(torch, wanted))
    return model


def _view(tensor: Tensor, wanted: dtype) -> Tensor:
    """The tensor without gradients: in the same memory, unless its numbers have to be made those of another kind."""
    import torch

    view = tensor.detach()
    if _is_other_float(tensor, wanted):
        view = view.to(wanted)
    elif tensor.is_inference():
        view = view.clone()  # no gradient can pass by one that was made in inference mode
    return torch.nn.Parameter(view, requires_grad=False) if isinstance(tensor, torch.nn.Parameter) else view


def _is_other_float(tensor: Tensor, wanted: dtype) -> bool:
    """Whether it holds numbers of another kind. Buffers of float32 are as exact as they have to be; see `in_dtype`."""
    import torch

    exact = tensor.dtype == torch.float32 and not isinstance(tensor, torch.nn.Parameter)
    return tensor.is_floating_point() and tensor.dtype != wanted and not exact


def _some_of(tensor: Tensor) -> Tensor:
    """A view of some values spread over the tensor; over its first line where it does not lie in one piece."""
    line = tensor.view(-1) if tensor.is_contiguous() else tensor[(0,) * (tensor.ndim - 1)]
    return line[:: max(1, len(line) // _SAMPLED)]


def _hash_of_weights(model: Any) -> tuple[str, int]:
    """sha256 of all parameters and buffers by name, kind, shape and bytes, and how many bytes they have."""
    import torch

    digest, n_bytes = hashlib.sha256(), 0
    for name, tensor in sorted([*model.named_parameters(), *model.named_buffers()]):
        data = tensor.detach().reshape(-1).cpu().view(torch.uint8).numpy()
        digest.update(f"{name}:{tensor.dtype}:{list(tensor.shape)}\n".encode())
        digest.update(data)
        n_bytes += data.nbytes
    return digest.hexdigest(), n_bytes


def _tokenizer_facts(tokenizer: Any) -> dict[str, Any]:
    ids = {name: getattr(tokenizer, name) for name in ("pad_token_id", "unk_token_id", "mask_token_id")}
    return {"tokenizer": tokenizer.backend_tokenizer.to_str(), **ids}


def _hash_of(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()

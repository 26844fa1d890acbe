"""From the word embeddings of a text to what is explained: the logits of a layer's probe, or those of the model's own head.

The pass is differentiable and ends at the probe's layer: later blocks are not run. The embeddings are put in place of what the
model's word-embedding module returns, so everything else (positions, token types, masks) is made by the model itself from the
real token ids, and the logits equal those of the ordinary prediction.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.encoder.activations import Block, pooled_block
from lit_probe.encoder.attention_rollout import read_by
from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.joining import JOININGS
from lit_probe.encoder.layer_calls import layer_calls, run_to
from lit_probe.encoder.pooling import POOLINGS, pool_tokens
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.encoder.tokens import EncodedText, PaddedBatch
from lit_probe.errors import EncoderError, LitProbeError
from lit_probe.probing.probes.fitted import NUMBER_NAME, FittedProbe
from lit_probe.registry import lookup
from lit_probe.results import Result
from lit_probe.scores.decision import ARGMAX, Decision

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module


def _logit(logits: Tensor, class_index: int) -> Tensor:
    return logits[:, class_index]


def _probability(logits: Tensor, class_index: int) -> Tensor:
    return logits.softmax(dim=1)[:, class_index]


def _margin(logits: Tensor, class_index: int) -> Tensor:
    others = [index for index in range(logits.shape[1]) if index != class_index]
    return logits[:, class_index] - logits[:, others].amax(dim=1)


# Which number is explained. A probability saturates: where it is close to 1, its gradient says little (the logit's does).
SCALARS: dict[str, Callable[[Tensor, int], Tensor]] = {"logit": _logit, "probability": _probability, "margin": _margin}
# Where a probe is asked for a number, that is what is explained, whichever of the others was asked for.
NUMBER_SCALAR = NUMBER_NAME
ALL_SCALARS = {**SCALARS, NUMBER_SCALAR: _logit}


@dataclass(frozen=True)
class Target(Result):
    """The number that is explained.

    Attributes:
      class_index: the index of the class; 0 of a probe that is asked for a number.
      scalar: its ``logit``, its ``probability``, or its ``margin``, the logit less the largest other one. A binary logistic
        probe's two logits are opposite, so its margin is twice its logit. Of a number `NUMBER_SCALAR`.

    Raises:
      UnknownNameError: there is no such scalar.
    """

    class_index: int
    scalar: str = "logit"

    def __post_init__(self) -> None:
        lookup(ALL_SCALARS, self.scalar, "scalar")


@dataclass(frozen=True, eq=False)
class TokenGradients:
    """The word embeddings of one text, and how a class's logit rises with each of them.

    Attributes:
      embeddings: ``[n_tokens, d_embedding]`` what the word-embedding module gives, or what was given in its place.
      gradients: ``[n_tokens, d_embedding]`` of the class's logit.
      class_index: the class.
      logits: ``[n_classes]``.
    """

    embeddings: NDArray[np.float32]
    gradients: NDArray[np.float32]
    class_index: int
    logits: NDArray[np.float64]


class Forward(ABC):
    """What is explained, as a function of word embeddings or of token ids.

    Attributes:
      encoder: the frozen encoder.
      name: what people read: ``probe at layer 3``, ``probe at layer 25 (head 3.1)`` or ``model``.
      class_names: ``n_classes`` of them; `NUMBER_NAME` alone where the probe is asked for a number.
      layer: the probe's layer, or None for the model's own head.
      decision: the rule by which probabilities become a class.
      gives_number: whether it is a number that is explained, and not a class.
    """

    gives_number = False

    def __init__(self, encoder: Encoder, name: str, class_names: Sequence[str], layer: int | None, decision: Decision = ARGMAX):
        self.encoder = encoder
        self.name = name
        self.class_names = tuple(class_names)
        self.layer = layer
        self.decision = decision

    def target(self, class_index: int, scalar: str = "logit") -> Target:
        """What is explained of a class; of a number the number."""
        return Target(0, NUMBER_SCALAR) if self.gives_number else Target(class_index, scalar)

    def of_text(self, text: EncodedText) -> Callable[[Tensor], Tensor]:
        """The function from embeddings ``[b, n_tokens, d_embedding]`` of this text to logits ``[b, n_classes]`` float64.

        Call it, and what differentiates it, on the encoder thread. Every row stands for the same text, with other embeddings.
        """
        one = self.encoder.padded([text])

        def logits(embeddings: Tensor) -> Tensor:
            with _embeddings_replaced(self._embedding_module, embeddings, self.encoder):
                return self._logits(one.repeated(len(embeddings)))

        return logits

    def scalar(self, text: EncodedText, target: Target) -> Callable[[Tensor], Tensor]:
        """The function from embeddings ``[b, n_tokens, d_embedding]`` of this text to the explained number ``[b]``."""
        logits, scalar = self.of_text(text), ALL_SCALARS[target.scalar]
        self.check(target)
        return lambda embeddings: scalar(logits(embeddings), target.class_index)

    def embeddings(self, text: EncodedText) -> Tensor:
        """``[n_tokens, d_embedding]`` what the word-embedding module returns for the text's ids."""
        return _looked_up(self._embedding_module, text.ids, self.encoder)

    def mean_embedding(self) -> Tensor:
        """``[d_embedding]`` the mean of all rows of the word-embedding table."""
        table: Any = self._embedding_module.weight
        mean: Tensor = on_encoder_thread(lambda: table.detach().float().mean(dim=0))
        return mean

    def logits_of(self, texts: Sequence[EncodedText], check: Callable[[], None] | None = None) -> NDArray[np.float64]:
        """``[n_texts, n_classes]`` logits of any token ids, by forward passes over batches of like length.

        The batches go to the encoder thread one by one, so that others wait for one of them at most.

        Args:
          texts: the texts of any kind.
          check: called before every batch; an error that it raises ends the computation.

        Raises:
          EncoderError: the model cannot encode them, or a text has no token at all.
        """
        if any(not text.ids for text in texts):
            raise EncoderError(f"The tokenizer of {self.encoder.checkpoint.model_id!r} makes no token of a text to be explained.")
        logits = np.empty((len(texts), len(self.class_names)))
        for batch in self.encoder.batches(texts):
            if check is not None:
                check()
            logits[batch] = on_encoder_thread(self._logits_of_batch, [texts[i] for i in batch])
        return logits

    def token_gradients(
        self,
        texts: Sequence[EncodedText],
        classes: Sequence[int | None] | None = None,
        embeddings: Sequence[NDArray[np.float32] | None] | None = None,
    ) -> list[TokenGradients]:
        """The gradient of a class's logit at each text's word embeddings, by one pass there and back per batch.

        Args:
          texts: any texts; of one without a token all gradients are empty, and its class is the first.
          classes: ``[n_texts]`` which class; None for the one that is decided.
          embeddings: ``[n_texts]`` what stands in place of a text's own word embeddings, ``[n_tokens, d_embedding]``, or None.

        Raises:
          EncoderError: the model names no word embeddings, or passes no gradient to them.
          LitProbeError: given embeddings have another shape.
        """
        layer_calls(self.encoder)
        empty = np.zeros((0, self.embedding_width), dtype=np.float32)
        found = [TokenGradients(empty, empty, 0, np.zeros(len(self.class_names)))] * len(texts)
        given = [None] * len(texts) if embeddings is None else embeddings
        self._check_given(texts, given)
        for batch in self.encoder.batches(texts):
            wanted = [None if classes is None else classes[i] for i in batch]
            made = on_encoder_thread(self._gradients_of_batch, [texts[i] for i in batch], wanted, [given[i] for i in batch])
            for i, one in zip(batch, made, strict=True):
                found[i] = one
        return found

    def _gradients_of_batch(
        self, texts: Sequence[EncodedText], classes: Sequence[int | None], given: Sequence[NDArray[np.float32] | None]
    ) -> list[TokenGradients]:
        import torch

        batch = self.encoder.padded(texts)
        with self._given_in_place(batch, given) as embedded, torch.enable_grad():
            embedded.requires_grad_()
            logits = self._logits(batch)
        if not logits.requires_grad:
            raise EncoderError(
                f"{self.encoder.checkpoint.model_id!r} passes no gradient to its word embeddings, so it has no token gradients."
            )
        decided = self.decided(logits.detach().cpu().numpy())
        chosen = [int(decided[row]) if one is None else one for row, one in enumerate(classes)]
        [gradients] = torch.autograd.grad(logits[range(len(texts)), chosen].sum(), embedded)
        values, slopes, of_class = (part.detach().cpu().numpy() for part in (embedded.float(), gradients.float(), logits))
        # Copies, so that a text does not keep the padding of its batch.
        return [
            TokenGradients(values[row, : len(text.ids)].copy(), slopes[row, : len(text.ids)].copy(), chosen[row], of_class[row])
            for row, text in enumerate(texts)
        ]

    @contextmanager
    def _given_in_place(self, batch: PaddedBatch, given: Sequence[NDArray[np.float32] | None]) -> Iterator[Tensor]:
        """Within the context the model reads these embeddings, those of the ids where none are given, without a gradient."""
        import torch

        with torch.no_grad():
            embedded = self._embedding_module(batch.ids).to(torch.float32, copy=True)
            for row, values in enumerate(given):
                if values is not None:
                    embedded[row, : len(values)] = torch.as_tensor(values, dtype=embedded.dtype, device=embedded.device)
        with _embeddings_replaced(self._embedding_module, embedded, self.encoder):
            yield embedded

    def pooled_at(
        self, texts: Sequence[EncodedText], embeddings: Sequence[NDArray[np.float32]], pooling: str
    ) -> list[tuple[Block, int]]:
        """The pooled vectors of all layers where these stand in place of the texts' own word embeddings.

        Args:
          texts: the texts, each with a token.
          embeddings: ``[n_texts]`` arrays ``[n_tokens, d_embedding]``.
          pooling: a name in ``POOLINGS``.

        Returns:
          ``[n_texts]`` a block of such texts, and which of them.

        Raises:
          LitProbeError: they have another shape.
        """
        self._check_given(texts, embeddings)
        layer_calls(self.encoder)
        found: dict[int, tuple[Block, int]] = {}

        def pool(batch: list[int]) -> Block:
            together = [texts[i] for i in batch]
            with self._given_in_place(self.encoder.padded(together), [embeddings[i] for i in batch]):
                return pooled_block(self.encoder, together, pooling)

        for batch in self.encoder.batches(texts):
            block = on_encoder_thread(pool, batch)
            found |= {i: (block, row) for row, i in enumerate(batch)}
        return [found[i] for i in range(len(texts))]

    def _check_given(self, texts: Sequence[EncodedText], embeddings: Sequence[NDArray[np.float32] | None]) -> None:
        for text, values in zip(texts, embeddings, strict=True):
            expected = (len(text.ids), self.embedding_width)
            if values is not None and values.shape != expected:
                raise LitProbeError(
                    f"Embeddings of shape {list(values.shape)} were given for a text of {len(text.ids)} tokens. "
                    f"{self.encoder.name} reads {list(expected)}, special tokens included."
                )

    @property
    def embedding_width(self) -> int:
        """``d_embedding``, which some architectures make smaller than ``d_model``."""
        weight: Any = on_encoder_thread(lambda: self._embedding_module.weight)
        return int(weight.shape[1])

    def _logits_of_batch(self, batch: Sequence[EncodedText]) -> NDArray[np.float64]:
        import torch

        with torch.inference_mode():
            logits: NDArray[np.float64] = self._logits(self.encoder.padded(batch)).cpu().numpy()
        return logits

    def decided(self, logits: NDArray[np.float64]) -> NDArray[np.int64]:
        """``[…]`` the class that is said of each row of ``logits`` ``[…, n_classes]``."""
        return self.decision.classes_of_logits(logits)

    def scalar_of(self, logits: NDArray[np.float64], target: Target) -> NDArray[np.float64]:
        """``[n]`` the explained number of each row of ``logits`` ``[n, n_classes]``."""
        import torch

        self.check(target)
        values: NDArray[np.float64] = ALL_SCALARS[target.scalar](torch.from_numpy(logits), target.class_index).numpy()
        return values

    def check(self, target: Target) -> None:
        """That the target's class is one of ``class_names``, and that a number is explained where one is given.

        Raises:
          LitProbeError: it is not.
        """
        if (target.scalar == NUMBER_SCALAR) != self.gives_number:
            what = f"gives a number: explain the scalar {NUMBER_SCALAR!r}" if self.gives_number else "gives classes, not a number"
            raise LitProbeError(f"The {self.name} {what}.")
        if not 0 <= target.class_index < len(self.class_names):
            raise LitProbeError(f"There is no class {target.class_index}: the {self.name} tells {len(self.class_names)} apart.")

    def read_tokens(self, text: EncodedText) -> NDArray[np.float64]:
        """``[n_tokens]`` what share of what is read of this text is read at which token of ``depth``; they add up to 1.

        Raises:
          EncoderError: it is not known.
        """
        raise EncoderError(f"Of the {self.name} it is not known at which tokens it reads a text.")

    @property
    def depth(self) -> int:
        """The number of blocks that a text has passed where it is read."""
        return self.encoder.at_layers.n_layers - 1 if self.layer is None else self.encoder.sites[self.layer].depth

    @property
    def _embedding_module(self) -> Module:
        return _embedding_module_of(self.encoder)

    @abstractmethod
    def _logits(self, batch: PaddedBatch) -> Tensor:
        """``[b, n_classes]`` float64."""


class _ProbeForward(Forward):
    def __init__(
        self,
        encoder: Encoder,
        pool: Callable[[Tensor, PaddedBatch], Tensor],
        layer: int,
        probe: FittedProbe,
        class_names: Sequence[str],
        decision: Decision,
    ):
        place = f" ({encoder.layer_names[layer]})" if encoder.at_sites else ""
        super().__init__(encoder, f"probe at layer {layer}{place}", class_names, layer, decision)
        self._pool = pool
        self._probe = probe
        self.gives_number = not probe.n_classes

    def of_text(self, text: EncodedText) -> Callable[[Tensor], Tensor]:
        # The model is watched for where its layers are read before anything of it is replaced.
        layer_calls(self.encoder)
        return super().of_text(text)

    def read_tokens(self, text: EncodedText) -> NDArray[np.float64]:
        """See `Forward.read_tokens`: as the pooling takes them."""
        return on_encoder_thread(read_by, self.encoder, text, self._pool)

    def _logits(self, batch: PaddedBatch) -> Tensor:
        import torch

        assert self.layer is not None
        hidden = run_to(self.encoder, self.layer, batch)
        pooled = self._pool(hidden, batch)

        def constant(array: NDArray[np.float64]) -> Tensor:
            return torch.as_tensor(array, device=pooled.device)

        # In float64, as the probe's own arithmetic is.
        values = (pooled.double() - constant(self._probe.mean)) / constant(self._probe.scale)
        for index, (weight, bias) in enumerate(self._probe.layers):
            if index:
                values = values.relu()
            values = values @ constant(weight).T + constant(bias)
        return values


class _ModelForward(Forward):
    def read_tokens(self, text: EncodedText) -> NDArray[np.float64]:
        """See `Forward.read_tokens`: all those of the last layer that could change what the head says, in equal parts."""
        return on_encoder_thread(self._read_tokens, text)

    def _read_tokens(self, text: EncodedText) -> NDArray[np.float64]:
        import torch

        embedded = self.embeddings(text).unsqueeze(0).clone().requires_grad_()
        with _embeddings_replaced(self._embedding_module, embedded, self.encoder), torch.enable_grad():
            output = self.encoder.model(**self.encoder.padded([text]).model_inputs, output_hidden_states=True)
        self.encoder.check_unchanged()
        [slopes] = torch.autograd.grad(output.logits.square().sum(), output.hidden_states[-1], allow_unused=True)
        if slopes is None or not slopes.any():
            raise EncoderError(
                f"It cannot be found at which tokens the head of {self.encoder.checkpoint.model_id!r} reads a text."
            )
        read: NDArray[np.bool_] = (slopes[0] != 0).any(dim=-1).cpu().numpy()
        return read / np.float64(read.sum())

    def _logits(self, batch: PaddedBatch) -> Tensor:
        logits: Tensor = self.encoder.model(**batch.model_inputs).logits.double()
        self.encoder.check_unchanged()
        return logits


def forward_of_probe(
    encoder: Encoder,
    pooling: str,
    layer: int,
    probe: FittedProbe,
    class_names: Sequence[str] | None = None,
    decision: Decision = ARGMAX,
) -> Forward:
    """What the probe of one layer says, as a function that can be differentiated.

    Args:
      encoder: the frozen encoder.
      pooling: a name in ``POOLINGS``, the one that the probe was fitted on.
      layer: 0..n_layers-1; blocks after it are not run.
      probe: fitted on that layer's activations.
      class_names: the names of the classes; by default their numbers. None, or no name, of a probe that is asked for a number.
      decision: the rule by which its probabilities become a class, a study's own (`LayerStudy.decision`).

    Raises:
      UnknownNameError: there is no such layer or pooling.
      LitProbeError: the probe reads activations of another width, or the number of names is not that of its classes.
    """
    lookup(POOLINGS, pooling, "pooling")
    return _of_probe(encoder, lambda hidden, batch: pool_tokens(pooling, hidden, batch), layer, probe, class_names, decision)


def forward_of_word(
    encoder: Encoder,
    joining: str,
    places: Sequence[int],
    layer: int,
    probe: FittedProbe,
    class_names: Sequence[str] | None = None,
    decision: Decision = ARGMAX,
) -> Forward:
    """What the probe of one layer says of one word of a text, as a function that can be differentiated.

    It is a function of the embeddings of that text alone: of a text of other tokens the word would stand elsewhere.

    Args:
      encoder: the frozen encoder.
      joining: a name in ``JOININGS``, the one that the probe was fitted on.
      places: the places of the word's tokens in its text, one or more (`joining.tokens_of_words`).
      layer: 0..n_layers-1; blocks after it are not run.
      probe: fitted on that layer's activations.
      class_names: the names of the classes; by default their numbers.
      decision: the rule by which its probabilities become a class.

    Raises:
      UnknownNameError: there is no such layer or joining.
      LitProbeError: as `forward_of_probe`.
    """
    counted = list(lookup(JOININGS, joining, "way to join the tokens of a word")(places))
    return _of_probe(encoder, lambda hidden, _: hidden[:, counted].float().mean(dim=1), layer, probe, class_names, decision)


def _of_probe(
    encoder: Encoder,
    pool: Callable[[Tensor, PaddedBatch], Tensor],
    layer: int,
    probe: FittedProbe,
    class_names: Sequence[str] | None,
    decision: Decision,
) -> Forward:
    encoder.check_layer(layer)
    if probe.d_model != (width := encoder.widths[layer]):
        raise LitProbeError(f"The probe reads {probe.d_model} units, but layer {layer} of {encoder.name} has {width}.")
    if not probe.n_classes and not class_names:
        return _ProbeForward(encoder, pool, layer, probe, [NUMBER_NAME], decision)
    names = tuple(str(index) for index in probe.classes_) if class_names is None else tuple(class_names)
    if len(names) != probe.n_classes:
        raise LitProbeError(f"The probe tells {probe.n_classes} classes apart, but {len(names)} names were given.")
    return _ProbeForward(encoder, pool, layer, probe, names, decision)


def forward_of_model(encoder: Encoder) -> Forward:
    """What the checkpoint's own classification head says, as a function that can be differentiated.

    Raises:
      EncoderError: it has no such head.
    """
    if encoder.head_label_names is None:
        raise EncoderError(f"{encoder.name} has no classification head of its own, so only probes of it can be explained.")
    return _ModelForward(encoder, "model", encoder.head_label_names, None)


def word_embeddings(encoder: Encoder, ids: Sequence[int]) -> Tensor:
    """``[n, d_embedding]`` what the word-embedding module returns for these token ids.

    Raises:
      EncoderError: the model names no word embeddings.
    """
    return _looked_up(_embedding_module_of(encoder), ids, encoder)


def _looked_up(module: Module, ids: Sequence[int], encoder: Encoder) -> Tensor:
    import torch

    def look_up() -> Tensor:
        # No inference mode: what it makes may not take part in a gradient.
        with torch.no_grad():
            embedded: Tensor = module(torch.tensor([list(ids)], dtype=torch.int64, device=encoder.model.device))[0].float()
        return embedded

    return on_encoder_thread(look_up)


def _embedding_module_of(encoder: Encoder) -> Module:
    try:
        module: Module = encoder.model.get_input_embeddings()
    except (AttributeError, NotImplementedError) as error:
        raise EncoderError(
            f"{encoder.checkpoint.model_id!r} names no word embeddings (get_input_embeddings), so nothing can be "
            "differentiated with respect to them. Occlusion, LIME and KernelSHAP still work."
        ) from error
    return module


def pooled_gradients(probe: FittedProbe, pooled: NDArray[np.float32], classes: NDArray[np.int64]) -> NDArray[np.float32]:
    """``[n, d_model]`` the gradient of a class's logit with respect to the pooled vector that the probe reads.

    Of a linear probe it is the class's weights, the same at every vector.

    Args:
      probe: fitted on such vectors.
      pooled: ``[n, d_model]``.
      classes: ``[n]`` the class of each.
    """
    values, alive = (np.asarray(pooled, dtype=np.float64) - probe.mean) / probe.scale, []
    for index, (weight, bias) in enumerate(probe.layers):
        if index:
            alive.append(values > 0)
            values = np.maximum(values, 0)
        values = values @ weight.T + bias
    gradients = np.eye(values.shape[1])[classes]
    for index, (weight, _) in reversed(list(enumerate(probe.layers))):
        gradients = gradients @ weight
        if index:
            gradients = gradients * alive[index - 1]
    return (gradients / probe.scale).astype(np.float32)


@contextmanager
def _embeddings_replaced(module: Module, embeddings: Tensor, encoder: Encoder) -> Iterator[None]:
    """Within the context, the word-embedding module returns ``embeddings``, in the numbers in which it would return its own.

    Raises:
      EncoderError: the model does not ask the module once for a tensor of this shape.
    """
    shapes = []

    def replace(_: Module, __: Any, output: Tensor) -> Tensor:
        shapes.append(tuple(output.shape))
        return embeddings.to(output.dtype)

    handle = module.register_forward_hook(replace)
    try:
        yield
    finally:
        handle.remove()
    if shapes != [tuple(embeddings.shape)]:
        raise EncoderError(
            f"{encoder.checkpoint.model_id!r} does not read its word embeddings once per text (it asked {len(shapes)} times), so "
            "nothing can be differentiated with respect to them. Occlusion, LIME and KernelSHAP still work."
        )

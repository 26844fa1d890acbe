"""What a model's own head makes of every layer's hidden states, not only of the last one's, for which it was trained.

A language-model head is run alone: the body of the model hands it the states of another layer in place of its last ones. So
whatever the head does, transforms, caps and biases included, is done by the model's own code. A classification head may begin
inside the body, with a pooler, so there the states take the place of the last layer's (`layer_calls.run_from`).

States of which the body's last norm is still to come pass it first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.final_norm import final_norm, place_of
from lit_probe.encoder.layer_calls import run_from
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.encoder.tokens import EncodedText
from lit_probe.errors import EncoderError
from lit_probe.once import once_per_object
from lit_probe.progress import Progress, no_progress

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

# Logits are as wide as the vocabulary: of so many tokens they take 60 MB at 120,000 words.
_TOKENS_AT_A_TIME = 128
# How far the head alone may be from the model, relative to its largest logit: what rounding does with another shape.
_ROUNDING = {"float32": 1e-4, "bfloat16": 5e-2, "float16": 1e-2}


@dataclass(frozen=True, eq=False)
class LanguageHead:
    """A language model's head, which can be run on any states.

    Attributes:
      model: the whole model. To be used on the encoder thread only, as the other two.
      body: the module of it that hands the head what it reads.
      norm: the norm that a last block's states pass on their way to the head; None where each block ends in its own.
      kind: what the body returns.
      n_bytes: how much memory the head takes beside the body.
      tied: whether its matrix is that of the word embeddings.
    """

    model: Any
    body: Module
    norm: Module | None
    kind: type
    n_bytes: int
    tied: bool

    def logits(self, states: Tensor, *, normed: bool) -> Tensor:
        """``[n_tokens, n_vocabulary]`` float32 what the head says of states ``[n_tokens, d_model]``.

        Args:
          states: of some tokens at some layer.
          normed: whether they have passed the norm, as those of the last layer have.
        """
        import torch

        if self.norm is not None and not normed:
            states = self.norm(states)
        given = self.kind(last_hidden_state=states.unsqueeze(0))
        ids = torch.zeros((1, len(states)), dtype=torch.long, device=states.device)
        n_calls = 0

        def handed(*_: Any, **__: Any) -> Any:
            nonlocal n_calls
            n_calls += 1
            return given

        with _forward_replaced(self.body, handed):
            logits: Tensor = self.model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
        if n_calls != 1 or logits.shape[:2] != ids.shape:
            raise RuntimeError("the head did not read the states")
        return logits[0].float()


@contextmanager
def _forward_replaced(module: Module, forward: Callable[..., Any]) -> Iterator[None]:
    """Within the context, the module's pass is another one."""
    before = vars(module).get("forward")
    module.forward = forward
    try:
        yield
    finally:
        if before is None:
            del module.forward
        else:
            module.forward = before


@once_per_object
def language_head(encoder: Encoder) -> LanguageHead:
    """The encoder's language-model head, loaded at first use.

    One short pass is watched to find where the head begins, and the head alone has to say there what the whole model says.

    Raises:
      EncoderError: there is none, it cannot be loaded, or it cannot be run alone.
    """
    return on_encoder_thread(_find_head, encoder.at_layers)


def _find_head(encoder: Encoder) -> LanguageHead:
    import torch

    model = encoder.language_model
    batch = encoder.padded([_some_text(encoder)])
    returned: list[tuple[Module, Any]] = []
    outputs: list[Any] = []

    def watch(module: Module, _: Any, output: Any) -> None:
        if isinstance(getattr(output, "last_hidden_state", None), torch.Tensor):
            returned.append((module, output))

    def run() -> Sequence[Tensor]:
        outputs.append(model(**batch.model_inputs, output_hidden_states=True))
        hidden: Sequence[Tensor] = outputs[0].hidden_states
        return hidden

    handles = [module.register_forward_hook(watch) for module in model.modules() if module is not model]
    try:
        with torch.inference_mode():
            norm = final_norm(model, run)
    except (AttributeError, IndexError, RuntimeError, TypeError, ValueError) as error:
        raise _not_alone(encoder, error) from error
    finally:
        for handle in handles:
            handle.remove()
    last = outputs[0].hidden_states[-1]
    bodies = [(module, output) for module, output in returned if place_of(output.last_hidden_state) == place_of(last)]
    if not bodies:
        raise _not_alone(encoder, "no part of it returns the last hidden states")
    body, output = bodies[-1]
    kept = {tensor.data_ptr() for tensor in encoder.model.parameters()}
    beside = {tensor.data_ptr(): tensor.nbytes for tensor in model.parameters() if tensor.data_ptr() not in kept}
    matrix = model.get_output_embeddings()
    tied = matrix is not None and matrix.weight.data_ptr() == encoder.model.get_input_embeddings().weight.data_ptr()
    head = LanguageHead(model, body, norm, type(output), sum(beside.values()), tied)
    own = outputs[0].logits[0].float()
    try:
        with torch.inference_mode():
            alone = head.logits(last[0], normed=True)
    except (AttributeError, IndexError, RuntimeError, TypeError, ValueError) as error:
        raise _not_alone(encoder, error) from error
    near = _ROUNDING[encoder.dtype] * float(own.nan_to_num(0.0, 0.0, 0.0).abs().max())
    if not torch.allclose(alone, own, rtol=0.0, atol=near, equal_nan=True):
        raise _not_alone(encoder, "alone it says something else than within the model")
    return head


def _some_text(encoder: Encoder) -> EncodedText:
    [encoded] = encoder.encode(["a b"])
    return encoded


def _not_alone(encoder: Encoder, why: object) -> EncoderError:
    return EncoderError(
        f"The head of {encoder.checkpoint.model_id!r}, a {type(encoder.language_model).__name__}, cannot be run on a layer's "
        f"states ({why}), so there is no lens for it."
    )


@dataclass(frozen=True, eq=False)
class HeadReadings:
    """What a language-model head says of some tokens' states at every layer.

    Attributes:
      top: ``[n_tokens, n_layers, n_top]`` the likeliest tokens' ids, the likeliest first.
      top_probability: ``[n_tokens, n_layers, n_top]``.
      entropy: ``[n_tokens, n_layers]`` of the distribution over the vocabulary, in bits.
      ranks: ``[n_tokens, n_layers, n_asked]`` the rank of each token that was asked for, 1 for the likeliest.
      probabilities: ``[n_tokens, n_layers, n_asked]`` theirs.
      n_vocabulary: how many tokens the head chooses among.
    """

    top: NDArray[np.int64]
    top_probability: NDArray[np.float32]
    entropy: NDArray[np.float32]
    ranks: NDArray[np.int64]
    probabilities: NDArray[np.float32]
    n_vocabulary: int


def read_language_head(
    encoder: Encoder,
    encoded: EncodedText,
    places: Sequence[int],
    asked: NDArray[np.int64],
    *,
    n_top: int = 3,
    progress: Progress = no_progress,
) -> HeadReadings:
    """What the encoder's language-model head says of one text at every layer (the logit lens, nostalgebraist 2020).

    The text is read once, in one pass; the head then reads each layer.

    Args:
      encoder: an encoder with such a head (`Encoder.why_no_language_model`).
      encoded: the text.
      places: which of its tokens are read off.
      asked: ``[n_tokens, n_asked]`` the ids of tokens whose rank is wanted, for each place; -1 for none, which gets rank 0.
      n_top: how many of the likeliest tokens are told.
      progress: hears how many layers are done.

    Raises:
      EncoderError: there is no such head, or it gives something else than finite numbers.
    """
    head, layers = language_head(encoder.at_layers), encoder.at_layers.forward([encoded]).layers
    last = len(layers) - 1
    found: list[tuple[Any, ...]] = []
    n_vocabulary = 0

    def read(layer: int) -> tuple[Any, ...]:
        nonlocal n_vocabulary
        import torch

        parts = []
        with torch.inference_mode():
            states = layers[layer][0, list(places)]
            for start in range(0, len(places), _TOKENS_AT_A_TIME):
                some = slice(start, start + _TOKENS_AT_A_TIME)
                logits = head.logits(states[some], normed=layer == last)
                if not bool(logits.isfinite().all()):
                    raise EncoderError(
                        f"The head of {encoder.name!r} gives no finite numbers for this text at layer {layer}, so its weights, "
                        "or what they make of this text, are broken."
                    )
                n_vocabulary = logits.shape[1]
                parts.append(_read_off(logits, torch.from_numpy(asked[some]).to(logits.device), n_top))
        return tuple(np.concatenate(part) for part in zip(*parts, strict=True))

    for layer in range(len(layers)):
        progress(layer, len(layers))
        # Layer by layer, so that a text that somebody has just edited waits for one alone.
        found.append(on_encoder_thread(read, layer))
    encoder.check_unchanged()
    progress(len(layers), len(layers))
    top, top_probability, entropy, ranks, probabilities = (np.stack(part, axis=1) for part in zip(*found, strict=True))
    return HeadReadings(top, top_probability, entropy, ranks, probabilities, n_vocabulary)


def _read_off(logits: Tensor, asked: Tensor, n_top: int) -> tuple[NDArray[Any], ...]:
    """Of logits ``[n_tokens, n_vocabulary]``: the likeliest ids, their probabilities, the entropy, and ranks of ids."""
    import torch

    logs = logits.log_softmax(dim=-1)
    top = logits.topk(min(n_top, logits.shape[1]), dim=-1)
    probabilities = logs.exp()
    entropy = torch.special.entr(probabilities).sum(dim=-1) / np.log(2.0)
    known = asked >= 0
    ids = asked.clamp(min=0)
    own = logits.gather(1, ids)
    ranks = torch.stack([(logits > own[:, i : i + 1]).sum(dim=1) + 1 for i in range(own.shape[1])], dim=1) if own.numel() else ids
    return tuple(
        part.cpu().numpy()
        for part in (
            top.indices,
            probabilities.gather(1, top.indices),
            entropy,
            torch.where(known, ranks, 0),
            torch.where(known, probabilities.gather(1, ids), 0.0),
        )
    )


def read_classification_head(
    encoder: Encoder, encoded: Sequence[EncodedText], *, progress: Progress = no_progress
) -> NDArray[np.float32]:
    """``[n_texts, n_layers, n_classes]`` the probabilities that the checkpoint's own classification head gives at every layer.

    Pooler, dense layers and all read a layer's states in place of the last one's.

    Args:
      encoder: an encoder with such a head (``head_label_names``).
      encoded: the texts; each has a token.
      progress: hears how many texts are done.

    Raises:
      EncoderError: there is no such head, it gives something else than finite numbers, or the architecture's pass cannot be
        entered at its last layer.
    """
    encoder = encoder.at_layers
    if encoder.head_label_names is None:
        raise EncoderError(f"{encoder.name} has no classification head of its own.")
    last = encoder.n_layers - 1
    found = np.full((len(encoded), encoder.n_layers, len(encoder.head_label_names)), np.nan, dtype=np.float32)
    norm = _norm_of(encoder)

    def run(rows: list[int]) -> None:
        import torch

        batch = encoder.padded([encoded[row] for row in rows])
        with torch.inference_mode():
            layers: dict[int, Any] = {}
            encoder.run(batch, lambda units_of, states: layers.update(dict.fromkeys(units_of, states)))
            for layer in range(encoder.n_layers):
                states = layers[layer] if norm is None or layer == last else norm(layers[layer])
                logits = run_from(encoder, last, states, batch, lambda *_: None)
                found[rows, layer] = logits.float().softmax(dim=-1).cpu().numpy()

    n_done = 0
    for rows in encoder.batches(encoded):
        progress(n_done, len(encoded))
        # Batch by batch, as everything on this thread.
        on_encoder_thread(run, rows)
        n_done += len(rows)
    progress(n_done, len(encoded))
    if not np.isfinite(found).all():
        raise EncoderError(
            f"The head of {encoder.name!r} gives no finite numbers for a text, so its weights, or what they make of this text, "
            "are broken."
        )
    return found


@once_per_object
def _norm_of(encoder: Encoder) -> Any:
    """The norm of the body that comes after its last block; None where there is none."""
    short = [_some_text(encoder)]
    return on_encoder_thread(lambda: final_norm(encoder.model, lambda: encoder.forward(short).layers))

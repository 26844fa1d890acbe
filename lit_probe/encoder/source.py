"""What an encoder is made from, files or a model in memory, and what its configuration says of it. Loads no torch."""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from lit_probe.encoder.families import ENCODER_STACKS, ends_in_norm, is_decoder
from lit_probe.encoder.weight_shapes import head_width
from lit_probe.errors import EncoderError

# The names that architectures give to the same two numbers.
_BLOCK_KEYS = ("num_hidden_layers", "n_layers", "num_layers", "n_layer")
_WIDTH_KEYS = ("hidden_size", "dim", "d_model", "n_embd", "hidden_dim")

# Model types that number positions from 0; the usual ones, so that torch need not be loaded to ask the embedding itself.
_POSITIONS_FROM_ZERO = frozenset(
    """
    albert bart bert bloom convbert deberta deberta-v2 distilbert electra gemma2 gpt2 gpt_neox llama mbart mistral mobilebert
    modernbert mt5 opt phi qwen2 qwen3 t5 umt5
    """.split()
)


class Source(ABC):
    """What an encoder is made from: a `Checkpoint`, or a model `InMemory`.

    Attributes:
      model_id: what it is called in messages and on cards.
      revision: the hub commit, or None.
      config: the configuration, as in ``config.json``.
      config_name: what messages call the configuration.
      tokenizer_advice: what to do where the tokenizer is not the model's.
      in_memory: whether the model was in a program's memory, so that nobody else can load it.
    """

    model_id: str
    revision: str | None
    config: Mapping[str, Any]
    config_name: ClassVar[str]
    tokenizer_advice: ClassVar[str]
    in_memory: ClassVar[bool] = False

    @property
    def short_name(self) -> str:
        """The last part of the id, in the characters that LIT allows in names.

        >>> from lit_probe.encoder.checkpoint import Checkpoint
        >>> Checkpoint("org/my model@x", None, Path("."), {}).short_name
        'my-model-x'
        """
        return re.sub(r"[^A-Za-z0-9._-]+", "-", Path(self.model_id.rstrip("/")).name) or "encoder"

    @property
    @abstractmethod
    def identity(self) -> Hashable:
        """What tells it from others in this process. Encoders of the same source make the same tokens of a text."""

    @abstractmethod
    def hashes(self) -> dict[str, str]:
        """sha256 of ``config``, ``weights``, ``tokenizer`` and any ``code``, for cache keys and provenance."""

    def files_now(self) -> object:
        """Equal while nobody has touched the files; None where there are none."""
        return None

    @abstractmethod
    def check_unchanged(self) -> None:
        """Does nothing if the weights are those that were given.

        Raises:
          EncoderError: they have changed since.
        """

    @property
    def is_decoder(self) -> bool | None:
        """Whether a token sees only what stands before it; None where the model type is not a usual one."""
        return is_decoder(self.config)

    @property
    def is_encoder_stack(self) -> bool:
        """Whether it is an encoder–decoder, of which the encoder stack is read."""
        return self.config.get("model_type") in ENCODER_STACKS

    @property
    def ends_in_norm(self) -> bool | None:
        """Whether the last layer is read after a norm that follows the last block; None where only the model knows."""
        return ends_in_norm(self.config)

    @property
    def n_layers(self) -> int:
        """Number of hidden states: the embedding output and one per block; of an encoder–decoder, those of its encoder stack."""
        return self._number(("encoder_layers", *_BLOCK_KEYS) if self.is_encoder_stack else _BLOCK_KEYS) + 1

    @property
    def d_model(self) -> int:
        """Width of a hidden state."""
        return self._number(_WIDTH_KEYS)

    @property
    def n_positions(self) -> int | None:
        """The number of positions in the configuration; None where it sets none."""
        positions = self.config.get("max_position_embeddings", self.config.get("n_positions"))
        return positions if isinstance(positions, int) and positions > 0 else None

    @property
    def counts_from_zero(self) -> bool:
        """Whether the architecture is known to number positions from 0, so that as many tokens fit as there are positions."""
        return self.config.get("model_type") in _POSITIONS_FROM_ZERO

    @property
    def max_tokens(self) -> int | None:
        """The longest input that configuration and tokenizer allow, in tokens with special tokens; None for no limit.

        Some architectures number positions from 2 on, so that a few tokens less fit: `position_limit` knows.
        """
        limits = [] if self.n_positions is None else [self.n_positions]
        limit = self._tokenizer_limit
        # transformers writes 1e30 for "no limit".
        if isinstance(limit, int) and 0 < limit < 10**9:
            limits.append(limit)
        return min(limits, default=None)

    @property
    def has_classification_head(self) -> bool:
        """True for a fine-tuned ``…ForSequenceClassification`` model with two or more exclusive classes.

        That of an encoder–decoder reads the decoder half, which is not run: it counts as none.
        """
        problem = self.config.get("problem_type") or "single_label_classification"
        return (
            self._is_classifier
            and not self.is_encoder_stack
            and problem == "single_label_classification"
            and self._n_head_classes >= 2
        )

    @property
    def head_label_names(self) -> tuple[str, ...] | None:
        """The classes of the model's own classification head, or None if it has none.

        As many as the head has outputs: a class without a name in ``id2label`` is ``LABEL_i``.
        """
        if not self.has_classification_head:
            return None
        names = self._id2label()
        if len(names) == self._n_head_classes:
            return tuple(names[key] for key in sorted(names, key=int))  # some count from 1
        return tuple(names.get(str(i), f"LABEL_{i}") for i in range(self._n_head_classes))

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader must know about it, in sentences."""
        if self._is_classifier and self.is_encoder_stack:
            return (f"The classification head of {self.model_id} reads the decoder half, so it is not asked.",)
        if self.has_classification_head and len(named := self._id2label()) != self._n_head_classes:
            return (
                f"The classification head of {self.model_id} has {self._n_head_classes} outputs, and its id2label names "
                f"{len(named)}; classes without a name are called LABEL_i.",
            )
        return ()

    @property
    def _is_classifier(self) -> bool:
        return str((self.config.get("architectures") or [""])[0]).endswith("ForSequenceClassification")

    @property
    @abstractmethod
    def _tokenizer_limit(self) -> Any:
        """The tokenizer's ``model_max_length``, whatever was written there."""

    @property
    @abstractmethod
    def _tensor_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The shape of each tensor of the weights by name."""

    @cached_property
    def n_parameters(self) -> int:
        """How many numbers the weights are. Of files, what their headers say; those of a part that is not read count too."""
        return sum(math.prod(shape) for shape in self._tensor_shapes.values())

    @cached_property
    def _n_head_classes(self) -> int:
        """How many outputs the head has: by its weights, else as the configuration says."""
        said = self.config.get("num_labels")
        return head_width(self._tensor_shapes) or (said if isinstance(said, int) else len(self._id2label()))

    def _id2label(self) -> dict[str, str]:
        names = self.config.get("id2label") or {"0": "LABEL_0", "1": "LABEL_1"}
        if not isinstance(names, dict) or not all(str(key).isdecimal() for key in names):
            raise EncoderError(f"The id2label of {self.model_id!r} must name classes by number, as in 0: negative.")
        return {str(key): str(value) for key, value in names.items()}

    def _number(self, keys: tuple[str, ...]) -> int:
        for key in keys:
            if isinstance(value := self.config.get(key), int):
                return value
        raise EncoderError(f"The {self.config_name} of {self.model_id!r} has none of {', '.join(keys)}, so its size is unknown.")

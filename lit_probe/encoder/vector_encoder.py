"""An encoder of which nothing is known but the vectors that it gives: another framework's, another program's, a LIT model's."""

from __future__ import annotations

import hashlib
import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lit_probe.data.labelled_texts import clean_text
from lit_probe.encoder.dtypes import FLOAT32
from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.sites import Site
from lit_probe.encoder.source import Source
from lit_probe.encoder.tokens import EncodedText
from lit_probe.errors import EncoderError
from lit_probe.progress import Progress, no_progress

NO_POOLING = "no"
"""The name of the pooling of vectors that come from elsewhere, as in “no pooling”: lit_probe has not pooled them."""

VECTORS = "vectors"
"""The family of the sites of vectors that come from elsewhere."""


@dataclass(frozen=True, eq=False)
class Given(Source):
    """Where such vectors come from: a program, which nobody else can load.

    Attributes:
      told: what a reader must know about them, in sentences.
    """

    model_id: str
    fingerprint: str
    told: tuple[str, ...] = ()
    revision: None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    config_name = "configuration"
    tokenizer_advice = ""
    in_memory = True

    @property
    def identity(self) -> str:
        """The fingerprint."""
        return self.fingerprint

    def hashes(self) -> dict[str, str]:
        """The fingerprint, as ``vectors``."""
        return {"vectors": self.fingerprint}

    def check_unchanged(self) -> None:
        """Nothing to be checked."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """See ``told``."""
        return self.told

    @property
    def _tokenizer_limit(self) -> None:
        return None

    @property
    def _tensor_shapes(self) -> Mapping[str, tuple[int, ...]]:
        return {}


class VectorEncoder(Encoder):
    """One vector per text and layer, and no network: no tokens, no gradients, nothing to switch off.

    Its sites are of the family `VECTORS`.

    Args:
      name: what it is called.
      layer_names: ``[n_layers]`` what its layers are called, in their order.
      widths: ``[n_layers]`` how many numbers a vector of each layer has.
      fingerprint: tells its vectors from any others, for the cache.
      told: what a reader must know about them, in sentences.
    """

    def __init__(self, name: str, layer_names: Sequence[str], widths: Sequence[int], fingerprint: str, told: Sequence[str] = ()):
        # Nothing of a checkpoint is there, so nothing of it is read.
        self.checkpoint = Given(name, fingerprint, tuple(told))
        self.name = self.checkpoint.short_name
        self.n_layers = len(layer_names)
        self.d_model = max(widths)
        self.head_label_names = None
        self.max_length = 0
        self.is_decoder = False
        self.keep = ""
        self.dtype = FLOAT32
        self.template = None
        self.chat = None
        self.random_seed = None
        named = enumerate(zip(layer_names, widths, strict=True))
        self._sites = tuple(Site(layer, VECTORS, place, width) for place, (layer, width) in named)
        self._at_layers = None

    @abstractmethod
    def vectors(self, texts: Sequence[str], progress: Progress = no_progress) -> list[NDArray[np.float32]]:
        """``[n_layers]`` arrays ``[n_texts, width]`` for texts that it was given vectors of, or that it can be asked for.

        Raises:
          EncoderError: it has no vectors of a text, or they are no finite numbers of this shape.
        """

    @property
    def has_network(self) -> bool:
        """False."""
        return False

    @property
    def blocks_at_once(self) -> int:
        """One: whoever is asked for vectors may not be ready for several questions."""
        return 1

    @property
    def ends_in_norm(self) -> bool:
        """Unknown, so nothing is said."""
        return False

    @property
    def default_pooling(self) -> str:
        """`NO_POOLING`."""
        return NO_POOLING

    @property
    def hashes(self) -> dict[str, str]:
        """The fingerprint, as ``vectors``."""
        return self.checkpoint.hashes()

    @property
    def fingerprint(self) -> str:
        """As it was given."""
        return str(self.checkpoint.identity)

    @property
    def tokenizer(self) -> Any:
        """There is none."""
        self._refuse("its tokens")

    @property
    def model(self) -> Any:
        """There is none."""
        self._refuse("the network itself")

    def encode(self, texts: Sequence[str], *, with_tokens: bool = False) -> list[EncodedText]:
        """Cannot be done."""
        self._refuse("its tokens")

    def randomised(self, seed: int) -> Encoder:
        """Cannot be done."""
        self._refuse("its architecture")

    @property
    def why_no_masked_lm(self) -> str | None:
        """That there is no network."""
        return needs_network(self, "its masked-language-model head")

    @property
    def why_no_language_model(self) -> str | None:
        """That there is no network."""
        return needs_network(self, "its language-model head")

    def _refuse(self, what: str) -> NoReturn:
        raise EncoderError(needs_network(self, what))


class GivenVectors(VectorEncoder):
    """Vectors that a program holds, one for each text and layer.

    Args:
      name: what they are called.
      layers: ``[n_texts, width]`` numbers for each layer, by the layer's name, in the order of the layers.
      texts: ``[n_texts]`` what each row is about; of equal ones the first counts.
      told: what a reader must know about them, in sentences.

    Raises:
      EncoderError: the arrays do not have these shapes, or hold other than finite numbers.
    """

    def __init__(self, name: str, layers: Mapping[str, ArrayLike], texts: Sequence[str], told: Sequence[str] = ()):
        if not layers:
            raise EncoderError(f"The activations {name!r} have no layers. Give an array for each.")
        self._layers = {layer: _checked(name, layer, values, len(texts)) for layer, values in layers.items()}
        widths = [values.shape[1] for values in self._layers.values()]
        self._row: dict[str, int] = {}
        for row, text in enumerate(texts):
            self._row.setdefault(clean_text(text), row)
        digest = hashlib.sha256(json.dumps([list(self._layers), list(self._row)]).encode())
        for values in self._layers.values():
            digest.update(values.tobytes())
        super().__init__(name, list(self._layers), widths, digest.hexdigest(), told)

    def vectors(self, texts: Sequence[str], progress: Progress = no_progress) -> list[NDArray[np.float32]]:
        """``[n_layers]`` arrays ``[n_texts, width]`` of texts that it was given.

        Raises:
          EncoderError: it was given no vectors of a text.
        """
        rows = []
        for text in texts:
            row = self._row.get(clean_text(text))
            if row is None:
                raise EncoderError(f"{self.name} is known by given vectors alone, and this text has none: {text[:80]!r}.")
            rows.append(row)
        progress(len(texts), len(texts))
        return [values[rows] for values in self._layers.values()]


def as_array(values: Any) -> NDArray[Any]:
    """Numbers of any kind as an array: lists, arrays, and tensors of torch wherever they are, with a gradient or not.

    Raises:
      EncoderError: rows have different lengths, or some numbers are masked.
    """
    if hasattr(values, "detach"):
        values = values.detach().float().cpu().numpy()
    if isinstance(values, np.ma.MaskedArray) and np.any(values.mask):
        raise EncoderError("Some of the numbers are masked. Leave out those rows or units, or fill them.")
    try:
        return np.asarray(values)
    except ValueError as error:
        raise EncoderError(f"The vectors make no array: {error}") from error


def _checked(name: str, layer: str, values: Any, n_texts: int) -> NDArray[np.float32]:
    array = as_array(values)
    if array.dtype.kind not in "fiub":
        raise EncoderError(f"Layer {layer!r} of {name!r} holds {array.dtype}, and probes read numbers.")
    if array.ndim != 2 or array.shape[0] != n_texts or not array.shape[1]:
        raise EncoderError(
            f"Layer {layer!r} of {name!r} has the shape {list(array.shape)}, where [{n_texts}, width] is needed: a row for each "
            "example."
        )
    with np.errstate(over="ignore"):  # told below
        array = np.ascontiguousarray(array, dtype=np.float32)
    if bad := int((~np.isfinite(array).all(axis=1)).sum()):
        raise EncoderError(
            f"Layer {layer!r} of {name!r} has NaN, infinite or too large numbers in {bad:,} of {n_texts:,} rows, and probes need "
            "finite ones."
        )
    return array


def needs_network(encoder: Encoder, what: str) -> str:
    """The one sentence about what vectors alone do not tell.

    Args:
      encoder: whose vectors they are.
      what: what is missing.
    """
    return (
        f"{encoder.name} is known by its vectors alone, and this needs {what}. Give the checkpoint itself: "
        "lit_probe.lit.ProbeModel in a LIT server, or lit_probe.load_encoder."
    )

"""A frozen text encoder: texts -> tokens -> the hidden states of all layers, in one forward pass per batch.

The only file that imports transformers. All torch work of the process runs on one dedicated thread: a single-text forward takes
about twice as long once several threads have each run torch, because every one of them gets its own pool of workers.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from lit_probe.checkpoint import Checkpoint, find_checkpoint
from lit_probe.errors import EncoderError, UnknownNameError
from lit_probe.examples import clean_text
from lit_probe.registry import lookup

if TYPE_CHECKING:
    from torch import Tensor

P = ParamSpec("P")
R = TypeVar("R")

DEFAULT_MAX_LENGTH = 256

# Padded tokens per forward pass. On a CPU larger batches fall out of its caches, on a GPU smaller ones leave it idle.
_CPU_TOKEN_BUDGET = 1_024
_GPU_TOKEN_BUDGET = 65_536
# Rounding moves hidden states by 1e-6 or so with the shape of a batch; what padding itself moves is orders larger.
_NEUTRAL = 1e-4


def _keep_head(n_content: int, room: int) -> list[int]:
    return list(range(room))


def _keep_tail(n_content: int, room: int) -> list[int]:
    return list(range(n_content - room, n_content))


def _keep_both_ends(n_content: int, room: int) -> list[int]:
    head = (room + 1) // 2
    return [*range(head), *range(n_content - (room - head), n_content)]


# Which content tokens of a text over the limit are kept: (number of content tokens, room for them) -> their indices.
KEEPS: dict[str, Callable[[int, int], list[int]]] = {"head": _keep_head, "tail": _keep_tail, "both-ends": _keep_both_ends}


@dataclass(frozen=True)
class EncodedText:
    """The tokens of one text that the encoder reads.

    Attributes:
      ids: ``[n_tokens]`` token ids, special tokens included.
      special: ``[n_tokens]`` True for the special tokens that the tokenizer added.
      tokens: ``[n_tokens]`` the tokens as strings; empty unless asked for.
      offsets: ``[n_tokens]`` (start, end) of each token in the cleaned text, in characters; empty unless asked for.
      truncated: whether tokens of the text were left out.
    """

    ids: list[int]
    special: list[bool]
    tokens: list[str]
    offsets: list[tuple[int, int]]
    truncated: bool


@dataclass(frozen=True)
class PaddedBatch:
    """A batch as the model reads it, on the encoder's device. Padding stands on the right.

    Attributes:
      ids: ``[b, n_tokens]`` int64 token ids.
      attention_mask: ``[b, n_tokens]`` bool, False for padding.
      special_tokens_mask: ``[b, n_tokens]`` bool, True for special tokens and padding.
    """

    ids: Tensor
    attention_mask: Tensor
    special_tokens_mask: Tensor


@dataclass(frozen=True)
class HiddenStates:
    """What one forward pass over a batch gives, on the encoder's device. Padding stands on the right.

    Attributes:
      layers: ``n_layers`` tensors ``[b, n_tokens, d_model]``; 0 is the embedding output, i the output of block i.
      attention_mask: ``[b, n_tokens]`` bool, False for padding.
      special_tokens_mask: ``[b, n_tokens]`` bool, True for special tokens and padding.
      head_logits: ``[b, n_head_classes]`` of the checkpoint's own classification head, or None.
    """

    layers: tuple[Tensor, ...]
    attention_mask: Tensor
    special_tokens_mask: Tensor
    head_logits: Tensor | None


_THREAD_NAME = "lit_probe_encoder"
_encoder_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=_THREAD_NAME)


def on_encoder_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Runs ``function`` on the one thread that does torch work, and waits for its result."""
    if threading.current_thread().name.startswith(_THREAD_NAME):
        return function(*args, **kwargs)
    return _encoder_thread.submit(function, *args, **kwargs).result()


class Encoder:
    """A frozen Hugging Face text encoder.

    Constructing one reads only the checkpoint's small files; the weights are loaded on the encoder thread at first use, so a
    run that finds everything in the cache never loads torch.

    Attributes:
      checkpoint: where its files are.
      name: short name, in the characters LIT allows.
      n_layers: number of hidden states, blocks + 1.
      d_model: width of a hidden state.
      head_label_names: the classes of the checkpoint's own classification head, or None.
      max_length: tokens kept per text, special tokens included.
      keep: which part of a longer text is kept: ``head``, ``tail`` or ``both-ends``.
    """

    def __init__(self, checkpoint: Checkpoint, *, max_length: int | None = None, keep: str = "head", device: str = "auto"):
        lookup(KEEPS, keep, "way to keep part of a long text")
        if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", device):
            raise EncoderError(f"Unknown device {device!r}. Choose one of: auto, cpu, cuda, cuda:N.")
        limit = checkpoint.max_tokens
        if max_length is None:
            max_length = min(DEFAULT_MAX_LENGTH, limit or DEFAULT_MAX_LENGTH)
        if max_length < 3:
            raise EncoderError(f"max_length is {max_length}; give 3 or more tokens, since special tokens count.")
        if limit is not None and max_length > limit:
            raise EncoderError(f"max_length is {max_length}, but {checkpoint.model_id!r} reads at most {limit} tokens.")
        self.checkpoint = checkpoint
        self.name = checkpoint.short_name
        self.n_layers = checkpoint.n_layers
        self.d_model = checkpoint.d_model
        self.head_label_names = checkpoint.head_label_names
        self.max_length = max_length
        self.keep = keep
        self._device_flag = device
        self._random_seed: int | None = None
        self._hashes: dict[str, str] | None = None
        self._load_lock = threading.Lock()
        self._padding_is_neutral = True
        self._tokenizer: Any = None
        self._model: Any = None
        self._masked_lm: Any = None

    @property
    def hashes(self) -> dict[str, str]:
        """sha256 of the checkpoint's ``config``, ``weights`` and ``tokenizer``."""
        if self._hashes is None:
            self._hashes = self.checkpoint.hashes()
        return self._hashes

    @property
    def fingerprint(self) -> str:
        """Hash of all that decides a text's hidden states: weights, configuration, tokenizer, max_length and keep."""
        facts = {**self.hashes, "max_length": self.max_length, "keep": self.keep}
        if self._random_seed is not None:
            facts["random_weights"] = self._random_seed
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    @property
    def tokenizer(self) -> Any:
        """The transformers tokenizer, loaded at first use."""
        with self._load_lock:
            if self._tokenizer is None:
                self._tokenizer = _load_tokenizer(self.checkpoint)
        return self._tokenizer

    @property
    def model(self) -> Any:
        """The transformers model in ``eval()`` mode, loaded at first use. To be used on the encoder thread only."""
        if self._model is None:
            on_encoder_thread(self._load)
        return self._model

    def _load(self) -> None:
        # Several threads may have asked at once; on the encoder thread they come one after another.
        if self._model is None:
            model = _load_model(self.checkpoint, self._device_flag, self._random_seed)
            self._padding_is_neutral = _padding_is_neutral(model, self.encode(["a", "a a a a a a a a"]), self.tokenizer)
            self._model = model

    @property
    def token_budget(self) -> int:
        """Padded tokens per forward pass."""
        return _CPU_TOKEN_BUDGET if self.model.device.type == "cpu" else _GPU_TOKEN_BUDGET

    def randomised(self, seed: int) -> Encoder:
        """The same architecture and tokenizer with random weights, drawn as the configuration says: a baseline for probes.

        What its layers let a probe decode comes from the words and the architecture, not from training
        (Zhang & Bowman 2018, https://aclanthology.org/W18-5448).
        """
        twin = Encoder(self.checkpoint, max_length=self.max_length, keep=self.keep, device=self._device_flag)
        twin.name = f"{self.name}-random-{seed}"
        twin.head_label_names = None
        twin._random_seed = seed
        return twin

    @property
    def why_no_masked_lm(self) -> str | None:
        """Why ``fill_mask`` cannot be asked, or None where the checkpoint is a masked language model. Loads no weights."""
        architectures = self.checkpoint.config.get("architectures") or ["no architecture"]
        if self._random_seed is not None:
            return f"{self.name} has random weights."
        if not any(name.endswith("ForMaskedLM") for name in architectures):
            return f"{self.name} has no masked-language-model head: its config.json names {', '.join(architectures)}."
        if self.tokenizer.mask_token_id is None:
            return f"The tokenizer of {self.name} has no mask token."
        return None

    def fill_mask(self, texts: Sequence[EncodedText]) -> NDArray[np.float32]:
        """``[n_texts, n_vocabulary]`` how probable each token is, to the checkpoint's own head, in place of the mask token.

        The head is loaded at first use; it shares the encoder's weights.

        Args:
          texts: each with exactly one mask token among its ids.

        Raises:
          EncoderError: there is no such head or no mask token (``why_no_masked_lm``), or the head cannot be loaded.
        """
        if self.why_no_masked_lm:
            raise EncoderError(self.why_no_masked_lm)
        return on_encoder_thread(self._fill_mask, texts)

    def check_layer(self, layer: int) -> None:
        """That there is such a layer.

        Raises:
          UnknownNameError: there is none.
        """
        if not 0 <= layer < self.n_layers:
            raise UnknownNameError(f"Unknown layer {layer}. {self.name} has layers 0 (embeddings) to {self.n_layers - 1}.")

    def encode(self, texts: Sequence[str], *, with_tokens: bool = False) -> list[EncodedText]:
        """Tokenises texts and cuts each to ``max_length`` tokens.

        Args:
          texts: any strings; lone surrogates are replaced, an empty text gives special tokens alone.
          with_tokens: also return the tokens as strings and their character offsets (slower).
        """
        backend = self.tokenizer.backend_tokenizer
        # The fast form leaves out the offsets.
        encode_batch = backend.encode_batch if with_tokens else backend.encode_batch_fast
        return [self._cut(encoding, with_tokens) for encoding in encode_batch([clean_text(text) for text in texts])]

    def forward(self, batch: Sequence[EncodedText]) -> HiddenStates:
        """One forward pass over a batch, on the encoder thread.

        Raises:
          EncoderError: the checkpoint returns other than one hidden state per layer.
        """
        return on_encoder_thread(self._forward, batch)

    def batches(self, encoded: Sequence[EncodedText]) -> Iterator[list[int]]:
        """Indices of texts of like length, batch by batch, each at most ``token_budget`` padded tokens (or one text).

        Where padding would change a text's hidden states (architectures that mix or convolve over all positions), a batch holds
        texts of equal length only. A text without any token (the tokenizer adds no special ones) is in no batch.
        """
        order = sorted((i for i, text in enumerate(encoded) if text.ids), key=lambda i: -len(encoded[i].ids))
        budget = self.token_budget
        start = 0
        while start < len(order):
            longest = len(encoded[order[start]].ids)
            batch = order[start : start + max(1, budget // longest)]
            if not self._padding_is_neutral:
                batch = [i for i in batch if len(encoded[i].ids) == longest]
            yield batch
            start += len(batch)

    def padded(self, batch: Sequence[EncodedText]) -> PaddedBatch:
        """The batch as the model reads it, on its device."""
        return _padded(batch, self.tokenizer.pad_token_id, self.model.device)

    def _fill_mask(self, texts: Sequence[EncodedText]) -> NDArray[np.float32]:
        import torch

        if self._masked_lm is None:
            self._masked_lm = _load_masked_lm(self.checkpoint, self.model)
        found = np.empty((len(texts), self._masked_lm.config.vocab_size), dtype=np.float32)
        for length in sorted({len(text.ids) for text in texts}):
            alike = [i for i, text in enumerate(texts) if len(text.ids) == length]
            # Logits are as wide as the vocabulary, so a batch is small on a GPU too. None is padded.
            step = max(1, _CPU_TOKEN_BUDGET // length)
            for rows in (alike[start : start + step] for start in range(0, len(alike), step)):
                batch = self.padded([texts[i] for i in rows])
                with torch.inference_mode():
                    logits = self._masked_lm(input_ids=batch.ids, attention_mask=batch.attention_mask.long()).logits
                    at_mask = logits[batch.ids == self.tokenizer.mask_token_id]
                    found[rows] = at_mask.float().softmax(dim=-1).cpu().numpy()
        return found

    def _cut(self, encoding: Any, with_tokens: bool) -> EncodedText:
        ids, special = encoding.ids, [bool(flag) for flag in encoding.special_tokens_mask]
        kept = range(len(ids))
        truncated = len(ids) > self.max_length
        if truncated:
            content = [i for i, flag in enumerate(special) if not flag]
            room = max(0, self.max_length - (len(ids) - len(content)))
            chosen = {content[i] for i in KEEPS[self.keep](len(content), room)}
            kept = [i for i in kept if special[i] or i in chosen]  # type: ignore[assignment]
            ids, special = [ids[i] for i in kept], [special[i] for i in kept]
        tokens, offsets = (encoding.tokens, encoding.offsets) if with_tokens else ([], [])
        if with_tokens and truncated:
            tokens, offsets = [tokens[i] for i in kept], [offsets[i] for i in kept]
        return EncodedText(ids, special, tokens, offsets, truncated)

    def _forward(self, batch: Sequence[EncodedText]) -> HiddenStates:
        try:
            output, padded = _run(self.model, batch, self.tokenizer)
        except (IndexError, RuntimeError, TypeError) as error:
            raise EncoderError(f"{self.checkpoint.model_id!r} cannot encode a batch of {len(batch)} texts: {error}") from error
        if len(output.hidden_states) != self.n_layers:
            raise EncoderError(
                f"{self.checkpoint.model_id!r} returned {len(output.hidden_states)} hidden states where its config.json "
                f"promises {self.n_layers} (embeddings and one per block); lit_probe cannot number its layers."
            )
        head_logits = getattr(output, "logits", None)
        return HiddenStates(tuple(output.hidden_states), padded.attention_mask, padded.special_tokens_mask, head_logits)


def load_encoder(
    model_id: str,
    revision: str | None = None,
    *,
    max_length: int | None = None,
    keep: str = "head",
    device: str = "auto",
    trust_remote_code: bool = False,
) -> Encoder:
    """Finds a text encoder by hub id or local folder. Weights load at first use.

    Args:
      model_id: a Hugging Face hub id or a folder.
      revision: a hub branch, tag or commit.
      max_length: tokens kept per text, special tokens included; by default 256, or what the model can read if that is less.
      keep: which part of a longer text is kept: ``head``, ``tail`` or ``both-ends``.
      device: ``auto`` (CUDA when there is one), ``cpu``, ``cuda`` or ``cuda:1``.
      trust_remote_code: run Python code that comes with the checkpoint.

    Raises:
      EncoderError: see ``find_checkpoint``; also for a ``max_length`` that the model cannot read.
    """
    checkpoint = find_checkpoint(model_id, revision, trust_remote_code=trust_remote_code)
    return Encoder(checkpoint, max_length=max_length, keep=keep, device=device)


def _run(model: Any, batch: Sequence[EncodedText], tokenizer: Any) -> tuple[Any, PaddedBatch]:
    """The model's output for one batch, and the batch as it read it."""
    import torch

    padded = _padded(batch, tokenizer.pad_token_id, model.device)
    with torch.inference_mode():
        return model(input_ids=padded.ids, attention_mask=padded.attention_mask.long(), output_hidden_states=True), padded


def _padded(batch: Sequence[EncodedText], pad_id: int | None, device: Any) -> PaddedBatch:
    import torch

    longest = max(len(text.ids) for text in batch)
    # Built as lists: one tensor from nested lists is quicker than many small ones copied together.
    ids = torch.tensor([text.ids + [pad_id or 0] * (longest - len(text.ids)) for text in batch], device=device)
    special = torch.tensor([text.special + [True] * (longest - len(text.ids)) for text in batch], device=device)
    lengths = torch.tensor([len(text.ids) for text in batch], device=device)
    return PaddedBatch(ids, torch.arange(longest, device=device) < lengths.unsqueeze(1), special)


def _padding_is_neutral(model: Any, short_and_long: Sequence[EncodedText], tokenizer: Any) -> bool:
    """Whether a short text has the same hidden states alone and padded beside a long one."""
    short = short_and_long[0]
    alone, _ = _run(model, [short], tokenizer)
    beside, _ = _run(model, short_and_long, tokenizer)
    n = len(short.ids)
    pairs = zip(alone.hidden_states, beside.hidden_states, strict=True)
    return all(bool((one[0, :n] - two[0, :n]).abs().max() < _NEUTRAL) for one, two in pairs)


def _load_tokenizer(checkpoint: Checkpoint) -> Any:
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(str(checkpoint.folder), trust_remote_code=_runs_code(checkpoint))
    except Exception as error:  # as with the weights below
        raise EncoderError(f"The tokenizer of {checkpoint.model_id!r} cannot be loaded: {error}") from error
    if not tokenizer.is_fast:
        raise EncoderError(f"The tokenizer of {checkpoint.model_id!r} has no fast form (tokenizer.json), which gives offsets.")
    # Some tokenizer.json files carry a truncation and padding of their own, which would override max_length.
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    return tokenizer


def _load_model(checkpoint: Checkpoint, device: str, random_seed: int | None) -> Any:
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as DECODERS
    from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES as MASKED

    kind = checkpoint.config.get("model_type")
    if kind in DECODERS and kind not in MASKED:
        raise EncoderError(f"{checkpoint.model_id!r} is a decoder-only language model ({kind}), which lit_probe refuses for now.")
    model = _pretrained_model(checkpoint) if random_seed is None else _random_model(checkpoint, random_seed)
    return model.eval().requires_grad_(False).to(_resolve_device(device))


def _random_model(checkpoint: Checkpoint, seed: int) -> Any:
    import torch
    from transformers import AutoConfig, AutoModel

    config = AutoConfig.from_pretrained(str(checkpoint.folder), trust_remote_code=_runs_code(checkpoint))
    with torch.random.fork_rng(devices=[]):
        # Not the seed itself: a checkpoint that somebody made with manual_seed(0) must not be its own baseline.
        torch.manual_seed(int(hashlib.sha256(f"lit_probe {seed}".encode()).hexdigest()[:15], 16))
        return AutoModel.from_config(config, trust_remote_code=_runs_code(checkpoint)).float()


def _pretrained_model(checkpoint: Checkpoint) -> Any:
    from transformers import AutoModel, AutoModelForSequenceClassification

    return _pretrained(checkpoint, AutoModelForSequenceClassification if checkpoint.has_classification_head else AutoModel)


def _load_masked_lm(checkpoint: Checkpoint, body: Any) -> Any:
    """The checkpoint with its masked-language-model head, on top of the body that is loaded already."""
    from transformers import AutoModelForMaskedLM

    model = _pretrained(checkpoint, AutoModelForMaskedLM).eval().requires_grad_(False)
    prefix = model.base_model_prefix
    if type(getattr(model, prefix, None)) is type(body):
        setattr(model, prefix, body)
    return model.to(body.device)


def _pretrained(checkpoint: Checkpoint, loader: Any) -> Any:
    import torch
    from transformers.utils import logging

    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        model, info = loader.from_pretrained(
            str(checkpoint.folder),
            dtype=torch.float32,
            weights_only=True,
            output_loading_info=True,
            trust_remote_code=_runs_code(checkpoint),
        )
    except Exception as error:  # torn files fail in as many ways as there are readers; all of them are told
        raise EncoderError(f"The weights of {checkpoint.model_id!r} cannot be loaded: {error}") from error
    finally:
        logging.set_verbosity(verbosity)
        logging.enable_progress_bar()
    # A pooler is not probed, so one that was never trained does no harm; anything else missing would be random numbers.
    missing = sorted(key for key in info["missing_keys"] if "pooler" not in key)
    if missing:
        raise EncoderError(
            f"The weights of {checkpoint.model_id!r} lack {len(missing)} tensors that its config.json asks for "
            f"({', '.join(missing[:3])}, …); they would have been filled with random numbers."
        )
    return model


def _runs_code(checkpoint: Checkpoint) -> bool:
    # find_checkpoint lets a checkpoint with code of its own through only when the user trusts it.
    return bool(checkpoint.config.get("auto_map"))


def _resolve_device(device: str) -> Any:
    import torch

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    resolved = torch.device(device)
    if resolved.type == "cuda" and (resolved.index or 0) >= torch.cuda.device_count():
        raise EncoderError(
            f"The device {device!r} was asked for, but torch {torch.__version__} sees {torch.cuda.device_count()} CUDA GPUs. "
            "Use the device cpu."
        )
    return resolved


# Threads that the tokenizer's own pool has started do not survive a fork; say so to the library before it asks on stderr.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")

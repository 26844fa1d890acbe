"""A frozen text encoder or decoder: texts -> tokens -> the hidden states of all layers, in one forward pass per batch."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import inspect
import json
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.data.seeds import checked_seed
from lit_probe.encoder.batching import BatchRule, cut_into_batches
from lit_probe.encoder.checkpoint import find_checkpoint
from lit_probe.encoder.dtypes import AUTO, DTYPES, FLOAT32, dtype_of
from lit_probe.encoder.families import MASKED, language_task
from lit_probe.encoder.final_norm import ends_in_norm
from lit_probe.encoder.gguf_files import find_gguf, gguf_file
from lit_probe.encoder.loading import (
    convert_gguf,
    given,
    knows_decoder,
    load_language_model,
    load_model,
    load_tokenizer,
    position_limit,
    untrained_position_limit,
)
from lit_probe.encoder.met_layers import met_layers
from lit_probe.encoder.sites import AFTER_NORM, EMBEDDINGS, LAYERS, Site, meeting, states_at
from lit_probe.encoder.source import Source
from lit_probe.encoder.template import Prompt, chat_prompt, escaped, prompt_of
from lit_probe.encoder.text_reader import TextReader
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.encoder.tokens import KEEPS, EncodedText, HiddenStates, PaddedBatch, padded_batch
from lit_probe.errors import EncoderError, LitProbeError
from lit_probe.registry import check_layer, lookup

DEFAULT_MAX_LENGTH = 256

# Padded tokens per forward pass. On a CPU larger batches fall out of its caches, on a GPU smaller ones leave it idle. There two
# batches may be under way at once.
_CPU_TOKEN_BUDGET = 1_024
_GPU_TOKEN_BUDGET = 32_768
# On a CPU the budget alone keeps padding near 4 %. On a GPU a block of 1,024 texts would be one or two batches, more than half of
# it padding; a few thousand tokens take it as long as handing it the next batch takes the CPU.
_GPU_MAX_PADDING = 1 / 8
_GPU_WORTHWHILE = 8_192
# On a GPU: while one block is computed, another is tokenised, and one is written.
_GPU_BLOCKS_AT_ONCE = 3
# Positions begin at 0, or after the padding token's id, which is small where that is so.
_LATEST_FIRST_POSITION = 16
# Is given which units of what a pass has made are those of which places, by their numbers, and what it is:
# ``[b, n_tokens, units]``.
Take = Callable[[Mapping[int, slice], Any], None]
# Rounding moves hidden states by 1e-6 or so with the shape of a batch; what padding itself moves is orders larger.
_NEUTRAL = 1e-4


class _Loaded:
    """What of a checkpoint is read or loaded at first use; encoders that differ in their names alone share it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.hashes: dict[str, str] | None = None
        self.files: object = None
        self.are_relied_on = False
        self.padding_is_neutral = True
        self.met_layers: tuple[Site, ...] | None = None
        self.ends_in_norm: bool | None = None
        self.reads_types = False
        self.tokenizer: Any = None
        self.model: Any = None
        self.language_model: Any = None


class Encoder:
    """A frozen Hugging Face text encoder.

    Constructing one reads only the checkpoint's small files; the weights are loaded on the encoder thread at first use, so a
    run that finds everything in the cache never loads torch.

    Attributes:
      checkpoint: its files, or the model in memory that it reads.
      name: short name, in the characters LIT allows.
      n_layers: number of places at which it is read: of hidden states, blocks + 1, unless others were asked for (`at`).
      d_model: width of a hidden state.
      head_label_names: the classes of the checkpoint's own classification head, or None.
      max_length: tokens kept per text, special tokens included.
      is_decoder: whether a token sees only what stands before it, so that the last one has seen the whole text.
      keep: which part of a longer text is kept: ``head``, ``tail`` or ``both-ends``; by default the tail for a decoder.
      dtype: the numbers that weights are held in and passes computed in, a name in ``DTYPES``; what is made of them, such as
        pooled vectors, is float32.
      template: what stands around every text, with ``{text}`` in its place, as it was given; None for the text alone.
      chat: what the tokenizer's chat template makes of every message, with ``{text}`` in the text's place; None without one.
      random_seed: the seed by which the weights were drawn; None for those of the checkpoint.
    """

    def __init__(
        self,
        checkpoint: Source,
        *,
        max_length: int | None = None,
        keep: str | None = None,
        device: str = "auto",
        dtype: str = AUTO,
        template: str | None = None,
        chat: bool = False,
    ):
        if keep is not None:
            lookup(KEEPS, keep, "way to keep part of a long text")
        if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", device):
            raise EncoderError(f"Unknown device {device!r}. Choose one of: auto, cpu, cuda, cuda:N.")
        limit = checkpoint.max_tokens
        # The files say how many positions there are; where that limit matters, the architecture says from where it counts them.
        wanted = max_length or min(DEFAULT_MAX_LENGTH, limit or DEFAULT_MAX_LENGTH)
        room = None if checkpoint.counts_from_zero or checkpoint.n_positions is None else checkpoint.n_positions - wanted
        if limit is not None and room is not None and room < _LATEST_FIRST_POSITION:
            limit = min(limit, untrained_position_limit(checkpoint) or limit)
        if max_length is None:
            max_length = min(wanted, limit or wanted)
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
        self.is_decoder = knows_decoder(checkpoint)
        self.keep = keep or ("tail" if self.is_decoder else "head")
        self.dtype = dtype_of(dtype)
        self.random_seed: int | None = None
        self._device_flag = device
        self._loaded = _Loaded()
        self._sites: tuple[Site, ...] = ()
        self._at_layers: Encoder | None = None
        self._prompt: Prompt | None = None
        if chat:
            self._prompt = chat_prompt(self.tokenizer, template, checkpoint.model_id)
        elif template is not None:
            self._prompt = prompt_of(template)
        self.template = template
        self.chat = self._prompt.template if self._prompt is not None and chat else None

    @property
    def has_network(self) -> bool:
        """Whether there are tokens, hidden states and gradients to be asked for, and not vectors alone."""
        return True

    def at(self, sites: Sequence[Site]) -> Encoder:
        """The same encoder, read at these places in the place of its layers. It loads once for both.

        Args:
          sites: one or more, found by `sites_of`; each counts once. What was layer i is now place i of them.

        Raises:
          EncoderError: there are none, or two of them have one name.
        """
        chosen = tuple(dict.fromkeys(sites))
        if not chosen:
            raise EncoderError(f"No place is left at which {self.name} could be read. Name one or more.")
        names = [site.name for site in chosen]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise EncoderError(f"Two places are called {twice!r}. Give each a name of its own, or take both from sites_of.")
        layers = self.at_layers
        if chosen == layers.layers:
            return layers
        twin = copy.copy(layers)
        twin._sites, twin._at_layers, twin.n_layers = chosen, layers, len(chosen)
        return twin

    @property
    def at_layers(self) -> Encoder:
        """The same encoder, read at its layers."""
        return self._at_layers or self

    @property
    def sites(self) -> tuple[Site, ...]:
        """``[n_layers]`` the places at which it is read."""
        return self._sites or self.layers

    @property
    def layers(self) -> tuple[Site, ...]:
        """Its hidden states: ``embeddings``, ``block 1``, and so on."""
        names = (EMBEDDINGS, *(f"block {layer}" for layer in range(1, self.at_layers.n_layers)))
        return tuple(Site(name, LAYERS, layer, self.d_model) for layer, name in enumerate(names))

    @property
    def at_sites(self) -> bool:
        """Whether it is read at other places than all its layers, so that a number alone does not say which one is meant."""
        return bool(self._sites)

    @property
    def layer_names(self) -> tuple[str, ...]:
        """``[n_layers]`` what the places are called.

        The last layer says so where it is read after a norm that follows the last block: ``block 12 (after the final norm)``.
        """
        last = self.at_layers.n_layers - 1
        ends = [AFTER_NORM if (site.family, site.depth) == (LAYERS, last) and self.ends_in_norm else "" for site in self.sites]
        return tuple(f"{site.name}{end}" for site, end in zip(self.sites, ends, strict=True))

    @property
    def widths(self) -> tuple[int, ...]:
        """``[n_layers]`` how many units each place has."""
        return tuple(site.width for site in self._sites) or (self.d_model,) * self.n_layers

    @property
    def ends_in_norm(self) -> bool:
        """Whether the last layer is read after a norm that follows the last block, as transformers gives it.

        Of an architecture that is not a usual one only the model can tell: it is loaded.
        """
        known = self.checkpoint.ends_in_norm
        if known is not None:
            return known
        if self._loaded.ends_in_norm is None:
            short = self.encode(["a"])
            found = on_encoder_thread(ends_in_norm, self.model, lambda: self.at_layers.forward(short).layers)
            self._loaded.ends_in_norm = found
        return self._loaded.ends_in_norm

    @property
    def default_pooling(self) -> str:
        """The pooling that the kind of model asks for: ``last`` for a decoder, whose last token has seen the whole text."""
        return "last" if self.is_decoder else "mean"

    @property
    def template_remark(self) -> str | None:
        """What stands around every text, in a sentence; None for texts alone."""
        if self.chat is not None:
            return f"Every text was read as the chat template writes a user's message: {escaped(self.chat)}"
        return None if self.template is None else f"Every text was read within a template: {escaped(self.template)}"

    @property
    def hashes(self) -> dict[str, str]:
        """sha256 of the checkpoint's ``config``, ``weights`` and ``tokenizer``; of a model in memory, as it was given."""
        if self._loaded.hashes is None:
            self._check_same_files()
            found = self.checkpoint.hashes()
            self._check_same_files()
            self._loaded.hashes = found
        return self._loaded.hashes

    def forget_files(self) -> None:
        """Takes the files as they are now, where no weights have been loaded: they may have been repaired.

        Where results stand on them, only if they hold the same: see `rely_on_files`.
        """
        if self._loaded.model is not None:
            return
        if not self._loaded.are_relied_on:
            self._loaded.hashes = self._loaded.files = self._loaded.tokenizer = None
            return
        now = self.checkpoint.files_now()
        with contextlib.suppress(LitProbeError, OSError):  # torn: as before they are refused when they are loaded
            if self.checkpoint.hashes() == self._loaded.hashes and self.checkpoint.files_now() == now:
                self._loaded.files = now

    def rely_on_files(self) -> None:
        """Notes that there are results of these files, so that no others are loaded in their place."""
        self._loaded.are_relied_on = True

    def _check_same_files(self) -> None:
        """That hashes and weights are of the same files, or results would be kept under the name of other weights.

        Raises:
          EncoderError: the files have changed since they were first read.
        """
        now = self.checkpoint.files_now()
        if self._loaded.files not in (None, now):
            raise EncoderError(f"The files of {self.checkpoint.model_id!r} have changed while they were read.")
        self._loaded.files = now

    @property
    def fingerprint(self) -> str:
        """Hash of all that decides a text's hidden states: weights, configuration, tokenizer, length, keep, dtype, template.

        Raises:
          EncoderError: the weights of a model in memory have changed since it was given.
        """
        self.check_unchanged()
        facts = {**self.hashes, "max_length": self.max_length, "keep": self.keep}
        if self.random_seed is not None:
            facts["random_weights"] = self.random_seed
        if self._sites:
            facts["sites"] = [[one.name, one.width, one.path, one.part, one.number, one.start] for one in self._sites]
        if self.dtype != FLOAT32:
            facts["dtype"] = self.dtype
        if self._prompt is not None:
            facts |= {"template": self._prompt.template, "chat": self.chat is not None}
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    @property
    def tokenizer(self) -> Any:
        """The transformers tokenizer, loaded at first use."""
        with self._loaded.lock:
            if self._loaded.tokenizer is None:
                self._loaded.tokenizer = load_tokenizer(self.checkpoint)
        return self._loaded.tokenizer

    @property
    def _reader(self) -> TextReader:
        return TextReader(self.tokenizer, self.checkpoint.model_id, self.max_length, self.keep, self._prompt)

    @property
    def model(self) -> Any:
        """The transformers model in ``eval()`` mode, loaded at first use. To be used on the encoder thread only.

        Raises:
          EncoderError: it cannot be loaded, or it is in memory and its weights have changed since it was given.
        """
        if self._loaded.model is None:
            on_encoder_thread(self._load)
        self.check_unchanged()
        return self._loaded.model

    def load(self) -> None:
        """Loads tokenizer and weights, where they are not there yet: whatever is asked first would do so.

        Raises:
          EncoderError: they cannot be loaded.
        """
        self.encode([])
        on_encoder_thread(lambda: self.model)

    def check_unchanged(self) -> None:
        """Does nothing if the weights are those that were given. To be asked before a pass, and after it: both may be trained on.

        Raises:
          EncoderError: the weights of a model in memory have changed.
        """
        # Those that were drawn are nobody else's.
        if self.random_seed is None:
            self.checkpoint.check_unchanged()

    def _load(self) -> None:
        # Several threads may have asked at once; on the encoder thread they come one after another.
        if self._loaded.model is None:
            self._check_same_files()
            model = load_model(self.checkpoint, self._device_flag, self.random_seed, self.dtype)
            self._check_same_files()
            self._check_sizes(model)
            try:
                self._loaded.reads_types = _reads_types(model, self.tokenizer)
                short_and_long = self.encode(["a", "a a a a a a a a"])
                self._loaded.padding_is_neutral = _padding_is_neutral(model, short_and_long, self.tokenizer)
                starts = not self.is_decoder or _starts_with_embeddings(model, short_and_long[1])
                self._loaded.met_layers = self._where_layers_are_met(model, short_and_long)
            except (AttributeError, IndexError, RuntimeError, TypeError, ValueError) as error:
                raise EncoderError(f"{self.checkpoint.model_id!r} cannot encode a first pair of texts: {error}") from error
            if not starts:
                kind = self.checkpoint.config.get("model_type")
                raise EncoderError(
                    f"The first hidden state of {self.checkpoint.model_id!r} ({kind}) is not its embeddings: it depends on other "
                    "tokens. Its layers would be numbered wrongly, so it is not read."
                )
            self._loaded.model = model

    def _where_layers_are_met(self, model: Any, texts: Sequence[EncodedText]) -> tuple[Site, ...] | None:
        batch = padded_batch(texts, filler_id(self.tokenizer), model.device, with_types=False)
        found = met_layers(model, lambda with_layers: _run(model, batch, with_layers=with_layers))
        return found if found is not None and len(found) == self.at_layers.n_layers else None

    def _check_sizes(self, model: Any) -> None:
        """That tokenizer, embedding and ``max_length`` belong together.

        Raises:
          EncoderError: they do not.
        """
        n_ids, n_rows = max(self.tokenizer.get_vocab().values()) + 1, model.get_input_embeddings().weight.shape[0]
        if n_ids > n_rows:
            raise EncoderError(
                f"The tokenizer of {self.checkpoint.model_id!r} has {n_ids:,} ids, but the embedding of the weights has "
                f"{n_rows:,} rows, so they do not belong together. {self.checkpoint.tokenizer_advice}"
            )
        limit = position_limit(model)
        if limit is not None and self.max_length > limit:
            raise EncoderError(
                f"max_length is {self.max_length}, but the position embeddings of {self.checkpoint.model_id!r} have room for "
                f"{limit} tokens. Use --max_length={limit}."
            )

    @property
    def n_weight_bytes(self) -> int:
        """What its weights will take in memory, at most; 0 for those of a model that is in memory already. Loads none."""
        if self.checkpoint.in_memory and self.random_seed is None:
            return 0
        return self.checkpoint.n_parameters * DTYPES[self.dtype]

    @property
    def token_budget(self) -> int:
        """Padded tokens per forward pass."""
        return self.batch_rule.max_tokens

    @property
    def batch_rule(self) -> BatchRule:
        """How large a batch may become on its device."""
        if self.model.device.type == "cpu":
            return BatchRule(_CPU_TOKEN_BUDGET)
        return BatchRule(_GPU_TOKEN_BUDGET, _GPU_MAX_PADDING, _GPU_WORTHWHILE)

    @property
    def blocks_at_once(self) -> int:
        """How many blocks of texts may be made at once, so that a GPU need not wait for the CPU. Loads no weights."""
        model = self._loaded.model
        return 1 if model is None or model.device.type == "cpu" else _GPU_BLOCKS_AT_ONCE

    def named(self, name: str) -> Encoder:
        """The same encoder under another name: it loads once for both."""
        twin = copy.copy(self)
        twin.name = name
        if self._at_layers is not None:
            twin._at_layers = self._at_layers.named(name)
        return twin

    def randomised(self, seed: int) -> Encoder:
        """The same architecture and tokenizer with random weights, drawn as the configuration says: a baseline for probes.

        What its layers let a probe decode comes from the words and the architecture, not from training
        (Zhang & Bowman 2018, https://aclanthology.org/W18-5448).

        Raises:
          LitProbeError: the seed is no whole number from 0 to 2^32 - 1.
        """
        seed = checked_seed(seed)
        twin = Encoder(
            self.checkpoint,
            max_length=self.max_length,
            keep=self.keep,
            device=self._device_flag,
            dtype=self.dtype,
            template=self.template,
            chat=self.chat is not None,
        )
        twin.name = f"{self.name}-random-{seed}"
        twin.head_label_names = None
        twin.random_seed = seed
        return twin.at(self._sites) if self._sites else twin

    @property
    def why_no_masked_lm(self) -> str | None:
        """Why ``fill_mask`` cannot be asked, or None where the checkpoint is a masked language model. Loads no weights."""
        if self.random_seed is not None:
            return f"{self.name} has random weights."
        if language_task(self.checkpoint.config) != MASKED:
            return f"{self.name} has no masked-language-model head: its {self._named_architectures}."
        if self.tokenizer.mask_token_id is None:
            return f"The tokenizer of {self.name} has no mask token."
        return None

    @property
    def why_no_language_model(self) -> str | None:
        """Why ``language_model`` cannot be asked, or None where the checkpoint has such a head. Loads no weights."""
        if self.random_seed is not None:
            return f"{self.name} has random weights, and no head was trained for them."
        if self.checkpoint.is_encoder_stack:
            return f"{self.name} is an encoder–decoder, of which the encoder stack is read; its head reads the decoder."
        if language_task(self.checkpoint.config) is None:
            return f"{self.name} has no language-model head: its {self._named_architectures}."
        return None

    @property
    def _named_architectures(self) -> str:
        architectures = self.checkpoint.config.get("architectures") or ["no architecture"]
        return f"{self.checkpoint.config_name} names {', '.join(architectures)}"

    @property
    def language_task(self) -> str | None:
        """What its language-model head says: ``masked``, what a place holds; ``next``, what comes after it; None without one."""
        return None if self.why_no_language_model else language_task(self.checkpoint.config)

    @property
    def language_model(self) -> Any:
        """The model with its language-model head, which is loaded at first use; it shares the encoder's weights.

        To be used on the encoder thread only.

        Raises:
          EncoderError: there is no such head (``why_no_language_model``), or it cannot be loaded.
        """
        if self.why_no_language_model:
            raise EncoderError(self.why_no_language_model)

        def load() -> Any:
            if self._loaded.language_model is None:
                self._loaded.language_model = load_language_model(
                    self.checkpoint, self.model, masked=self.language_task == MASKED, dtype=self.dtype
                )
            self.check_unchanged()
            return self._loaded.language_model

        return on_encoder_thread(load)

    def fill_mask(self, texts: Sequence[EncodedText]) -> NDArray[np.float32]:
        """``[n_texts, n_vocabulary]`` how probable each token is, to the checkpoint's own head, in place of the mask token.

        The head is loaded at first use; it shares the encoder's weights.

        Args:
          texts: each with exactly one mask token among its ids, those of a template aside.

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
        check_layer(layer, self.n_layers, self.name, self.layer_names if self.at_sites else None)

    def encode(self, texts: Sequence[str], *, with_tokens: bool = False) -> list[EncodedText]:
        """Tokenises texts and cuts each to ``max_length`` tokens.

        A template's tokens stand around those of the text; they are marked, and never cut. The ids are those that the tokenizer
        gives to the whole prompt.

        A pair (`data.text_pairs`) becomes what the tokenizer makes of two texts, with its special tokens between them; where it
        is too long, the longer of the two loses tokens first. Offsets count in the joined text.

        Args:
          texts: any strings; lone surrogates are replaced, an empty text gives special tokens alone.
          with_tokens: also return the tokens as strings and their character offsets (slower).

        Raises:
          EncoderError: there is a pair, and the tokenizer has no form for pairs; or a pair and a template, or a template that
            leaves no room for a text.
        """
        return self._reader.encode(texts, with_tokens)

    def unknown(self, encoded: Sequence[EncodedText]) -> list[float]:
        """``[n_texts]`` the share of each text's own tokens that the vocabulary cannot spell, 0 to 1; 0 without tokens."""
        unknown = self.tokenizer.unk_token_id
        content = [[i for i, special in zip(text.ids, text.special, strict=True) if not special] for text in encoded]
        return [ids.count(unknown) / len(ids) if ids else 0.0 for ids in content]

    def forward(self, batch: Sequence[EncodedText]) -> HiddenStates:
        """One forward pass over a batch, on the encoder thread.

        Raises:
          EncoderError: the checkpoint returns other than one hidden state per layer, or a place is not met.
        """
        found: dict[int, Any] = {}

        def keep(units_of: Mapping[int, slice], states: Any) -> None:
            # A model may write over what stands between its layers.
            kept = states.clone() if self._sites else states
            found.update((place, kept[..., units]) for place, units in units_of.items())

        def run() -> tuple[PaddedBatch, Any]:
            padded = self.padded(batch)
            return padded, self.run(padded, keep)

        padded, head_logits = on_encoder_thread(run)
        states = tuple(found[place] for place in range(self.n_layers))
        return HiddenStates(states, padded.attention_mask, padded.special_tokens_mask, head_logits, padded.template_mask)

    def run(self, batch: PaddedBatch, take: Take) -> Any:
        """One forward pass over a batch, of which nothing is kept. To be called on the encoder thread.

        Args:
          batch: the texts, from `padded`.
          take: is handed every place at which the encoder is read, as soon as it is there; places that are units of one tensor
            together.

        Returns:
          ``[b, n_head_classes]`` of the checkpoint's own classification head, or None.

        Raises:
          EncoderError: as of `forward`.
        """
        number = {site: place for place, site in enumerate(self._sites)}
        within = [site for site in self._sites if site.family != LAYERS]
        n_hidden = self.at_layers.n_layers
        place_of_layer = {site.depth: number[site] for site in self._sites if site.family == LAYERS}
        if not self._sites:
            place_of_layer = {layer: layer for layer in range(n_hidden)}
        n_met = 0

        def meet(some: Sequence[Site], tensor: Any) -> None:
            nonlocal n_met
            n_met += len(some)
            take({number[site]: site.units for site in some}, states_at(some, tensor, batch))

        def meet_layer(some: Sequence[Site], tensor: Any) -> None:
            nonlocal n_met
            n_met += len(some)
            states = self._of_the_text(some[0].depth, tensor, batch)
            for site in some:
                take({place_of_layer[site.depth]: slice(None)}, states)

        model = self.model
        met_layers = self._loaded.met_layers
        layers = [] if met_layers is None else [met_layers[layer] for layer in place_of_layer]
        try:
            with meeting(model, within, meet), meeting(model, layers, meet_layer):
                output = _run(model, batch, with_layers=met_layers is None)
        except (IndexError, RuntimeError, TypeError) as error:
            raise EncoderError(
                f"{self.checkpoint.model_id!r} cannot encode a batch of {len(batch.ids)} texts: {error}"
            ) from error
        if met_layers is None and len(output.hidden_states) != n_hidden:
            raise EncoderError(
                f"{self.checkpoint.model_id!r} returned {len(output.hidden_states)} hidden states where its "
                f"{self.checkpoint.config_name} promises {n_hidden} (embeddings and one per block); lit_probe cannot number "
                "its layers."
            )
        if n_met != len(within) + len(layers):
            raise EncoderError(f"{self.checkpoint.model_id!r} did not run as it did when its sites were looked for.")
        self.check_unchanged()
        if met_layers is None:
            hidden = [self._of_the_text(layer, states, batch) for layer, states in enumerate(output.hidden_states)]
            for layer, place in place_of_layer.items():
                take({place: slice(None)}, hidden[layer])
        return getattr(output, "logits", None)

    def batches(self, encoded: Sequence[EncodedText]) -> Iterator[list[int]]:
        """Indices of texts of like length, batch by batch, as `batch_rule` has it.

        Where padding would change a text's hidden states (architectures that mix or convolve over all positions), a batch holds
        texts of equal length only. A text without any token (the tokenizer adds no special ones) is in no batch.
        """
        order = sorted((i for i, text in enumerate(encoded) if text.ids), key=lambda i: -len(encoded[i].ids))
        lengths = [len(encoded[i].ids) for i in order]
        rule = self.batch_rule  # loading the model tells whether padding is neutral
        for batch in cut_into_batches(lengths, rule, same_length=not self._loaded.padding_is_neutral):
            yield order[batch]

    def padded(self, batch: Sequence[EncodedText]) -> PaddedBatch:
        """The batch as the model reads it, on its device."""
        model = self.model  # loading it tells whether it reads token types
        return padded_batch(batch, filler_id(self.tokenizer), model.device, with_types=self._loaded.reads_types)

    def _fill_mask(self, texts: Sequence[EncodedText]) -> NDArray[np.float32]:
        import torch

        model = self.language_model
        found = np.empty((len(texts), model.config.vocab_size), dtype=np.float32)
        for length in sorted({len(text.ids) for text in texts}):
            alike = [i for i, text in enumerate(texts) if len(text.ids) == length]
            # Logits are as wide as the vocabulary, so a batch is small on a GPU too. None is padded.
            step = max(1, _CPU_TOKEN_BUDGET // length)
            for rows in (alike[start : start + step] for start in range(0, len(alike), step)):
                batch = self.padded([texts[i] for i in rows])
                with torch.inference_mode():
                    logits = model(**batch.model_inputs).logits
                    masked = batch.ids == self.tokenizer.mask_token_id
                    at_mask = logits[masked if batch.template_mask is None else masked & ~batch.template_mask]
                    found[rows] = at_mask.float().softmax(dim=-1).cpu().numpy()
        self.check_unchanged()
        return found

    def _of_the_text(self, layer: int, hidden: Any, padded: PaddedBatch) -> Any:
        """``[b, n_tokens, d_model]`` of a layer. An architecture that pads to whole chunks gives more tokens.

        Raises:
          EncoderError: the hidden state has fewer tokens than the text, or another width.
        """
        rows, tokens = padded.ids.shape
        if hidden.ndim != 3 or hidden.shape[0] != rows or hidden.shape[1] < tokens or hidden.shape[2] != self.d_model:
            raise EncoderError(
                f"Layer {layer} of {self.checkpoint.model_id!r} gives {list(hidden.shape)} for {rows} texts of {tokens} "
                f"tokens, where [{rows}, {tokens}, {self.d_model}] is expected: one vector per token."
            )
        return hidden if hidden.shape[1] == tokens else hidden[:, :tokens]


def load_encoder(
    model_id: str,
    revision: str | None = None,
    *,
    max_length: int | None = None,
    keep: str | None = None,
    device: str = "auto",
    dtype: str = AUTO,
    trust_remote_code: bool = False,
    cache_dir: str | Path | None = None,
    template: str | None = None,
    chat: bool = False,
) -> Encoder:
    """Finds a text encoder or decoder by hub id or local folder. Weights load at first use.

    Args:
      model_id: a Hugging Face hub id, a folder, a GGUF file, or ``smollm2``, a small decoder that comes as a package.
      revision: a hub branch, tag or commit.
      max_length: tokens kept per text, special tokens included; by default 256, or what the model can read if that is less.
      keep: which part of a longer text is kept: ``head``, ``tail`` or ``both-ends``; by default the head for an encoder, and for
        a decoder, of which the last token is pooled, the tail.
      device: ``auto`` (CUDA when there is one), ``cpu``, ``cuda`` or ``cuda:1``.
      dtype: ``float32``, ``bfloat16`` or ``float16``, whatever the files hold: weights and hidden states in one of the last two
        take half the memory. ``auto`` is float32.
      trust_remote_code: run Python code that comes with the checkpoint.
      cache_dir: where a GGUF file is converted to, once; see `find_gguf`.
      template: what stands around every text, with ``{text}`` in its place: ``"Review: {text}\\nSentiment:"``.
      chat: read every text as a user's message, as the tokenizer's chat template writes it, up to where the answer begins; a
        template stands within the message. Loads the tokenizer.

    Raises:
      EncoderError: see ``find_checkpoint`` and ``find_gguf``; also for a ``max_length`` that the model cannot read, a template
        without its ``{text}``, and chat without a chat template.
    """
    if file := gguf_file(model_id):
        if revision is not None:
            raise EncoderError(f"{model_id!r} is a local file, which has no revision {revision!r}. Leave out the revision.")
        checkpoint = find_gguf(model_id, file, convert_gguf, cache_dir)
    else:
        checkpoint = find_checkpoint(model_id, revision, trust_remote_code=trust_remote_code)
    return Encoder(checkpoint, max_length=max_length, keep=keep, device=device, dtype=dtype, template=template, chat=chat)


def encoder_of(
    model: Any,
    tokenizer: Any,
    *,
    name: str | None = None,
    max_length: int | None = None,
    keep: str | None = None,
    dtype: str = AUTO,
    template: str | None = None,
    chat: bool = False,
) -> Encoder:
    """A text encoder of a transformers model and a tokenizer that are in memory.

    Neither is touched: the encoder reads a copy of both, which shares the weights' memory and runs on their device. It stands for
    the weights as they are now. Once they are trained on it refuses to answer, and has to be made again.

    Args:
      model: a transformers model. Its body is read; a classification head with two or more exclusive classes is its own head.
      tokenizer: its tokenizer, in the fast form.
      name: what it is called; by default where it was loaded from, or its class, with ``-in-memory``.
      max_length: tokens kept per text, special tokens included; by default 256, or what the model can read if that is less.
      keep: which part of a longer text is kept; see `load_encoder`.
      dtype: in which numbers its weights are read; see `load_encoder`. Weights of another kind are copied, those of this kind
        stay where they are.
      template: what stands around every text; see `load_encoder`.
      chat: read every text as a user's message; see `load_encoder`.

    Raises:
      EncoderError: these are no model and tokenizer, they do not belong together, or it is no text encoder that can be read.
    """
    source = on_encoder_thread(given, model, tokenizer, name, dtype_of(dtype))
    encoder = Encoder(source, max_length=max_length, keep=keep, dtype=dtype, template=template, chat=chat)
    # It is in memory, so what may be wrong is said at the door.
    _ = encoder.model
    return encoder


def as_encoder(one: Any, dtype: str = AUTO) -> Encoder:
    """The encoder that a program means: by a hub id, a folder, a pair (model, tokenizer) of transformers, or itself.

    Args:
      one: any of these.
      dtype: as of `load_encoder`; a ready encoder has its own.

    Raises:
      EncoderError: it is none of these, or cannot be loaded; or it is an encoder of another dtype.
    """
    wanted = dtype_of(dtype)
    match one:
        case Encoder():
            if dtype != AUTO and wanted != one.dtype:
                raise EncoderError(f"{one.name} is read in {one.dtype} already. Give dtype={dtype!r} to what has loaded it.")
            return one
        case str() | os.PathLike():
            return load_encoder(os.fspath(one), dtype=dtype)
        case (model, tokenizer) if isinstance(one, tuple) and not isinstance(model, str | Encoder):
            return encoder_of(model, tokenizer, dtype=dtype)
    raise EncoderError(
        f"A model of type {type(one).__name__} cannot be read alone. Give a Hugging Face id, a local folder, "
        "encoder_of(model, tokenizer) or a list of these, or ready LIT models by name."
    )


def filler_id(tokenizer: Any) -> int | None:
    """The token that fills a batch behind the mask: the padding token, or the end of text where a tokenizer has none."""
    found: int | None = tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id
    return found


def _run(model: Any, batch: PaddedBatch, *, with_layers: bool = True) -> Any:
    """The model's output for one batch, with the hidden states of all layers or without."""
    import torch

    with torch.inference_mode():
        return model(**batch.model_inputs, output_hidden_states=with_layers)


def _reads_types(model: Any, tokenizer: Any) -> bool:
    """Whether the tokenizer makes token type ids for the model, and the model takes them."""
    return "token_type_ids" in tokenizer.model_input_names and "token_type_ids" in inspect.signature(model.forward).parameters


def _padding_is_neutral(model: Any, short_and_long: Sequence[EncodedText], tokenizer: Any) -> bool:
    """Whether a short text has the same hidden states alone and padded beside a long one.

    In half precision another shape rounds otherwise, by as much as padding may change. There the shape stays, and other tokens
    stand in place of the padding: whoever does not read them has the same numbers to the last digit.
    """
    import torch

    short, long = short_and_long
    filler = filler_id(tokenizer)
    other = next((i for i in long.ids if i != (filler or 0)), filler)
    whole = model.dtype == torch.float32
    batches = [([short], filler), ([short, long], filler)] if whole else [([short, long], filler), ([short, long], other)]
    one, two = (_run(model, padded_batch(batch, token, model.device, with_types=False)).hidden_states for batch, token in batches)
    n = len(short.ids)

    def alike(a: Any, b: Any) -> bool:
        # A token on which attention rests may be a thousand times longer than the others, and so is its rounding.
        size = b.abs().amax(dim=-1).clamp(min=1.0)
        return bool(((a - b).abs().amax(dim=-1) < _NEUTRAL * size).all())

    return all(alike(a[0, :n], b[0, :n]) for a, b in zip(one, two, strict=True))


def _starts_with_embeddings(model: Any, text: EncodedText) -> bool:
    """Whether the first hidden state of a token is the same beside another token; as far as a text of one token tells.

    transformers leaves the embeddings out for state-space models (mamba, rwkv): theirs begin with what the first block makes.
    """
    if len(text.ids) < 2:
        return True
    before = 0 if text.ids[-2] else 1
    other = replace(text, ids=[*text.ids[:-2], before, text.ids[-1]])
    first = _run(model, padded_batch([text, other], None, model.device, with_types=False)).hidden_states[0]
    return bool((first[0, -1] == first[1, -1]).all())


# Threads that the tokenizer's own pool has started do not survive a fork; say so to the library before it asks on stderr.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")

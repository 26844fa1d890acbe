"""Tiny randomly initialised decoders, and encoder–decoders of which the encoder stack is read, as local checkpoints.

Their tokenizers read bytes, as most decoders' do: a token may begin with the space before its word. Those of gpt2's kind add no
special tokens and have no padding token.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers
from tiny_encoders import D_MODEL, MAX_POSITIONS, SIZES
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

N_BLOCKS = 2

_SIZES = {**SIZES, "num_hidden_layers": N_BLOCKS}
_GROUPED = {**_SIZES, "num_key_value_heads": 2}
_HEADS = {"encoder_attention_heads": 4, "decoder_attention_heads": 4, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48}

DECODER_CONFIGS = {
    "gpt2": lambda **kw: transformers.GPT2Config(n_layer=N_BLOCKS, n_embd=D_MODEL, n_head=4, n_positions=MAX_POSITIONS, **kw),
    "gpt_neox": lambda **kw: transformers.GPTNeoXConfig(**_SIZES, **kw),
    "opt": lambda **kw: transformers.OPTConfig(
        num_hidden_layers=N_BLOCKS,
        hidden_size=D_MODEL,
        word_embed_proj_dim=D_MODEL,
        num_attention_heads=4,
        ffn_dim=48,
        max_position_embeddings=MAX_POSITIONS,
        **kw,
    ),
    "bloom": lambda **kw: transformers.BloomConfig(n_layer=N_BLOCKS, hidden_size=D_MODEL, n_head=4, **kw),
    "llama": lambda **kw: transformers.LlamaConfig(**_GROUPED, **kw),
    # Texts of the tests are longer than its window.
    "mistral": lambda **kw: transformers.MistralConfig(**_GROUPED, sliding_window=4, **kw),
    "qwen2": lambda **kw: transformers.Qwen2Config(**_GROUPED, **kw),
    "qwen3": lambda **kw: transformers.Qwen3Config(**_GROUPED, head_dim=8, **kw),
    "gemma2": lambda **kw: transformers.Gemma2Config(**_GROUPED, head_dim=8, sliding_window=4, **kw),
    "phi": lambda **kw: transformers.PhiConfig(**_SIZES, **kw),
}
STACK_CONFIGS = {
    "t5": lambda **kw: transformers.T5Config(
        d_model=D_MODEL, d_ff=48, d_kv=8, num_layers=N_BLOCKS, num_heads=4, decoder_start_token_id=0, **kw
    ),
    "bart": lambda **kw: transformers.BartConfig(
        d_model=D_MODEL,
        encoder_layers=N_BLOCKS,
        decoder_layers=N_BLOCKS + 1,
        max_position_embeddings=MAX_POSITIONS,
        decoder_start_token_id=1,
        **_HEADS,
        **kw,
    ),
}
DECODERS = tuple(DECODER_CONFIGS)
STACKS = tuple(STACK_CONFIGS)

# Which special tokens a family's tokenizer adds: before the text, after it.
_ADDED = {"llama": (1, 0), "mistral": (1, 0), "gemma2": (1, 0), "opt": (1, 0), "bart": (1, 1), "t5": (0, 1)}
# Those whose tokenizer has no padding token.
WITHOUT_PADDING = ("gpt2", "gpt_neox", "llama", "phi")

_SENTENCES = (
    "the movie was not very good but the ending is fine and i loved it",
    "a dull film with an awful plot and bad acting, and it never ends",
    "we hated the slow scenes and the loud music, but the story is great!",
    "one of the best films of all time: funny, sad and fast",
)


def build(folder: Path, architecture: str, *, seed: int = 0, n_classes: int = 0, headless: bool = False, **changes: Any) -> Path:
    """Saves a tiny model with a byte-level tokenizer and returns its folder.

    Args:
      folder: where.
      architecture: a name in ``DECODER_CONFIGS`` or ``STACK_CONFIGS``.
      seed: of the weights.
      n_classes: a classification head with so many classes in place of the language model's.
      headless: without any head.
      changes: entries of the configuration.
    """
    tokenizer = byte_tokenizer(architecture)
    torch.manual_seed(seed)
    ids = {"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": tokenizer.pad_token_id}
    config = {**DECODER_CONFIGS, **STACK_CONFIGS}[architecture](vocab_size=len(tokenizer), **{**ids, **changes})
    if n_classes:
        config.id2label = {i: f"class {i}" for i in range(n_classes)}
        config.label2id = {name: i for i, name in config.id2label.items()}
        kind = transformers.AutoModelForSequenceClassification
    elif headless:
        kind = transformers.AutoModel
    else:
        kind = transformers.AutoModelForSeq2SeqLM if architecture in STACK_CONFIGS else transformers.AutoModelForCausalLM
    model = kind.from_config(config)
    # As small as they are drawn, matrices hardly move what passes through two blocks.
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(4)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def byte_tokenizer(architecture: str) -> transformers.PreTrainedTokenizerFast:
    """A byte-level tokenizer with the special tokens of the architecture's kind."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|endoftext|>", "<pad>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_SENTENCES, trainer)
    before, after = _ADDED.get(architecture, (0, 0))
    end = ["<|endoftext|>"]
    tokenizer.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(single=[*end * before, "$A", *end * after], special_tokens=[("<|endoftext|>", 0)]),
        ]
    )
    pad = {} if architecture in WITHOUT_PADDING else {"pad_token": "<pad>"}
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<|endoftext|>", eos_token="<|endoftext|>", **pad
    )

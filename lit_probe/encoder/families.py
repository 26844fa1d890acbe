"""What a configuration says of its architecture's family: encoder, decoder, or an encoder–decoder of which one half is read.

The usual model types are listed, so that neither torch nor transformers need be loaded to ask. None stands for a type that is
not listed: `encoder/loading` asks transformers, or the loaded model itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lit_probe.errors import EncoderError

# Model types that exist only as left-to-right decoders.
_DECODERS = frozenset(
    """
    bloom codegen cohere cohere2 ctrl falcon falcon_mamba gemma gemma2 gemma3_text gpt2 gpt_bigcode gpt_neo gpt_neox gpt_oss gptj
    granite llama llama4_text mamba mamba2 mistral mixtral mpt olmo olmo2 openai-gpt opt persimmon phi phi3 qwen2 qwen2_moe qwen3
    qwen3_moe rwkv smollm3 stablelm starcoder2 xglm
    """.split()
)

# Model types whose tokens see the whole text, unless the configuration says ``is_decoder``.
_ENCODERS = frozenset(
    """
    albert bert big_bird camembert canine convbert deberta deberta-v2 distilbert electra ernie eurobert flaubert fnet funnel ibert
    layoutlm longformer luke megatron-bert mobilebert modernbert mpnet mra nezha nomic_bert nystromformer rembert roberta
    roberta-prelayernorm roformer squeezebert xlm xlm-roberta xlm-roberta-xl xmod yoso
    """.split()
)

# Encoder–decoders whose encoder stack is read.
ENCODER_STACKS = frozenset("bart mbart mt5 t5 umt5".split())

# What a language model's head says: what stands in a place, or what comes after it.
MASKED, NEXT = "masked", "next"
_HEADS = {"ForMaskedLM": MASKED, "ForCausalLM": NEXT, "LMHeadModel": NEXT}

# Whether the last hidden state has passed a norm that stands after the last block. `encoder/final_norm` finds the same.
_END_IN_A_NORM = frozenset("bloom gemma2 gpt2 gpt_neox llama mistral modernbert mt5 phi qwen2 qwen3 t5 umt5".split())
_END_IN_A_BLOCK = frozenset("albert bart bert camembert deberta deberta-v2 distilbert electra mpnet roberta xlm-roberta".split())


def is_decoder(config: Mapping[str, Any]) -> bool | None:
    """Whether a token sees only what stands before it; None where the model type is not listed.

    >>> is_decoder({"model_type": "gpt2"}), is_decoder({"model_type": "bert"}), is_decoder({"model_type": "other"})
    (True, False, None)
    >>> is_decoder({"model_type": "bert", "is_decoder": True}), is_decoder({"model_type": "t5"})
    (True, False)
    """
    kind = config.get("model_type")
    if kind in _DECODERS or config.get("is_decoder"):
        return True
    if kind in _ENCODERS or kind in ENCODER_STACKS:
        return False
    return True if "CausalLM" in " ".join(config.get("architectures") or []) else None


def ends_in_norm(config: Mapping[str, Any]) -> bool | None:
    """Whether the last hidden state has passed a norm after the last block; None where the model type is not listed."""
    kind = config.get("model_type")
    return True if kind in _END_IN_A_NORM else False if kind in _END_IN_A_BLOCK else None


def language_task(config: Mapping[str, Any]) -> str | None:
    """What the head of a language model says, by the names of its architectures: `MASKED` or `NEXT`; None without such a head.

    >>> language_task({"architectures": ["GPT2LMHeadModel"]}), language_task({"architectures": ["BertModel"]})
    ('next', None)
    """
    named = config.get("architectures") or []
    return next((task for end, task in _HEADS.items() if any(str(name).endswith(end) for name in named)), None)


def refuse_unread_halves(config: Mapping[str, Any], name: str) -> None:
    """Does nothing if the configuration is that of a model whose layers can be read.

    Raises:
      EncoderError: it is the decoder half of an encoder–decoder, or an encoder–decoder of another family than those read.
    """
    kind = config.get("model_type", "unknown")
    architecture = next(iter(config.get("architectures") or []), "")
    half = config.get("is_decoder") or architecture.endswith(("Decoder", "DecoderWrapper", "ForCausalLM"))
    if kind in ENCODER_STACKS and half:
        raise EncoderError(
            f"{name!r} is the decoder half of an encoder–decoder ({kind}), which reads what its encoder makes of a text. Give "
            "the whole model: its encoder stack is read."
        )
    if config.get("is_encoder_decoder") and kind not in ENCODER_STACKS:
        raise EncoderError(
            f"{name!r} is an encoder–decoder ({kind}). Of these the encoder stack is read for "
            f"{', '.join(sorted(ENCODER_STACKS))} only; give one of them, an encoder or a decoder."
        )

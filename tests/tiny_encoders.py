"""Tiny randomly initialised encoders of every tested architecture, built from configs and saved as local checkpoints."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

N_BLOCKS = 3
D_MODEL = 32
MAX_POSITIONS = 64

SIZES = {
    "num_hidden_layers": N_BLOCKS,
    "hidden_size": D_MODEL,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": MAX_POSITIONS,
}
_DISTILBERT_SIZES = {
    "n_layers": N_BLOCKS,
    "dim": D_MODEL,
    "n_heads": 4,
    "hidden_dim": 48,
    "max_position_embeddings": MAX_POSITIONS,
}

CONFIGS = {
    "bert": lambda **kw: transformers.BertConfig(**SIZES, **kw),
    "distilbert": lambda **kw: transformers.DistilBertConfig(**_DISTILBERT_SIZES, **kw),
    "roberta": lambda **kw: transformers.RobertaConfig(**SIZES, **kw),
    "electra": lambda **kw: transformers.ElectraConfig(embedding_size=16, **SIZES, **kw),
    "deberta-v2": lambda **kw: transformers.DebertaV2Config(
        relative_attention=True, pos_att_type=["p2c", "c2p"], position_buckets=8, type_vocab_size=0, **SIZES, **kw
    ),
    "modernbert": lambda **kw: transformers.ModernBertConfig(local_attention=8, global_attn_every_n_layers=2, **SIZES, **kw),
}
ARCHITECTURES = tuple(CONFIGS)

_SINGLE, _SIGNS = "[CLS] $A [SEP]", [("[CLS]", 2), ("[SEP]", 3)]
_TYPED, _UNTYPED = ["input_ids", "token_type_ids", "attention_mask"], ["input_ids", "attention_mask"]
_PAIR_FORMS = {
    "bert": ("[CLS] $A [SEP] $B:1 [SEP]:1", _TYPED),
    "distilbert": ("[CLS] $A [SEP] $B:1 [SEP]:1", _UNTYPED),
    "modernbert": ("[CLS] $A [SEP] $B [SEP]", _UNTYPED),
    "roberta": ("[CLS] $A [SEP] [SEP] $B [SEP]", _UNTYPED),
}

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
DEFAULT_WORDS = (
    "a an the film movie story acting plot was is not very good bad great awful fine dull but and it i we they loved hated never "
    "always best worst scene music ending slow fast funny sad little more than what one of to in for with"
).split()


def build(
    folder: Path,
    architecture: str = "bert",
    words: Sequence[str] = DEFAULT_WORDS,
    *,
    seed: int = 0,
    n_classes: int = 0,
    own_pair_form: bool = False,
) -> Path:
    """Saves a tiny encoder with a word-piece tokenizer over ``words`` (and letters) and returns its folder.

    With ``own_pair_form`` its tokenizer joins two texts as that of the architecture does.
    """
    tokenizer = _tokenizer(words)
    if own_pair_form:
        pair, names = _PAIR_FORMS.get(architecture, _PAIR_FORMS["bert"])
        tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
            single=_SINGLE, pair=pair, special_tokens=_SIGNS
        )
    torch.manual_seed(seed)
    ids = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3, "cls_token_id": 2, "sep_token_id": 3}
    if architecture != "modernbert":
        del ids["cls_token_id"], ids["sep_token_id"]
    config = CONFIGS[architecture](vocab_size=len(tokenizer), **ids)
    if n_classes:
        config.id2label = {i: f"class {i}" for i in range(n_classes)}
        config.label2id = {name: i for i, name in config.id2label.items()}
        model = transformers.AutoModelForSequenceClassification.from_config(config)
    else:
        model = transformers.AutoModel.from_config(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    if own_pair_form:
        settings = folder / "tokenizer_config.json"
        settings.write_text(json.dumps({**json.loads(settings.read_text()), "model_input_names": names}))
    return folder


def words_of(texts: Sequence[str]) -> list[str]:
    """The distinct words and signs of the texts, for a vocabulary."""
    return sorted({word for text in texts for word in re.findall(r"\w+|[^\w\s]", text.lower())})


def _tokenizer(words: Sequence[str]) -> transformers.PreTrainedTokenizerFast:
    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,!?'-"
    vocabulary = [*SPECIAL, *dict.fromkeys([*words, *letters, *("##" + letter for letter in letters)])]
    tokenizer = Tokenizer(models.WordPiece({word: i for i, word in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=_SINGLE, pair="[CLS] $A [SEP] $B [SEP]", special_tokens=_SIGNS
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )

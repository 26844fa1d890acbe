"""Tiny language models: encoders with a head that fills masks. Decoders have theirs by `tiny_decoders.build`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tiny_encoders
import torch
import transformers


def build_masked(folder: Path, architecture: str = "bert", *, favourite: str | None = None, **changes: Any) -> Path:
    """Saves a tiny encoder with a random masked-language-model head and returns its folder.

    Args:
      folder: where.
      architecture: a name in ``tiny_encoders.ARCHITECTURES``.
      favourite: a word that the head's bias favours.
      changes: entries of the configuration, or ``words`` of the vocabulary.
    """
    words = {name: changes.pop(name) for name in ("words",) if name in changes}
    tiny_encoders.build(folder, architecture, **words)
    config = transformers.AutoConfig.from_pretrained(folder)
    for name, value in changes.items():
        setattr(config, name, value)
    torch.manual_seed(1)
    model = transformers.AutoModelForMaskedLM.from_config(config)
    with torch.no_grad():
        # As small as they are drawn, matrices hardly move what passes through them.
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(4)
        if favourite is not None:
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
            model.get_output_embeddings().bias[tokenizer.convert_tokens_to_ids(favourite)] = 9.0
    model.save_pretrained(folder)
    return folder

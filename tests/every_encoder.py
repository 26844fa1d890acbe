"""Tiny encoders of every tested architecture, and what stands at any place of theirs, by hooks written by hand."""

from __future__ import annotations

from pathlib import Path

import tiny_decoders
import tiny_encoders

from lit_probe.encoder.encoder import Encoder, load_encoder
from lit_probe.encoder.site_search import sites_of
from lit_probe.encoder.sites import FAMILIES, LAYERS, Site
from lit_probe.errors import LitProbeError

EVERY = (*tiny_encoders.ARCHITECTURES, *tiny_decoders.DECODERS, *tiny_decoders.STACKS)
TEXTS = ["a very good film", "dull", "the plot is slow and the acting is bad", "loved it !"]


def opened(folder: Path, architecture: str, **options) -> Encoder:
    """A tiny encoder, built into the folder."""
    tiny = tiny_encoders if architecture in tiny_encoders.ARCHITECTURES else tiny_decoders
    return load_encoder(str(tiny.build(folder / architecture, architecture, **options)))


def everywhere(encoder: Encoder) -> tuple[Site, ...]:
    """Places of all families, what every module gives and what it is given, as far as they have a vector for each token."""
    found = dict.fromkeys(sites_of(encoder, list(FAMILIES)))
    for path, _ in encoder.model.named_modules():
        for part in ("", ":input"):
            try:
                found |= dict.fromkeys(sites_of(encoder, [f"module:{path}{part}"]) if path else ())
            except LitProbeError as error:
                assert any(words in str(error) for words in ("no vector for each", "that runs has a path")), error
    return tuple(found)


def read_by_hand(encoder: Encoder, site: Site, batch) -> list:
    """``[b, n_tokens, width]`` of one place in a pass over a batch: a layer as transformers gives it, else by a hook.

    Call it on the encoder thread.
    """
    import torch

    got, n_calls = [], 0

    def keep(_, args, kwargs, output):
        nonlocal n_calls
        n_calls += 1
        given = next(one for one in (*args, *kwargs.values()) if hasattr(one, "shape"))
        made = output[0] if isinstance(output, tuple | list) else output
        if n_calls == site.number + 1:
            got.append((given if site.part == "input" else made).detach().clone())

    handle = (
        None if site.family == LAYERS else encoder.model.get_submodule(site.path).register_forward_hook(keep, with_kwargs=True)
    )
    try:
        with torch.inference_mode():
            output = encoder.model(**batch.model_inputs, output_hidden_states=True)
    finally:
        if handle is not None:
            handle.remove()
    if handle is None:
        return output.hidden_states[site.depth]
    rows, tokens = batch.ids.shape
    return got[0].reshape(rows, -1, got[0].shape[-1])[:, :tokens, site.units]

"""The pooling that docs/add-a-pooling.md builds is a real one."""

import numpy as np
from page_code import blocks_of

from lit_probe.encoder import pooling
from lit_probe.encoder.activations import extract_activations

TEXTS = ["a good film", "", "never the best plot of all, but i loved it"]


def test_the_pooling_on_the_page_takes_the_first_content_token_whatever_stands_beside_the_text(tiny_encoder, monkeypatch):
    [code], [entry] = blocks_of("add-a-pooling.md"), blocks_of("add-a-pooling.md", "")
    names = {**vars(pooling)}
    exec(f"from __future__ import annotations\n{code}", names)
    [(name, function)] = eval(f"{{{entry}}}", names).items()
    monkeypatch.setitem(pooling.POOLINGS, name, function)
    together = extract_activations(tiny_encoder, TEXTS, name).values
    for text, found in zip(TEXTS, together, strict=True):
        np.testing.assert_allclose(found, extract_activations(tiny_encoder, [text], name).values[0], atol=1e-5)
    assert not together[1].any(), "a text without content"

"""The salience method that docs/add-a-salience.md builds is a real one."""

from types import SimpleNamespace

import numpy as np
import pytest
from explained_words import planted_forward
from page_code import blocks_of

from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.probing.probe_forward import Target
from lit_probe.salience import SALIENCE_METHODS, SalienceMethod, explain, tokens_read
from lit_probe.salience.trust.faithfulness import faithfulness

TEXT = "the acting was great but the music is slow"


@pytest.fixture
def method(monkeypatch) -> SalienceMethod:
    """The page's method, in the registry."""
    names: dict = {}
    [code], [entry] = blocks_of("add-a-salience.md"), blocks_of("add-a-salience.md", "")
    exec(code, names)
    module = SimpleNamespace(compute=names["compute"])
    (added,) = eval(entry, {"SalienceMethod": SalienceMethod, "my_gradient_max": module})
    monkeypatch.setitem(SALIENCE_METHODS, added.name, added)
    return added


def test_the_method_on_the_page_gives_the_largest_entry_of_each_gradient(tiny_encoder, method):
    forward, target = planted_forward(tiny_encoder, "great"), Target(1)
    [encoded] = tiny_encoder.encode([TEXT], with_tokens=True)

    def by_hand() -> np.ndarray:
        embeddings = forward.embeddings(encoded).unsqueeze(0).clone().requires_grad_()
        forward.scalar(encoded, target)(embeddings).sum().backward()
        return embeddings.grad[0].abs().max(dim=1).values.numpy()

    expected = np.where(encoded.special, 0, on_encoder_thread(by_hand))
    assert expected.max() > 1e-3
    np.testing.assert_allclose(explain(forward, TEXT, method.name, target).scores, expected, rtol=1e-5)


def test_it_costs_one_pass_and_is_judged_like_the_others(tiny_encoder, method):
    forward = planted_forward(tiny_encoder, "great")
    [encoded] = tiny_encoder.encode([TEXT])
    assert tokens_read(forward, TEXT, method.name) == 3 * len(encoded.ids)
    [judged] = faithfulness(forward, [TEXT], methods=[method.name]).methods
    assert judged.title == method.title and judged.reason == "" and judged.measures.tau_loo.n == 1

import numpy as np

from lit_probe.probing.probes import fit_logistic, fit_mlp


def test_the_mlp_finds_what_is_not_linearly_decodable():
    random = np.random.default_rng(0)
    x = random.normal(size=(2400, 4)).astype(np.float32)
    labels = (x[:, 0] * x[:, 1] > 0).astype(int)
    train, test = slice(0, 1200), slice(1200, 2400)
    right = {fit: (fit(x[train], labels[train], 2).predict(x[test]) == labels[test]).mean() for fit in (fit_logistic, fit_mlp)}
    assert right[fit_mlp] > 0.85 and right[fit_logistic] < 0.6


def test_the_mlp_has_one_hidden_layer_and_depends_on_its_seed():
    random = np.random.default_rng(0)
    x, labels = random.normal(size=(60, 5)), np.arange(60) % 3
    first, second = (fit_mlp(x, labels, 3, seed=seed) for seed in (0, 1))
    assert [weight.shape for weight, _ in first.layers] == [(64, 5), (3, 64)]
    assert not np.array_equal(first.layers[0][0], second.layers[0][0])

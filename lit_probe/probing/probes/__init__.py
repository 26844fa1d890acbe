"""Probe kinds: each fits plain arrays (`FittedProbe`) on the activations of one layer.

A kind is a function ``(x, labels, n_classes, groups, seed) -> FittedProbe``, where ``x`` is ``[n_examples, d_model]`` of the
train split, ``labels`` ``[n_examples]`` and ``groups`` ``[n_examples]`` or None. ``docs/add-a-probe.md`` shows how to add one.
"""

from lit_probe.probing.probes.fitted import FittedProbe
from lit_probe.probing.probes.kind import ProbeKind
from lit_probe.probing.probes.lda import fit_lda
from lit_probe.probing.probes.logistic import fit_logistic
from lit_probe.probing.probes.majority import fit_majority
from lit_probe.probing.probes.mean_difference import fit_mean_difference
from lit_probe.probing.probes.mlp import fit_mlp

PROBES: dict[str, ProbeKind] = {
    "logistic": ProbeKind(fit_logistic),
    "mean_difference": ProbeKind(fit_mean_difference),
    "lda": ProbeKind(fit_lda),
    "mlp": ProbeKind(fit_mlp),
    "majority": ProbeKind(fit_majority),
}

# By which rules probes are fitted, in words that cards compare: change them when the numbers change.
PROBES_MADE_BY = "C by cross-validated log-loss; units that do not vary on train left out"

__all__ = [
    "PROBES",
    "PROBES_MADE_BY",
    "FittedProbe",
    "ProbeKind",
    "fit_lda",
    "fit_logistic",
    "fit_majority",
    "fit_mean_difference",
    "fit_mlp",
]

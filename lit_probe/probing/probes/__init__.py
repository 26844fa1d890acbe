"""Probe kinds: each fits plain arrays (`FittedProbe`) on the activations of one layer.

A kind is a function ``(x, labels, n_classes, groups, seed) -> FittedProbe``, where ``x`` is ``[n_examples, d_model]`` of the
train split, ``labels`` ``[n_examples]`` (numbers where ``n_classes`` is 0) and ``groups`` ``[n_examples]`` or None.
``docs/add-a-probe.md`` shows how to add one.
"""

from lit_probe.data.asked import CLASSES, NUMBER, TargetKind
from lit_probe.probing.probes.attention import fit_attention
from lit_probe.probing.probes.fitted import FittedProbe
from lit_probe.probing.probes.kind import ProbeKind, TokenProbeKind
from lit_probe.probing.probes.lda import fit_lda
from lit_probe.probing.probes.logistic import fit_logistic
from lit_probe.probing.probes.majority import fit_majority
from lit_probe.probing.probes.mean_difference import fit_mean_difference
from lit_probe.probing.probes.mlp import fit_mlp
from lit_probe.probing.probes.options import ProbeOptions
from lit_probe.probing.probes.ridge import fit_ridge
from lit_probe.probing.probes.sparse import fit_elastic_net, fit_l1
from lit_probe.registry import lookup

# By which rules probes are fitted, in words that cards compare: change them when the numbers change.
PROBES_MADE_BY: dict[TargetKind, str] = {
    CLASSES: "C by cross-validated log-loss; units that do not vary on train left out",
    NUMBER: "alpha by cross-validated squared error; units that do not vary on train left out",
}

_SPARSE = "C from 10^-3 to 1 by cross-validated log-loss, ties of 5e-4 to the smaller; units that do not vary on train left out"
_CLASS_WEIGHT = {"class_weight": "class_weight"}
_BY_EPOCH = {name: name for name in ("max_epochs", "learning_rate", "batch_size")}

PROBES: dict[str, ProbeKind] = {
    "logistic": ProbeKind(fit_logistic, options={"regularisation": "c", **_CLASS_WEIGHT}),
    "l1": ProbeKind(fit_l1, options={"regularisation": "c"}, made_by=_SPARSE),
    "elastic_net": ProbeKind(fit_elastic_net, options={"regularisation": "c"}, made_by=_SPARSE),
    "mean_difference": ProbeKind(fit_mean_difference),
    "lda": ProbeKind(fit_lda),
    "mlp": ProbeKind(
        fit_mlp,
        options={"regularisation": "weight_penalty", **_CLASS_WEIGHT, "hidden_units": "hidden_units", **_BY_EPOCH},
        by_epoch=True,
    ),
    "majority": ProbeKind(fit_majority),
    "ridge": ProbeKind(fit_ridge, targets=(NUMBER,), options={"regularisation": "alpha"}),
}

# The kind that is fitted where nobody names one.
DEFAULT_PROBES: dict[TargetKind, str] = {CLASSES: "logistic", NUMBER: "ridge"}


# Kinds that read the tokens of texts in place of their pooled vectors: `lit_probe.probing.attention_study`.
ATTENTION = "attention"
TOKEN_PROBES: dict[str, TokenProbeKind] = {
    ATTENTION: TokenProbeKind(
        fit_attention,
        options={"regularisation": "penalty", **_CLASS_WEIGHT, **_BY_EPOCH},
        made_by="query and linear head by Adam from zero, fixed penalty; units that do not vary on train left out",
    ),
}


def serves(kind: str, target: TargetKind) -> bool:
    """Whether a kind of probe can be asked for a target."""
    entry = TOKEN_PROBES[kind] if kind in TOKEN_PROBES else lookup(PROBES, kind, "probe")
    return target in entry.targets


def probe_made_by(kind: str, target: TargetKind) -> str:
    """By which rule a kind of probe is fitted, in words that cards compare."""
    return TOKEN_PROBES[kind].made_by if kind in TOKEN_PROBES else lookup(PROBES, kind, "probe").made_by or PROBES_MADE_BY[target]


__all__ = [
    "ATTENTION",
    "DEFAULT_PROBES",
    "PROBES",
    "PROBES_MADE_BY",
    "TOKEN_PROBES",
    "FittedProbe",
    "ProbeKind",
    "ProbeOptions",
    "fit_attention",
    "fit_elastic_net",
    "fit_l1",
    "fit_lda",
    "fit_logistic",
    "fit_majority",
    "fit_mean_difference",
    "fit_mlp",
    "fit_ridge",
    "probe_made_by",
    "serves",
]

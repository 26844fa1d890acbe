"""Runs: encoders with a pooling, a probe and weights of their own, so that the same encoder can stand beside itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from lit_probe.brackets import entries, options_of, without_options
from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.joining import JOININGS
from lit_probe.encoder.pooling import POOLINGS
from lit_probe.errors import LitProbeError
from lit_probe.probing.probes import PROBES, TOKEN_PROBES, ProbeOptions
from lit_probe.probing.probes.options import OPTION_NAMES, read_option
from lit_probe.registry import lookup

RANDOM = "random"
# What may stand in the brackets of a run, and its values. Options of its probe may stand there, too.
OPTIONS: dict[str, Collection[str]] = {
    "pooling": [*POOLINGS, *JOININGS],
    "probe": [*PROBES, *TOKEN_PROBES],
    "weights": ("trained", RANDOM),
}


@dataclass(frozen=True)
class Run:
    """One encoder, and how it is probed.

    Attributes:
      encoder: the encoder, under the name of the run.
      pooling: the name of the pooling.
      probe: the kind of probe; None for what the target of a data set asks for.
      probe_options: how it is fitted.
    """

    encoder: Encoder
    pooling: str
    probe: str | None
    probe_options: ProbeOptions = field(default_factory=ProbeOptions)


class WantedRun(NamedTuple):
    """One run as ``--model`` names it.

    Attributes:
      model_id: the hub id or folder.
      options: what stands in brackets after it, by name.
    """

    model_id: str
    options: Mapping[str, str]


def parse_model_flag(flag: str) -> list[WantedRun]:
    """Reads ``--model``: hub ids and folders, each with or without options in brackets, separated by commas.

    Raises:
      LitProbeError: brackets hold something else than a pooling, a probe, its options or weights, or one of them twice.
      UnknownNameError: there is no such pooling, probe or kind of weights.

    >>> [tuple(run) for run in parse_model_flag("bert-base-uncased,bert-base-uncased[pooling=cls,probe=mlp]")]
    [('bert-base-uncased', {}), ('bert-base-uncased', {'pooling': 'cls', 'probe': 'mlp'})]
    """
    return [WantedRun(without_options(entry), _options(entry)) for entry in entries(flag, lambda entry: entry) if entry]


def _options(entry: str) -> dict[str, str]:
    pairs = options_of(entry)
    names = [name for name, _ in pairs]
    for name, value in pairs:
        known = name in OPTIONS or name in OPTION_NAMES
        if not known or not value or names.count(name) > 1:
            why = "twice" if names.count(name) > 1 else "without a value" if known else "which is none of them"
            raise LitProbeError(
                f"{entry[entry.rindex('[') :]} names {name!r}, {why}. In brackets stand options of that run: pooling=NAME, "
                f"probe=NAME, weights={RANDOM} or {RANDOM}:SEED. So may options of its probe: {', '.join(OPTION_NAMES)}."
            )
        if name == "weights":
            random_seed_of(value, 0)
        elif name in OPTION_NAMES:
            ProbeOptions(**{name: read_option(name, value)})
        else:
            lookup(dict.fromkeys(OPTIONS[name]), value, name)
    return dict(pairs)


def random_seed_of(weights: str, seed: int) -> int | None:
    """The seed that draws weights which are called so; None for trained ones.

    Args:
      weights: ``"trained"``, ``"random"`` or, with a seed of its own, ``"random:2"``.
      seed: the seed where none is named.

    Raises:
      UnknownNameError: there are no such weights.
      LitProbeError: the seed is no whole number.

    >>> random_seed_of("trained", 0), random_seed_of("random", 0), random_seed_of("random:2", 0)
    (None, 0, 2)
    """
    kind, colon, own = weights.partition(":")
    lookup(dict.fromkeys(OPTIONS["weights"]), kind if kind == RANDOM else weights, "weights")
    if colon and not own.isdecimal():
        raise LitProbeError(f"Random weights are named {RANDOM}, or {RANDOM}:2 to draw them by seed 2, not {weights!r}.")
    return None if kind != RANDOM else int(own) if colon else seed


def load_runs(
    wanted: Sequence[WantedRun],
    load: Callable[[str], Encoder],
    *,
    pooling: str | None,
    probe: str | None,
    seed: int,
    probe_options: ProbeOptions | None = None,
) -> list[Run]:
    """The runs. What several of them share is loaded once: a checkpoint, and the weights that are drawn for it.

    Args:
      wanted: what was asked for.
      load: finds the encoder of a hub id or folder.
      pooling: the pooling of runs that name none; None for what the encoder's kind asks for.
      probe: the probe of runs that name none; None for what a data set asks for.
      seed: the seed by which random weights are drawn where the run names none.
      probe_options: how the probes of runs that say nothing of it are fitted; the usual way when None.

    Raises:
      LitProbeError: two runs are the same.
    """
    trained = {model_id: load(model_id) for model_id in dict.fromkeys(run.model_id for run in wanted)}
    drawn: dict[tuple[str, int], Encoder] = {}
    runs: dict[tuple[Any, ...], Run] = {}
    for model_id, options in wanted:
        settings: dict[str, Any] = {
            "pooling": pooling or trained[model_id].default_pooling,
            "probe": probe,
            "weights": "trained",
            **options,
        }
        if settings["probe"] in TOKEN_PROBES:
            if pooling or "pooling" in options:
                raise LitProbeError(
                    f"The probe {settings['probe']!r} pools tokens by what it has learnt. Leave out the option pooling."
                )
            settings["pooling"] = settings["probe"]
        own_seed = random_seed_of(settings["weights"], seed)
        fitted = (probe_options or ProbeOptions()).with_words({name: options[name] for name in OPTION_NAMES if name in options})
        key = (model_id, settings["pooling"], settings["probe"], str(own_seed), fitted)
        if key in runs:
            raise LitProbeError(
                f"{model_id!r} is named twice with {settings['pooling']} pooling, {settings['probe'] or 'the usual'} probes and "
                f"{settings['weights']} weights. Leave one of them out, or give it other options in brackets."
            )
        encoder = trained[model_id]
        if own_seed is not None:
            encoder = drawn.setdefault((model_id, own_seed), encoder.randomised(own_seed))
        runs[key] = Run(encoder.named(run_name(trained[model_id].name, options)), settings["pooling"], settings["probe"], fitted)
    return list(runs.values())


def run_name(encoder: str, options: Mapping[str, str]) -> str:
    """What a run is called: by its encoder and what its brackets say.

    >>> run_name("bert", {}), run_name("bert", {"pooling": "cls", "weights": "random"})
    ('bert', 'bert (cls random weights)')
    >>> run_name("bert", {"weights": "random:2"})
    'bert (random weights 2)'
    >>> run_name("bert", {"probe": "mlp", "hidden_units": "64-32"})
    'bert (mlp hidden units 64-32)'
    """
    # A comma would break LIT's lists of models, and so would a colon.
    words = [
        _weights_words(value) if name == "weights" else f"{name.replace('_', ' ')} {value}" if name in OPTION_NAMES else value
        for name, value in options.items()
    ]
    return f"{encoder} ({' '.join(words)})" if words else encoder


def _weights_words(value: str) -> str:
    kind, _, seed = value.partition(":")
    return f"{kind} weights {seed}".rstrip()

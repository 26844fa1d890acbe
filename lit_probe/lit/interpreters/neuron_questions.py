"""What the questions about neurons have in common: which neurons, ranked how, and results that are kept in the cache."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from lit_probe.encoder.token_states import check_units
from lit_probe.errors import LitProbeError, UnknownNameError
from lit_probe.lit.host.config_values import Key, Keys, number, one_of, whole_number
from lit_probe.lit.host.pending_checks import Compute
from lit_probe.lit.interpreters.question import Question
from lit_probe.neurons.rankings import RANKINGS, NeuronRanking, RankingOptions, rank_neurons
from lit_probe.neurons.rankings.contract import REGRESSIONS
from lit_probe.progress import Progress, no_progress
from lit_probe.results import Result, as_json

# So many texts are answered at once; more belong in the background.
MAX_TEXTS = 20

DEFAULTS = RankingOptions()
# What the options of `RankingOptions` may be here.
OPTION_KEYS: Keys = {
    "seed": whole_number(0, 2**32 - 1, DEFAULTS.seed),
    "greedy": whole_number(0, 1_000, DEFAULTS.greedy),
    "strength": number(1e-6, 1e3, DEFAULTS.strength),
    "l1_ratio": number(0.01, 0.99, DEFAULTS.l1_ratio),
    "regression": one_of(REGRESSIONS, DEFAULTS.regression),
}
RANKING_KEYS: Keys = {
    "method": one_of(RANKINGS, "weight_mass"),
    **OPTION_KEYS,
}

# Of what these questions are answered with; raised when the same question gets another answer within one version.
_REVISION = 3


def _is_name(value: object) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool)


def _read_unit(value: Any, name: str) -> int | str:
    if not _is_name(value):
        raise LitProbeError(f"{name!r} must name a neuron, such as 17 or '3:17'.")
    found: int | str = value
    return found


def one_unit() -> Key:
    """The name of one neuron; whether there is such a one, `units_of` says."""
    return Key(_read_unit)


def some_units(most: int | None = None) -> Key:
    """Names of neurons, ``most`` at most."""

    def read(value: Any, name: str) -> list[int | str]:
        if not isinstance(value, list) or not all(map(_is_name, value)):
            raise LitProbeError(f"{name!r} must be a list of neurons, such as [17, 250] or ['3:17', '3:250'].")
        if most is not None and not 1 <= len(value) <= most:
            raise LitProbeError(f"Name 1 to {most} neurons; {len(value)} were named.")
        return value

    return Key(read)


def units_of(question: Question, names: Sequence[int | str]) -> tuple[int, ...]:
    """The indices of neurons of the layer, in the order in which they are named.

    Raises:
      UnknownNameError: the layer has no neuron of such a name, or there is no such layer.
    """
    encoder, layer = question.study.encoder, question.layer
    encoder.check_layer(layer)
    found = tuple(_index(name, layer, encoder.widths[layer]) for name in names)
    check_units(encoder, layer, found)
    return found


def _index(name: int | str, layer: int, width: int) -> int:
    if isinstance(name, int):
        return name
    before, colon, after = name.rpartition(":")
    try:
        if not colon or int(before) == layer:
            return int(after)
    except ValueError:
        pass  # said below
    raise UnknownNameError(f"Layer {layer} has no neuron {name!r}. Its neurons are {layer}:0 to {layer}:{width - 1}.")


def few_texts(question: Question) -> tuple[str, ...]:
    """The texts, if there are some and few enough to be answered at once.

    Raises:
      LitProbeError: there are none, or too many.
    """
    if not 1 <= len(question.texts) <= MAX_TEXTS:
        raise LitProbeError(f"1 to {MAX_TEXTS} texts are shown at a time; {len(question.texts):,} were sent.")
    return question.texts


def ask_kept(
    question: Question, facts: Mapping[str, Any], title: str, compute: Callable[[Progress], Result | dict[str, Any]]
) -> dict[str, Any]:
    """Like ``question.ask``, and the result, as JSON, is kept in the cache.

    Args:
      question: whose study it is about.
      facts: JSON-ready; everything beside the study that decides the result.
      title: what people read while it is computed.
      compute: gets a progress function.
    """
    return question.ask(key_of(facts), title, kept(question, facts, compute))


def key_of(facts: Mapping[str, Any]) -> str:
    """Equal for equal facts."""
    return json.dumps(facts, sort_keys=True)


def kept(question: Question, facts: Mapping[str, Any], compute: Callable[[Progress], Result | dict[str, Any]]) -> Compute:
    """``compute``, or what the cache has kept of it."""
    of_study = {**facts, "revision": _REVISION, "study": question.study.fingerprint}
    cache = question.probes.checks.cache
    return lambda progress: cache.json_result("neurons", of_study, lambda: as_json(compute(progress)))


@dataclass(frozen=True)
class RankingQuestion:
    """How neurons are to be ranked.

    Attributes:
      method: name in ``RANKINGS``.
      options: options of the ranking.
      layers: layers that are ranked together, ascending.
    """

    method: str
    options: RankingOptions
    layers: tuple[int, ...]

    @classmethod
    def of(cls, question: Question) -> Self:
        """What the values of `RANKING_KEYS` say."""
        return cls(question["method"], options_of(question), question.layers)

    @property
    def title(self) -> str:
        """The name that people read."""
        return RANKINGS[self.method].title

    @property
    def at_once(self) -> bool:
        """Whether ranking all layers takes milliseconds."""
        return RANKINGS[self.method].cost == "at once"

    @property
    def quick(self) -> bool:
        """Whether it takes about a second at most."""
        ranking = RANKINGS[self.method]
        joint = self.options.greedy and "greedy" in ranking.options
        return len(self.layers) == 1 and ranking.cost != "minutes" and not joint

    @property
    def facts(self) -> dict[str, Any]:
        """What decides the ranking, JSON-ready."""
        options = self.options.to_json(RANKINGS[self.method].options)
        return {"ranking": self.method, "options": options, "layers": list(self.layers)}


def options_of(question: Question) -> RankingOptions:
    """What the values of `OPTION_KEYS` say."""
    return RankingOptions(**{name: question[name] for name in OPTION_KEYS})


def option_choices() -> dict[str, dict[str, Any]]:
    """For the panels' controls: what each option may be, and its default."""
    return {name: {"default": key.default, **key.limits} for name, key in OPTION_KEYS.items()}


def ranked(question: Question, wanted: RankingQuestion, progress: Progress = no_progress) -> NeuronRanking:
    """The ranking, from the cache if it is there. Only some take milliseconds, see `Ranking.cost`.

    Raises:
      LitProbeError: the neurons cannot be ranked so; the message says why.
    """

    def rank(progress: Progress) -> NeuronRanking:
        return rank_neurons(question.study, wanted.method, wanted.layers, options=wanted.options, progress=progress)

    if wanted.at_once:
        return rank(progress)
    return _restored(kept(question, wanted.facts, lambda progress: _stored(rank(progress)))(progress))


def _stored(ranking: NeuronRanking) -> dict[str, Any]:
    """The ranking as JSON, smaller than its own: names of neurons follow from the layers."""
    return {
        "method": ranking.method,
        "title": ranking.title,
        "score_unit": ranking.score_unit,
        "label_names": list(ranking.label_names),
        "settings": dict(ranking.settings),
        "units": ranking.units.tolist(),
        "order": ranking.order.tolist(),
        "scores": ranking.scores.tolist(),
        "class_scores": ranking.class_scores.tolist(),
    }


def _restored(stored: Mapping[str, Any]) -> NeuronRanking:
    units = np.array(stored["units"], dtype=np.int64)
    return NeuronRanking(
        method=stored["method"],
        title=stored["title"],
        layers=tuple(int(layer) for layer in np.unique(units[:, 0])),
        units=units,
        order=np.array(stored["order"], dtype=np.int64),
        scores=np.array(stored["scores"], dtype=np.float64),
        score_unit=stored["score_unit"],
        class_scores=np.array(stored["class_scores"], dtype=np.float64),
        label_names=tuple(stored["label_names"]),
        settings=stored["settings"],
    )

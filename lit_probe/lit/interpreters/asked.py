"""What the neuron panels ask for: which layer, which neurons, ranked how. What takes long is computed in the background."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np
from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import types

from lit_probe.encoder.cache import Cache
from lit_probe.encoder.token_states import check_units
from lit_probe.errors import LitProbeError, UnknownNameError
from lit_probe.lit.host import fields
from lit_probe.lit.host.config_values import number, one_of, settings_of, whole_number
from lit_probe.lit.host.explaining import DEV_CHOSEN
from lit_probe.lit.host.messages import plain_message
from lit_probe.lit.host.model import ProbeModel
from lit_probe.neurons.rankings import RANKINGS, NeuronRanking, RankingOptions, chosen_layers, rank_neurons
from lit_probe.neurons.rankings.contract import REGRESSIONS
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import Progress, no_progress
from lit_probe.results import Result, as_json

ALL_LAYERS = "all"
# So many texts are answered at once; more belong in the background.
MAX_TEXTS = 20

DEFAULTS = RankingOptions()
# What the options of `RankingOptions` may be here.
WHOLE_NUMBERS = {"seed": (0, 2**32 - 1), "greedy": (0, 1_000)}
NUMBERS = {"strength": (1e-6, 1e3), "l1_ratio": (0.01, 0.99)}
OPTION_KEYS = (*WHOLE_NUMBERS, *NUMBERS, "regression")
RANKING_KEYS = ("method", *OPTION_KEYS)

# Of what these questions are answered with; raised when the same question gets another answer within one version.
_REVISION = 2


@dataclass(frozen=True)
class Asked:
    """One panel's question about a finished study.

    Attributes:
      probes: the model that is asked.
      study: its study.
      dataset: that is shown.
      inputs: the examples that were sent.
      texts: their cleaned texts.
      layers: the layers it is about, ascending.
      cancel: whether a computation is to be ended.
    """

    probes: ProbeModel
    study: LayerStudy
    dataset: lit_dataset.Dataset
    inputs: Sequence[types.JsonDict]
    texts: tuple[str, ...]
    layers: tuple[int, ...]
    cancel: bool

    @property
    def layer(self) -> int:
        """The layer, where there is one."""
        return self.layers[0]

    @property
    def cache(self) -> Cache:
        """Where results are kept."""
        return self.probes.checks.cache

    def few_texts(self) -> tuple[str, ...]:
        """The texts, if there are some and few enough to be answered at once.

        Raises:
          LitProbeError: there are none, or too many.
        """
        if not 1 <= len(self.texts) <= MAX_TEXTS:
            raise LitProbeError(f"1 to {MAX_TEXTS} texts are shown at a time; {len(self.texts):,} were sent.")
        return self.texts

    def units(self, names: Sequence[int | str]) -> tuple[int, ...]:
        """The indices of neurons of the layer, in the order in which they are named.

        Raises:
          UnknownNameError: the layer has no neuron of such a name, or there is no such layer.
        """
        units = tuple(_unit(name, self.layer, self.study.encoder.d_model) for name in names)
        check_units(self.study.encoder, self.layer, units)
        return units

    def ask(
        self, facts: Mapping[str, Any], title: str, compute: Callable[[Progress], dict[str, Any]], *, quick: bool = False
    ) -> dict[str, Any]:
        """What ``compute`` gives, or how far it is; see ``PendingChecks.ask``.

        Args:
          facts: JSON-ready; everything beside the study that decides the result.
          title: what people read while it is computed.
          compute: gets a progress function.
          quick: whether it takes about a second at most.
        """
        # The name of the check keeps these keys apart from those of others.
        key = ("neurons", json.dumps(self._facts(facts), sort_keys=True))
        title = f"{title} of {self.probes.encoder.name} on {self.study.splits.name}"
        if self.cancel:
            return self.probes.checks.cancel(key, title)
        return self.probes.checks.ask(key, title, compute, quick=quick)

    def ask_kept(
        self, facts: Mapping[str, Any], title: str, compute: Callable[[Progress], Result | dict[str, Any]], *, quick: bool = False
    ) -> dict[str, Any]:
        """The same; and the result, as JSON, is kept in the cache."""
        return self.ask(facts, title, lambda progress: self._kept(facts, lambda: as_json(compute(progress))), quick=quick)

    def ranked(self, question: RankingQuestion, progress: Progress = no_progress) -> NeuronRanking:
        """The ranking of the layers' neurons, from the cache if it is there. Only some take milliseconds, see `Ranking.cost`.

        Raises:
          LitProbeError: the neurons cannot be ranked so; the message says why.
        """

        def rank() -> NeuronRanking:
            return rank_neurons(self.study, question.method, self.layers, options=question.options, progress=progress)

        if question.at_once:
            return rank()
        return _restored(self._kept(self.ranking_facts(question), lambda: _stored(rank())))

    def ranking_facts(self, question: RankingQuestion) -> dict[str, Any]:
        """What decides the ranking, JSON-ready."""
        options = question.options.to_json(RANKINGS[question.method].options)
        return {"ranking": question.method, "options": options, "layers": list(self.layers)}

    def _facts(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        return {
            **facts,
            "revision": _REVISION,
            "study": self.study.fingerprint,
        }

    def _kept(self, facts: Mapping[str, Any], make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        return self.cache.json_result("neurons", self._facts(facts), make)


# What answers a question whose configuration has been read.
Respond = Callable[[Asked], dict[str, Any]]


@dataclass(frozen=True)
class Part:
    """One of the things that an interpreter tells.

    Attributes:
      read: reads the configuration, and gives what answers it. Only the former may say that the configuration is wrong.
      keys: that the configuration may have beside ``part`` and ``layer``.
      takes_layer: whether it is about a layer.
      takes_all: whether it can be about all layers together.
    """

    read: Callable[[Mapping[str, Any]], Respond]
    keys: tuple[str, ...]
    takes_layer: bool = True
    takes_all: bool = False


def answer_part(
    parts: Mapping[str, Part], inputs: Sequence[types.JsonDict], probes: ProbeModel, dataset: lit_dataset.Dataset, config: object
) -> dict[str, Any]:
    """The answer of the part that the configuration names.

    Raises:
      LitProbeError: the configuration cannot be understood, or an example has no text.
    """
    settings = settings_of(config)
    name = one_of(settings, "part", parts)
    part = parts[name]
    check_keys(settings, ("part", *(("layer",) if part.takes_layer else ()), *part.keys))
    layer = read_layer(settings, part.takes_all)
    answer = answer_of(part.read(settings), inputs, probes, dataset, layer, cancel=bool(settings.get("cancel")))
    return {**answer, "part": name}


def answer_of(
    respond: Respond,
    inputs: Sequence[types.JsonDict],
    probes: ProbeModel,
    dataset: lit_dataset.Dataset,
    layer: int | str | None,
    *,
    cancel: bool,
) -> dict[str, Any]:
    """What ``respond`` says; ``computing`` while the probes are in the making, ``failed`` with a message where it cannot.

    Raises:
      LitProbeError: an example has no text.
    """
    texts = tuple(fields.text_of(example) for example in inputs)
    if status := probes.study.status():
        return status
    study = probes.study.result()
    try:
        wanted = study.best_layer if layer is None else None if isinstance(layer, str) else layer
        return {"status": "ready", **respond(Asked(probes, study, dataset, inputs, texts, chosen_layers(study, wanted), cancel))}
    except LitProbeError as error:
        return {"status": "failed", "message": plain_message(str(error))}


def check_keys(settings: Mapping[str, Any], allowed: Sequence[str]) -> None:
    """Refuses keys that nobody reads.

    Raises:
      LitProbeError: names them, and those that there are.
    """
    if unknown := sorted(str(key) for key in settings if key not in allowed):
        raise LitProbeError(f"The configuration takes {', '.join(sorted(allowed))}, but not {', '.join(unknown)}.")


def read_layer(settings: Mapping[str, Any], takes_all: bool = False) -> int | str | None:
    """The number of the layer; None for the one chosen on dev, ``"all"`` for all together.

    Raises:
      LitProbeError: it is none of these.
    """
    layer = settings.get("layer", DEV_CHOSEN)
    if layer == DEV_CHOSEN:
        return None
    if takes_all and layer == ALL_LAYERS:
        return ALL_LAYERS
    return whole_number(settings, "layer", 0, 10_000, default=0)


def read_units(value: object, most: int | None = None) -> list[int | str]:
    """Names of neurons; whether there are such ones is `Asked.units`' to say.

    Raises:
      LitProbeError: they are no list of numbers and names, or more than ``most``.
    """
    if not isinstance(value, list) or not all(map(_is_name, value)):
        raise LitProbeError("'units' must be a list of neurons, such as [17, 250] or ['3:17', '3:250'].")
    if most is not None and not 1 <= len(value) <= most:
        raise LitProbeError(f"Name 1 to {most} neurons; {len(value)} were named.")
    return value


def read_unit(settings: Mapping[str, Any]) -> int | str:
    """The name of the one neuron.

    Raises:
      LitProbeError: it is neither a number nor a text.
    """
    unit = settings.get("unit")
    if not _is_name(unit):
        raise LitProbeError("'unit' must name a neuron, such as 17 or '3:17'.")
    return unit


def _is_name(value: object) -> TypeGuard[int | str]:
    return isinstance(value, int | str) and not isinstance(value, bool)


def _unit(name: int | str, layer: int, d_model: int) -> int:
    if isinstance(name, int):
        return name
    before, colon, after = name.rpartition(":")
    try:
        if not colon or int(before) == layer:
            return int(after)
    except ValueError:
        pass  # said below
    raise UnknownNameError(f"Layer {layer} has no neuron {name!r}. Its neurons are {layer}:0 to {layer}:{d_model - 1}.")


@dataclass(frozen=True)
class RankingQuestion:
    """How neurons are to be ranked.

    Attributes:
      method: a name in ``RANKINGS``.
      options: of the ranking.
    """

    method: str
    options: RankingOptions

    @property
    def at_once(self) -> bool:
        """Whether ranking all layers takes milliseconds."""
        return RANKINGS[self.method].cost == "at once"

    @property
    def quick(self) -> bool:
        """Whether ranking one layer takes about a second at most."""
        ranking = RANKINGS[self.method]
        return ranking.cost != "minutes" and not (self.options.greedy and "greedy" in ranking.options)


def read_ranking(settings: Mapping[str, Any]) -> RankingQuestion:
    """Reads `RANKING_KEYS`, each of which has a default.

    Raises:
      LitProbeError: a value is unknown or out of range.
    """
    return RankingQuestion(one_of(settings, "method", RANKINGS, default="weight_mass"), read_options(settings))


def read_options(settings: Mapping[str, Any]) -> RankingOptions:
    """Reads `OPTION_KEYS`.

    Raises:
      LitProbeError: a value is unknown or out of range.
    """
    values: dict[str, Any] = {
        **{name: whole_number(settings, name, *ends, default=getattr(DEFAULTS, name)) for name, ends in WHOLE_NUMBERS.items()},
        **{name: number(settings, name, *ends, default=getattr(DEFAULTS, name)) for name, ends in NUMBERS.items()},
    }
    return RankingOptions(**values, regression=one_of(settings, "regression", REGRESSIONS, default=DEFAULTS.regression))


def option_choices() -> dict[str, dict[str, Any]]:
    """For the panels' controls: what each option may be, and its default."""
    ranges = {**WHOLE_NUMBERS, **NUMBERS}
    numbers = {name: {"default": getattr(DEFAULTS, name), "low": low, "high": high} for name, (low, high) in ranges.items()}
    return {**numbers, "regression": {"default": DEFAULTS.regression, "choices": list(REGRESSIONS)}}


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

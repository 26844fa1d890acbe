"""The rows of LIT's Salience Maps panel: one for each salience method."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from lit_nlp.api import components, dtypes, types
from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model
from numpy.typing import NDArray

from lit_probe.errors import LitProbeError
from lit_probe.lit.host import explaining
from lit_probe.lit.host.config_values import DEV_CHOSEN, Key, Keys, one_of, read_keys, settings_of, whole_number
from lit_probe.lit.host.explaining import Explainer, Explanation, MapQuestion, PlannedMap, explainer_of, map_keys, map_question
from lit_probe.lit.host.labels import among_numbers
from lit_probe.lit.host.messages import plain_message
from lit_probe.lit.host.model import ProbeModel, probe_model, reads_whole_texts
from lit_probe.lit.host.read_only import check_few
from lit_probe.probing.probe_forward import NUMBER_SCALAR, SCALARS
from lit_probe.salience import SALIENCE_METHODS, SalienceMethod, TokenScores

# The controls of a row are called by their keys: these say what they are. The options' are in `explaining.TITLES`.
_KEYS = {"target": "class", "scalar": "number", "aggregation": "score of a word"}
_NAMES = {title: name for name, title in (_KEYS | explaining.TITLES).items()}

# LIT fills this key with the class that is chosen above its rows.
LITS_TARGET = "class to explain"
# Our choice that follows it.
AS_ABOVE = "class chosen above"
TOKENS, WORDS = "tokens", "words"
NO_MAP = "No map"

_AGGREGATED = {"sum": "sum", "l2": "L2 norm", "max": "largest"}
_MAX_WORDS = 20


class SalienceRow(components.Interpreter):
    """One salience method, for the probe of any layer and for the model's own prediction.

    LIT shows the names of a result's groups only where there are several. So the first group carries the map and says what is
    explained, and the second one, without tokens, says how the map was made and how far it can be trusted.

    Args:
      method: the salience method.
      n_layers: the number of layers of the deepest encoder.
      class_names: the class names of all probes and heads.
      with_head: whether any encoder has a classification head of its own.
    """

    def __init__(self, method: SalienceMethod, n_layers: int, class_names: Sequence[str], with_head: bool):
        self._method = method
        self._n_layers = n_layers
        self._class_names = tuple(class_names)
        self._with_head = with_head
        self._keys: Keys = {
            **map_keys(),
            LITS_TARGET: Key(lambda value, _: value, None),
            "show": one_of((TOKENS, WORDS), TOKENS),
            "aggregation": aggregation(method),
        }

    def is_compatible(self, model: lit_model.Model, dataset: lit_dataset.Dataset) -> bool:
        """True for an encoder with layer probes of whole texts."""
        return reads_whole_texts(model)

    def description(self) -> str:
        """What the method measures."""
        return description_of(self._method)

    def meta_spec(self) -> types.Spec:
        """A map over tokens; cheap ones are made whenever a text is selected."""
        return {"salience": types.TokenSalience(autorun=self._method.cheap, signed=self._method.signed)}

    def config_spec(self) -> types.Spec:
        """The controls of the row. LIT's form starts with the first of several choices."""
        targets = [AS_ABOVE, explaining.PREDICTED, explaining.GOLD]
        targets += [explaining.CLASS_PREFIX + name for name in self._class_names]
        explained = explaining.EXPLAINED if self._with_head else (explaining.PROBE,)
        spec: types.Spec = {
            **({LITS_TARGET: types.SalienceTargetInfo(required=False)} if self._method.explains else {}),
            "explain": _choice(explained),
            "layer": _choice([DEV_CHOSEN, *map(str, range(self._n_layers))]),
            **({_KEYS["target"]: _choice(targets), _KEYS["scalar"]: _choice(list(SCALARS))} if self._method.explains else {}),
            "show": _choice([TOKENS, WORDS]),
            _KEYS["aggregation"]: _choice(explaining.AGGREGATIONS[self._method.signed]),
        }
        return spec | {explaining.TITLES.get(name, name): self._keys[name].control for name in self._method.uses}

    def run(
        self,
        inputs: Sequence[types.JsonDict],
        model: lit_model.Model,
        dataset: lit_dataset.Dataset,
        model_outputs: Sequence[types.JsonDict] | None = None,
        config: types.JsonDict | None = None,
    ) -> list[dict[str, dtypes.TokenSalience]]:
        """The map of each example. Where there can be none, the panel shows why: an error would leave it waiting for ever.

        Args:
          inputs: any examples with a text, edited ones too.
          model: an encoder with layer probes.
          dataset: the data set that the examples belong to.
          model_outputs: not used.
          config: see ``config_spec``; everything has a default. Options may also go by their own names.

        Raises:
          LitProbeError: the configuration cannot be understood, the probes are not ready, or a read-only server is asked for many
            maps.
        """
        settings, probes = {_NAMES.get(key, key): value for key, value in settings_of(config).items()}, probe_model(model)
        follows = settings.get("target", AS_ABOVE) == AS_ABOVE
        values = read_keys(settings | ({"target": explaining.PREDICTED} if follows else {}), self._keys)
        question, show, how = map_question(values), values["show"], values["aggregation"]
        above = _class_above(values[LITS_TARGET], probes) if follows else None
        check_few(probes.checks, len(inputs))
        explainer = explainer_of(probes)
        if status := explainer.status(question):
            raise LitProbeError(status["message"])
        maps = []
        for example in map(probes.read, inputs):
            try:
                planned = explainer.plan(_following(question, above, explainer), self._method.name, example, dataset)
                if not (planned.is_quick or explainer.is_made(planned)):
                    raise _takes_too_long(planned)
                explained = explainer.make(planned)
            except LitProbeError as error:
                maps.append(_groups({NO_MAP: ((), ()), plain_message(str(error)): ((), ())}))
            else:
                maps.append(_drawn(explained, show, how, explainer.baseline_line(planned, how)))
        return maps


def salience_rows(models: Sequence[ProbeModel]) -> dict[str, SalienceRow]:
    """The rows of LIT's panel by their titles, with controls that hold every layer and class of any of the models."""
    names = [model.label_names for model in models] + [model.head_label_names or () for model in models]
    class_names = tuple(dict.fromkeys(name for part in names for name in part))
    n_layers = max((model.encoder.n_layers for model in models), default=0)
    with_head = any(model.head_label_names for model in models)
    return {method.title: SalienceRow(method, n_layers, class_names, with_head) for method in SALIENCE_METHODS.values()}


def description_of(method: SalienceMethod) -> str:
    """What a method measures, in one sentence: the first one of the module that computes it."""
    module = inspect.getmodule(method.compute)
    return (inspect.getdoc(module) or method.title).split("\n")[0]


def aggregation(method: SalienceMethod) -> Key:
    """How one score is made of a word's tokens, in a way that suits the method's scores."""
    ways = explaining.AGGREGATIONS[method.signed]
    return one_of(ways, ways[0])


def _class_above(asked: Any, model: ProbeModel) -> str | None:
    """The class that is chosen above LIT's rows; None while LIT has not chosen the predicted one yet."""
    asked = asked or {}
    if not isinstance(asked, Mapping):
        raise LitProbeError(f"{LITS_TARGET!r} must be an object with a field and the index of a class.")
    if asked.get("index") is None:
        return None
    classes = {name: type_.vocab for name, type_ in model.output_spec().items() if isinstance(type_, types.MulticlassPreds)}
    names = classes[one_of(classes).of(asked, "field")]
    return str(names[whole_number(0, len(names) - 1).of(asked, "index")])


def _following(question: MapQuestion, above: str | None, explainer: Explainer) -> MapQuestion:
    """The question about the class chosen above, which is predicted by the probe of the dev-chosen layer or by the model.

    What is explained here may tell other classes apart; then its own prediction is meant.
    """
    if above is None or explainer.class_index(explainer.forward(question), above) is None:
        return question
    return replace(question, target=explaining.CLASS_PREFIX + above)


def _takes_too_long(planned: PlannedMap) -> LitProbeError:
    asked = [name for name in ("steps", "samples", "noise_samples") if name in SALIENCE_METHODS[planned.method].uses]
    fewer = "".join(f", or with fewer {explaining.TITLES.get(name, name)}" for name in asked)
    return LitProbeError(
        f"For this map the encoder would read about {planned.n_tokens:,} tokens; LIT's rows, which cannot be cancelled, may take "
        f"{planned.most_tokens:,}. Ask for it in the panel “Salience side by side”, for a shorter text{fewer}."
    )


def _drawn(explained: Explanation, show: str, how: str, baseline_line: str) -> dict[str, dtypes.TokenSalience]:
    """The map as LIT draws it: in colors from -1 to 1, so the largest score has size 1."""
    scores = explained.scores
    texts, values = scores.by_word(how) if show == WORDS else (scores.tokens, scores.scores)
    largest = float(np.abs(values).max())
    said = f" of {explained.class_name} is {scores.value:.3g}"
    if scores.target.scalar == NUMBER_SCALAR:
        said = f" is {among_numbers(scores.value, *((explained.gold,) if isinstance(explained.gold, float) else ()))}"
    caption = f"{scores.explained}: {scores.target.scalar}{said}"
    if no_explanation := SALIENCE_METHODS[scores.method].no_explanation:
        caption = f"what reaches the {scores.explained}: {no_explanation.removesuffix('.')}"
    remarks = [f"color scale: 1 is {largest:.3g}"]
    if show == WORDS:
        remarks.append(f"{_AGGREGATED[how]} of each word's tokens")
    remarks += [said for said in (scores.warning, explained.predicted_by) if said] + _remarks(scores)
    remarks += [baseline_line] if baseline_line else []
    if beyond := scores.words_beyond_limit:
        shown = " ".join(beyond[:_MAX_WORDS]) + (" …" if len(beyond) > _MAX_WORDS else "")
        remarks.append(f"{len(beyond):,} words beyond the limit were not read: {shown}")
    return _groups({caption: (texts, values / largest if largest else values), "; ".join(remarks): ((), ())})


def _remarks(scores: TokenScores) -> list[str]:
    """How the map was made, and how far it can be trusted."""
    said = dict(scores.diagnostics)
    exact = []
    if scores.method == "kernel_shap" and said["enumerated"]:
        # How well a sum of scores describes every text does not matter to them.
        exact = ["exact Shapley values"]
        said = {name: value for name, value in said.items() if name not in ("r2", "effective_samples", "enumerated")}
    named = explaining.TITLES
    return exact + [f"{named.get(name, name.replace('_', ' '))} {_short(value)}" for name, value in said.items()]


def _groups(groups: Mapping[str, tuple[Sequence[str], Sequence[float] | NDArray[np.float64]]]) -> dict[str, dtypes.TokenSalience]:
    return {
        title: dtypes.TokenSalience(list(tokens), np.asarray(values, dtype=np.float64).tolist())
        for title, (tokens, values) in groups.items()
    }


def _short(value: float | int | str) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _choice(vocab: Sequence[str]) -> types.CategoryLabel:
    return types.CategoryLabel(vocab=list(vocab), default=vocab[0], required=False)

"""The checks that a careful reader asks of a layer curve, computed in the background once a panel asks for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model
from lit_nlp.api import types

from lit_probe.checks.baselines import BASELINES
from lit_probe.checks.battery import CHECKS, find_check, run_check
from lit_probe.checks.layer_comparison import compare_two_layers
from lit_probe.errors import LitProbeError
from lit_probe.lit.host.dataset import ProbeDataset, probe_dataset
from lit_probe.lit.host.model import ProbeModel, probe_model
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
from lit_probe.progress import Progress


class ProbeChecksInterpreter(ProbeInterpreter):
    """What else can be said of the layers at which the concept is decodable: selectivity, baselines, calibration and more.

    Everything is measured on the dev rows of the data set that the probes were trained on, whatever is selected.
    """

    def config_spec(self) -> types.Spec:
        """Which check."""
        return {"check": types.CategoryLabel(vocab=list(CHECKS), default=next(iter(CHECKS)), required=True)}

    def run(
        self,
        inputs: Sequence[types.JsonDict],
        model: lit_model.Model,
        dataset: lit_dataset.Dataset,
        model_outputs: Sequence[types.JsonDict] | None = None,
        config: types.JsonDict | None = None,
    ) -> dict[str, Any]:
        """The check's result, or how far it is: the first to ask starts it, and nobody waits for it.

        Args:
          inputs: not used.
          model: an encoder with layer probes.
          dataset: the one that is shown.
          model_outputs: not used.
          config: ``check``, a name in ``CHECKS``; its variant where it has some (``{"check": "selectivity", "control":
            "first_word"}``, ``{"check": "baselines", "baseline": "tfidf"}``); ``{"check": "layer_comparison", "layers": [3, 1]}``
            for these two alone, see ``layer_comparison.compare_two_layers``; ``"cancel": true`` to end the computation.

        Returns:
          ``status``: ``ready`` with ``check``, ``title`` and the result; ``computing`` with ``message`` and ``fraction``;
          ``failed`` with ``message``; ``cancelled``.

        Raises:
          LitProbeError: the configuration cannot be understood.
        """
        question, probes = _question(config), probe_model(model)
        if status := probes.study.status():
            return status
        study, checks = probes.study.result(), probes.checks
        question = question._replace(variant=probes.dataset.source_variant(question.variant))
        check = CHECKS[question.check]
        title = f"{_title(question)} of {probes.encoder.name} on {study.splits.name}"
        if question.layers:
            layer, other = question.layers
            pair_key = (study.fingerprint, question.check, layer, other)
            return checks.ask(pair_key, title, lambda _: compare_two_layers(study, layer, other).to_json(), quick=True)
        key = (study.fingerprint, question.check, question.variant)
        if question.cancel:
            answer = checks.cancel(key, title)
        else:

            def compute(progress: Progress) -> dict[str, Any]:
                return run_check(question.check, study, checks.cache, progress, question.variant).to_json()

            answer = checks.ask(key, title, compute, quick=check.quick)
        if answer["status"] != "ready":
            return answer
        if "rows" in answer:
            answer = {**answer, "rows": _shown_rows(answer["rows"], probes, probe_dataset(dataset))}
        # A variant has a title of its own.
        return {"check": question.check, "title": check.title, **answer}


class _Question(NamedTuple):
    check: str
    variant: str | None
    cancel: bool
    layers: tuple[int, int] | None = None


def _question(config: object) -> _Question:
    """What is asked.

    Raises:
      LitProbeError: says what is wrong with the configuration.
    """
    if not isinstance(config, Mapping) or not isinstance(config.get("check"), str):
        raise LitProbeError("The configuration must name a check, as in {'check': 'calibration'}.")
    check = find_check(config["check"])
    variant_name = check.variant
    pairs = {"layers"} if config["check"] == "layer_comparison" else set()
    allowed = {"check", "cancel"} | ({variant_name} if variant_name else set()) | pairs
    if unknown := sorted(str(key) for key in config if key not in allowed):
        raise LitProbeError(f"The check {config['check']!r} takes {', '.join(sorted(allowed))}, but not {', '.join(unknown)}.")
    variant = config.get(variant_name) if variant_name else None
    if variant is not None and not isinstance(variant, str):
        raise LitProbeError(f"The {variant_name} must be named by a string, not by {type(variant).__name__}.")
    return _Question(config["check"], variant or check.default, bool(config.get("cancel")), _two_layers(config.get("layers")))


def _two_layers(layers: object) -> tuple[int, int] | None:
    if layers is None:
        return None
    match layers:
        case [int() as one, int() as other]:
            return one, other
    raise LitProbeError(f"Two layers are named by two whole numbers, as in [3, 1], not by {layers!r}.")


def _title(question: _Question) -> str:
    """What people read while it is computed."""
    title = CHECKS[question.check].title
    if question.check == "baselines" and question.variant in BASELINES:
        return f"Baseline: {BASELINES[question.variant].title}"
    return f"{title} ({question.variant.replace('_', ' ')})" if question.variant else title


def _shown_rows(rows: Sequence[Mapping[str, Any]], probes: ProbeModel, shown: ProbeDataset | None) -> list[dict[str, Any]]:
    """Positions among all dev rows as positions among the rows that LIT shows; rows that it does not show are left out.

    LIT shows dev first. Where it shows another data set than the probes' own, nothing is left.
    """
    indices = probes.dataset.shown["dev"] if shown is probes.dataset else np.zeros(0, dtype=np.int64)
    place = {int(row): position for position, row in enumerate(indices)}
    return [
        {
            name: [place[row] for row in value if row in place] if isinstance(value, list) else value
            for name, value in layer.items()
        }
        for layer in rows
    ]

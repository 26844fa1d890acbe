"""The checks that a careful reader asks of a layer curve, computed in the background once a panel asks for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lit_probe.checks.baselines import BASELINES
from lit_probe.checks.battery import CHECKS, run_check
from lit_probe.checks.layer_comparison import compare_two_layers
from lit_probe.data.asked import CLASSES, NUMBER, TEXT, WORD
from lit_probe.errors import LitProbeError
from lit_probe.lit.host.config_values import Key, any_text, flag, maybe, one_of
from lit_probe.lit.host.dataset import ProbeDataset
from lit_probe.lit.host.model import ProbeModel
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
from lit_probe.lit.interpreters.question import Question
from lit_probe.progress import Progress


def _two_layers(value: Any, name: str) -> tuple[int, int]:
    match value:
        case [int() as one, int() as other]:
            return one, other
    raise LitProbeError(f"Two layers are named by two whole numbers, as in [3, 1], not by {value!r}.")


class ProbeChecksInterpreter(ProbeInterpreter):
    """What else can be said of the layers at which the concept is decodable: selectivity, baselines, calibration and more.

    Everything is measured on the dev rows of the data set that the probes were trained on, whatever is selected.
    """

    keys = {"check": one_of(CHECKS), "cancel": flag()}
    by = "check"
    # The variant of a check that has some (a control, a baseline), and two layers to be compared with each other alone.
    further = {name: {check.variant: maybe(any_text())} if check.variant else {} for name, check in CHECKS.items()} | {
        "layer_comparison": {"layers": maybe(Key(_two_layers))}
    }
    form = ("check",)
    units = (TEXT, WORD)
    targets = (CLASSES, NUMBER)

    def answer(self, question: Question) -> dict[str, Any]:
        """The check's ``title`` and its result; of two layers what `compare_two_layers` gives."""
        study, probes, name = question.study, question.probes, question["check"]
        check = CHECKS[name]
        if question.values.get("layers"):
            layer, other = question["layers"]
            return question.ask(
                (layer, other), check.title, lambda _: compare_two_layers(study, layer, other).to_json(), quick=True
            )
        variant = probes.dataset.source_variant(question.values.get(check.variant or "") or check.default_of(probes.unit))

        def compute(progress: Progress) -> dict[str, Any]:
            return run_check(name, study, probes.checks.cache, progress, variant).to_json()

        answer = question.ask((name, variant), _title(name, variant), compute, quick=check.quick)
        if "rows" in answer:
            answer = {**answer, "rows": _shown_rows(answer["rows"], probes, question.shown)}
        # A variant has a title of its own.
        return {"check": name, "title": check.title, **answer}


def _title(name: str, variant: str | None) -> str:
    """What people read while it is computed."""
    if name == "baselines" and variant in BASELINES:
        return f"Baseline: {BASELINES[variant].title}"
    title = CHECKS[name].title
    return f"{title} ({variant.replace('_', ' ')})" if variant else title


def _shown_rows(rows: Sequence[Mapping[str, Any]], probes: ProbeModel, shown: ProbeDataset | None) -> list[dict[str, Any]]:
    """Positions among all dev rows as positions among the rows that LIT shows; rows that it does not show are left out.

    LIT shows dev first. Where it shows another data set than the probes' own, or has an order of its own, nothing is left.
    """
    ours = shown is probes.dataset and probes.reader is None
    place = probes.dataset.places_of_dev if ours else {}
    return [
        {
            name: [place[row] for row in value if row in place] if isinstance(value, list) else value
            for name, value in layer.items()
        }
        for layer in rows
    ]

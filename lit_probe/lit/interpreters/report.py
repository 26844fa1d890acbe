"""The report of a model's study, as one HTML file to keep."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lit_probe.checks.baselines import BASELINES, Baselines
from lit_probe.checks.battery import CHECKS, REPEATS, find_check, run_battery
from lit_probe.checks.check import CheckResult, FailedCheck
from lit_probe.data.asked import CLASSES, NUMBER, TEXT, WORD, UnitKind
from lit_probe.lit.host.config_values import flag
from lit_probe.lit.host.fields import model_name
from lit_probe.lit.interpreters.probe_checks import ProbeChecksInterpreter
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
from lit_probe.lit.interpreters.question import Question
from lit_probe.probing.loss_curve import has_loss_curve, loss_curve
from lit_probe.progress import Progress
from lit_probe.report.page import report_html
from lit_probe.report.run_file import run_json, run_of, study_json


class ReportInterpreter(ProbeInterpreter):
    """A page about the study that explains itself, for a browser or for paper.

    It tells the checks that a panel has had computed in this server, and those that take a second. Of the others it says that
    they were not run.
    """

    keys = {"cancel": flag()}
    units = (TEXT, WORD)
    targets = (CLASSES, NUMBER)

    def answer(self, question: Question) -> dict[str, Any]:
        """The page: ``html``; ``name``, of its file; ``checks``, the names of those that it tells."""
        study, probes = question.study, question.probes
        done, copies = question.finished(ProbeChecksInterpreter.__name__), probes.dataset.copies.result()

        def compute(progress: Progress) -> dict[str, Any]:
            progress(0, 1)
            ready, control, n_repeats = _battery(done, study.headline, probes.unit)
            served = [name for name, check in CHECKS.items() if probes.unit in check.units and probes.target in check.targets]
            quick = [name for name in served if CHECKS[name].quick and name not in ready]

            def step(step: str, done: int, total: int, unit: str) -> None:
                progress(done, total)

            both = {**ready, **run_battery(study, probes.checks.cache, step, quick)}
            battery = {name: both[name] for name in CHECKS if name in both}
            losses = loss_curve(study, cache=probes.checks.cache) if has_loss_curve(study) else None
            data = {study.splits.name: study_json(study, battery, copies, probes.circularity, losses)}
            run = run_json(study.settings(), data, control=control, repeat=n_repeats)
            html = report_html(run_of(json.loads(json.dumps(run, allow_nan=False))))
            name = f"report_{model_name(probes.encoder.name, probes.dataset.name)}.html"
            return {"html": html, "name": name, "checks": list(battery)}

        # What a panel has had computed since makes another page.
        return question.ask(tuple(sorted(map(str, done))), "Report", compute, quick=True)


def _battery(
    done: Mapping[Any, Mapping[str, Any]], metric: str, unit: UnitKind
) -> tuple[dict[str, CheckResult | FailedCheck], str, int]:
    """The checks that are ready, of those with variants one: the usual one, else the first; and of other splits the most.

    Args:
      done: the answers by check and variant.
      metric: the name of the study's headline metric.
      unit: what its rows stand for.

    Returns:
      The checks by name, the control of selectivity, and the number of other splits.
    """
    ready: dict[str, CheckResult | FailedCheck] = {}
    variants: dict[str, list[str]] = {}
    for key in done:
        match key:
            case (str(name), None) if name in CHECKS and CHECKS[name].variant is None:
                ready[name] = CHECKS[name].result.from_json(done[key])
            case (str(name), str(variant)) if name in CHECKS:
                variants.setdefault(name, []).append(variant)
    if measured := [name for name in BASELINES if name in variants.get("baselines", ())]:
        parts = [BASELINES[name].result.from_json(done["baselines", name]) for name in measured]
        ready["baselines"] = Baselines.of(metric, parts)
    usual = str(find_check("selectivity").default_of(unit))
    controls = sorted(variants.get("selectivity", ()), key=lambda control: (control != usual, control))
    if controls:
        ready["selectivity"] = CHECKS["selectivity"].result.from_json(done["selectivity", controls[0]])
    repeated = max(variants.get(REPEATS, ()), key=int, default="0")
    if int(repeated):
        ready[REPEATS] = CHECKS[REPEATS].result.from_json(done[REPEATS, repeated])
    return ready, controls[0] if controls else usual, int(repeated)

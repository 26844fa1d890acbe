"""Which layers say the same: among those of the model, beside another model's or random weights', or in a series of models."""

from __future__ import annotations

from typing import Any

from lit_probe.data.asked import CLASSES, NUMBER, TEXT, WORD
from lit_probe.lit.host.config_values import any_text, flag, maybe, one_of
from lit_probe.lit.host.pending_checks import NotReadyError
from lit_probe.lit.host.pending_study import PendingStudy
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
from lit_probe.lit.interpreters.question import Question
from lit_probe.progress import Progress, of_part
from lit_probe.registry import lookup
from lit_probe.views.compared_sides import side_of, with_random_weights
from lit_probe.views.layer_similarity import compare_sides, layer_similarity
from lit_probe.views.similarity_measures import MEASURES
from lit_probe.views.similarity_series import similarity_series

RANDOM_WEIGHTS = "random weights"
SERIES = "the series"
# Of a thousand parts, so many are taken by the pass over the texts with random weights.
_READING, _ALL = 600, 1_000


class LayerSimilarityInterpreter(ProbeInterpreter):
    """Which layers say the same, on the rows of the model's own data set, whatever is selected.

    ``measure`` is a name in ``MEASURES``. ``other`` is the other model's name in LIT, or ``random weights`` for the same
    architecture untrained; None compares the layers of the model among themselves. ``the series`` asks for all models on the
    data set that have the same layers, such as checkpoints, in the order in which they are served.
    """

    keys = {"measure": one_of(MEASURES, default="cka"), "other": maybe(any_text()), "cancel": flag()}
    form = ("measure",)
    units = (TEXT, WORD)
    targets = (CLASSES, NUMBER)

    def check(self, question: Question) -> None:
        """Refuses a model whose probes were trained on another data set."""
        self._other(question)

    def answer(self, question: Question) -> dict[str, Any]:
        """The similarity of all pairs of layers, with the ``measures`` and the ``others`` that may be asked for.

        Of the series: what `similarity_series` gives.
        """
        if question["other"] == SERIES:
            return {**self._series(question), "measures": _measures(), "others": self._others(question)}
        study, measure, pending = question.study, question["measure"], self._other(question)
        if pending is not None and (status := pending.status()):
            raise NotReadyError(status)
        beside = question["other"]

        def compute(progress: Progress) -> dict[str, Any]:
            if beside != RANDOM_WEIGHTS:
                other = None if pending is None else pending.result()
                return layer_similarity(study, other, measure=measure, progress=progress).to_json()
            one = side_of(study, MEASURES[measure], None, "")
            reading = of_part(progress, 0, _READING, _ALL)
            twin = with_random_weights(study, measure=measure, cache=question.probes.checks.cache, progress=reading)
            comparing = of_part(progress, _READING, _ALL, _ALL)
            return compare_sides(one, twin, measure, split=MEASURES[measure].split, progress=comparing).to_json()

        title = f"{MEASURES[measure].title} of layers"
        found = question.ask((measure, beside), title if beside is None else f"{title} beside {beside}", compute)
        return {**found, "measures": _measures(), "others": self._others(question)}

    @staticmethod
    def _other(question: Question) -> PendingStudy | None:
        if question["other"] in (None, RANDOM_WEIGHTS, SERIES):
            return None
        return lookup(question.probes.peers, question["other"], "model")

    @staticmethod
    def _others(question: Question) -> list[dict[str, str]]:
        """The models beside which it can stand, and what each is called."""
        own = question.probes.study
        found = [
            {"value": name, "title": pending.encoder.name}
            for name, pending in question.probes.peers.items()
            if pending is not own
        ]
        if question.probes.encoder.has_network:
            found.append({"value": RANDOM_WEIGHTS, "title": "itself with random weights"})
        if len(alike := _alike(question)) > 1:
            found.append({"value": SERIES, "title": f"the series of all {len(alike)}"})
        return found

    @staticmethod
    def _series(question: Question) -> dict[str, Any]:
        measure, alike = question["measure"], _alike(question)
        for pending in alike.values():
            if status := pending.status():
                raise NotReadyError(status)

        def compute(progress: Progress) -> dict[str, Any]:
            return similarity_series([one.result() for one in alike.values()], measure=measure, progress=progress).to_json()

        return question.ask((measure, SERIES, *alike), f"{MEASURES[measure].title} of the series, with that", compute)


def _alike(question: Question) -> dict[str, PendingStudy]:
    """The models with the same layers on this data set, this one among them, in the order in which they are served."""
    own = question.probes.encoder.layer_names
    return {name: one for name, one in question.probes.peers.items() if one.encoder.layer_names == own}


def _measures() -> list[dict[str, str]]:
    return [{"value": name, "title": one.title} for name, one in MEASURES.items()]

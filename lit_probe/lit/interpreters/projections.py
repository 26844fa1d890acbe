"""Where the rows on the page stand in two dimensions, at every layer."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.data.asked import CLASSES, NUMBER
from lit_probe.errors import LitProbeError
from lit_probe.lit.host.config_values import flag, one_of
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
from lit_probe.lit.interpreters.question import Question
from lit_probe.progress import Progress
from lit_probe.views.planes import WAYS
from lit_probe.views.projections import LayerPicture, Projections, fit_projections
from lit_probe.views.umap_door import umap_is_installed

MOST_AT_ONCE = 200
# Places travel with so many steps from one end of a picture to the other: a canvas has fewer pixels.
_STEPS = 20_000


class ProjectionsInterpreter(ProbeInterpreter):
    """Every layer as a picture: PCA, t-SNE, UMAP, NMF or the probe's plane, fitted to train, with the examples of the request.

    ``at_once`` places few examples, such as edits, in pictures that are there; trustworthiness is then not measured.
    """

    keys = {"method": one_of(tuple(WAYS), "pca"), "at_once": flag(), "cancel": flag()}
    form = ("method",)
    reads_texts = True
    waits_for_rows = True
    targets = (CLASSES, NUMBER)

    def check(self, question: Question) -> None:
        """Refuses more examples than are placed at once."""
        if question["at_once"] and len(question.inputs) > MOST_AT_ONCE:
            raise LitProbeError(f"{MOST_AT_ONCE} examples are placed at once, and {len(question.inputs)} were sent.")

    def answer(self, question: Question) -> dict[str, Any]:
        """The pictures, with the places ``xy`` ``[n_layers][n_examples]`` in the order of the examples; `Pictures` has the rest.

        ``methods`` lists all ways; one with a ``missing`` cannot be asked for, and that says why.
        """
        method, study = question["method"], question.study
        title = WAYS[method].title

        def fit(progress: Progress) -> dict[str, Any]:
            return {"fitted": fit_projections(study, method, progress=progress)}

        fitted: Projections = question.ask(("fit", method), title, fit, quick=WAYS[method].quick)["fitted"]

        def place(progress: Progress) -> dict[str, Any]:
            progress(0, 1)
            rows = question.probes.pooled(question.texts)
            return _told(question, fitted, fitted.pictures(rows, trust=not question["at_once"], progress=progress).layers)

        if question["at_once"]:
            return place(lambda done, total: None)
        texts = hashlib.sha256("\0".join(question.texts).encode("utf-8", "surrogatepass")).hexdigest()
        return question.ask(("rows", method, texts), f"{title}, rows", place, quick=WAYS[method].quick)


def _told(question: Question, fitted: Projections, pictures: Sequence[LayerPicture]) -> dict[str, Any]:
    study = question.study
    n_trusted = fitted.n_trusted(len(question.inputs)) if not question["at_once"] else 0
    notes = []
    if fitted.n_fitted < fitted.n_train:
        notes.append(f"Fitted to {fitted.n_fitted:,} of {fitted.n_train:,} train rows, drawn by seed {fitted.seed}.")
    if fitted.perplexity is not None:
        notes.append(f"Perplexity {fitted.perplexity:g}, start by PCA, seed {fitted.seed}.")
    if n_trusted:
        notes.append(f"Trustworthiness: 15 neighbours, {n_trusted:,} of the rows shown.")
    return {
        "method": fitted.method,
        "title": fitted.way.title,
        "reading": fitted.way.reading,
        "share_of": fitted.way.share_of,
        "methods": [{"name": name, "title": way.title, "missing": _missing(name)} for name, way in WAYS.items()],
        "encoder": fitted.encoder,
        "trained_on": fitted.dataset,
        "pooling": study.pooling,
        "probe": study.layerwise.kind,
        "best_layer": study.best_layer,
        "n_layers": study.layerwise.n_layers,
        "layer_names": question.probes.layer_names,
        "sites": question.probes.sites,
        "n_fitted": fitted.n_fitted,
        "boundary": 0.0 if fitted.method == "probe" and len(study.splits.label_names) == 2 else None,
        "layers": [
            {
                "layer": one.layer,
                "axes": None if one.axes is None else list(one.axes),
                "explained": one.explained,
                "trustworthiness": one.trustworthiness,
                "reason": one.reason,
                "xy": rounded(one.xy, plane if isinstance(plane, str) else plane.of_fitted).tolist(),
            }
            for one, plane in zip(pictures, fitted.planes, strict=True)
        ],
        "notes": notes,
    }


def _missing(method: str) -> str:
    return "" if method != "umap" or umap_is_installed() else "Install lit-probe[umap]."


def rounded(xy: NDArray[np.float64], of_fitted: NDArray[np.float64] | str) -> NDArray[np.float64]:
    """Places with as many digits as a picture can show: an edit's are rounded as the others are."""
    if isinstance(of_fitted, str) or not len(xy):
        return xy
    width = float(np.ptp(of_fitted, axis=0).max()) or 1.0
    return np.round(xy, max(0, int(np.ceil(np.log10(_STEPS / width)))))

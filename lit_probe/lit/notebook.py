"""LIT in a notebook cell, and what it shows as Python objects.

The server runs in threads of the kernel's own process, so nothing is left behind when the kernel ends.
"""

from __future__ import annotations

import base64
import copy
import html
import io
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import wait
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast
from urllib.parse import urlsplit

import numpy as np
import pandas
import platformdirs
from IPython.core.getipython import get_ipython
from IPython.core.pylabtools import select_figure_formats
from IPython.display import display
from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model
from lit_nlp.components import core
from lit_nlp.lib.ui_state import UIState
from numpy.typing import NDArray

from lit_probe.data import DatasetOptions, load_dataset, parse_dataset_flag, split_texts
from lit_probe.data.asked import CLASSES
from lit_probe.data.labelled_texts import Splits
from lit_probe.data.python_tables import is_table
from lit_probe.encoder.activations import default_pooling
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.dtypes import AUTO, dtype_of
from lit_probe.encoder.encoder import Encoder, as_encoder
from lit_probe.encoder.pooling import POOLINGS
from lit_probe.errors import CancelledError, LitProbeError
from lit_probe.figures import layer_curve
from lit_probe.lit import app
from lit_probe.lit.host.fields import model_name
from lit_probe.lit.host.foreign import ForeignModels
from lit_probe.lit.host.model import is_probe_model, probe_model
from lit_probe.lit.host.pending_checks import PendingChecks
from lit_probe.lit.host.pending_study import PendingStudy
from lit_probe.lit.interpreters import interpreters_for
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
from lit_probe.lit.plugin import attach
from lit_probe.lit.server.web import serve
from lit_probe.probing.layerwise import check_probe
from lit_probe.probing.probes import DEFAULT_PROBES, PROBES, ProbeOptions
from lit_probe.probing.rules import StudyRules
from lit_probe.probing.study import LayerStudy, probe_layers
from lit_probe.progress import StudyProgress, tqdm_progress
from lit_probe.registry import lookup

if TYPE_CHECKING:
    from lit_probe.figures import Figure

# An id, an encoder, or a transformers model and its tokenizer.
OneModel: TypeAlias = str | Encoder | tuple[Any, Any]
Model: TypeAlias = OneModel | Sequence[OneModel] | Mapping[str, lit_model.Model]


class NamedColumns(Protocol):
    """A ``datasets.Dataset`` or an Arrow table, as far as types go: neither library is imported here."""

    @property
    def column_names(self) -> Any:
        """The names of the columns."""


Texts: TypeAlias = Sequence[str] | NDArray[Any] | pandas.Series
HeldTable: TypeAlias = pandas.DataFrame | NamedColumns | Sequence[Mapping[str, Any]] | Mapping[str, Any]
Data: TypeAlias = str | Splits | Texts | HeldTable | Mapping[str, lit_dataset.Dataset]
Values: TypeAlias = Sequence[str | int] | NDArray[Any] | pandas.Series

# A notebook's page on this machine may frame ours, whichever port it has. In VS Code a cell's output is a page of its own scheme,
# inside the editor's, and a browser asks whether both may.
_NOTEBOOKS_HERE = ("'self'", "http://localhost:*", "http://127.0.0.1:*", "vscode-webview:", "vscode-file:")
# A request that takes longer goes on by itself; nobody is left to read its answer.
_PATIENCE_S = 0.5
_POLL_S = 0.1
_PORT = "%PORT%"
_MIN_HEIGHT = 100


@dataclass(frozen=True)
class Address:
    """Where the widget's page stands, and who may reach it.

    Attributes:
      port: the port to listen on; 0 takes a free one.
      proxy_url: where a browser finds the page, if not at this machine's own port: a path or an address, with ``%PORT%`` where
        the port belongs. By default the environment variable ``LIT_PROXY_URL``, as for LIT's own widget.
      allowed_hosts: names of machines under which a browser finds the page; the one in ``proxy_url`` need not be repeated.
      frame_ancestors: further pages that may frame this one, such as ``"https://lab.example.org"``.
    """

    port: int = 0
    proxy_url: str | None = None
    allowed_hosts: Sequence[str] = ()
    frame_ancestors: Sequence[str] = ()


class ProbeWidget:
    """LIT on one or several encoders, in a notebook cell.

    The page opens at once: the probes are fitted in the background, and the panels tell how far they are. ``layers``,
    ``figure`` and ``study`` wait for them, with a progress bar.

    Where the browser reaches this machine only through the notebook's own server (JupyterHub, a remote machine), install
    jupyter-server-proxy and give ``address=Address(proxy_url="/proxy/%PORT%/")``, on JupyterHub ``"/user/NAME/proxy/%PORT%/"``.

    Args:
      model: Hugging Face ids, local folders, encoders or pairs (model, tokenizer) of transformers, one or several; or ready LIT
        models by name, which get our panels where they give vectors.
      data: texts (a list, a column of a table or an array), with ``labels``; a table (a DataFrame, a ``datasets.Dataset`` or
        ``DatasetDict``, or another form that ``split_table`` takes); data sets by name as on the command line, such as
        ``"demo"``, ``"csv=reviews.csv"`` or ``"hub=org/name"``; ``Splits``; or, for ready LIT models, ready LIT data sets by
        name.
      labels: ``[n_texts]`` words or numbers, where ``data`` are texts.
      groups: ``[n_texts]`` what must not be split across train and test, where ``data`` are texts.
      options: columns of a table, rows per split, and the seed of everything random. An option that the data do not use is
        refused.
      pooling: how a text's tokens become one vector; by default their mean, for a decoder the last one.
      probe: the kind of probe; by default ``logistic``, for a number ``ridge``.
      probe_options: how it is fitted, where not the usual way; not beside ready LIT models.
      dtype: ``float32``, ``bfloat16`` or ``float16``, in which weights are read, those of models in memory too; ``auto`` is
        float32. An `Encoder` has its own, and so have ready LIT models.
      rules: how studies are scored, and how their layers are chosen; the usual way when None.
      cache: where results are kept; by default in the folder of the command line. ``Cache(None)`` keeps nothing.
      height: the height of the page in the cell, in pixels.
      layout: the layout that the page opens with.
      address: where the page stands, and who may reach it.

    Attributes:
      port: the port it listens on.
      url: where a browser finds the page.

    Raises:
      LitProbeError: something of this cannot be had, such as a model, a column or the port; the message says what to do.
    """

    def __init__(
        self,
        model: Model,
        data: Data = "demo",
        labels: Values | None = None,
        *,
        groups: Values | None = None,
        options: DatasetOptions | None = None,
        pooling: str | None = None,
        probe: str | None = None,
        probe_options: ProbeOptions | None = None,
        dtype: str = AUTO,
        rules: StudyRules | None = None,
        cache: Cache | None = None,
        height: int = 800,
        layout: str = "notebook",
        address: Address | None = None,
    ):
        # What can be wrong is said before any work.
        if pooling is not None:
            lookup(POOLINGS, pooling, "pooling")
        if probe is not None:
            lookup(PROBES, probe, "probe")
        if isinstance(model, Mapping):
            check_probe(probe or DEFAULT_PROBES[CLASSES], CLASSES, probe_options)
        dtype_of(dtype)
        self._height = _checked_height(height)
        address = address or Address()
        _check_port(address.port)
        proxy = _checked_proxy(address.proxy_url or os.environ.get("LIT_PROXY_URL", ""), address.port)
        proxy_host = urlsplit(proxy).hostname
        shown = app.AppOptions(
            allowed_hosts=(*address.allowed_hosts, *([proxy_host] if proxy_host else [])),
            layout=layout,
            frame_ancestors=(*_NOTEBOOKS_HERE, *address.frame_ancestors),
            sync_state=True,
            rules=rules,
        )
        self._stopped = False
        self._foreign: ForeignModels | None = None
        self._pages: list[Any] = []  # the handles of the cells that show the page
        self._progress: dict[str, tuple[int, int, str]] = {}
        options, cache = options or DatasetOptions(), cache or Cache(platformdirs.user_cache_path("lit_probe"))
        self._checks = PendingChecks(cache)
        studies: list[PendingStudy] = []
        if isinstance(model, Mapping):
            self._refuse_beside_models(labels=labels, groups=groups, probe_options=probe_options)
            if dtype != AUTO:
                raise LitProbeError("Ready LIT models have read their weights already: leave out dtype=….")
            names: dict[str, Any] = {
                "text": options.text_column,
                "label": options.label_column,
                "group": options.group_column,
            }
            usual = DatasetOptions()
            named = {name: column for name, column in names.items() if column != getattr(usual, f"{name}_column")}
            ours = interpreters_for(model, **named, probe=probe or DEFAULT_PROBES[CLASSES], seed=options.seed, rules=rules)
            self._foreign = next(one.foreign for one in ours.values() if isinstance(one, ProbeInterpreter))
            interpreters = {**core.default_interpreters(model), **ours}
            application = app.lit_application(model, _ready_datasets(data), shown, interpreters=interpreters)
            page = attach(application, host=shown.host, allowed_hosts=shown.allowed_hosts, frame_ancestors=shown.frame_ancestors)
        else:
            splits_list = _splits_list(data, labels, groups, options)
            for splits in splits_list:
                check_probe(probe or DEFAULT_PROBES[splits.target], splits.target, probe_options)
            encoders = _encoders(model, dtype)
            if probe_options is not None and probe_options.class_weight is not None:
                shown = replace(shown, balanced=tuple(encoder.name for encoder in encoders))
            assembled = app.assemble(encoders, splits_list, shown, self._checks)
            application, studies = assembled.application, assembled.studies
            page = app.guarded(assembled, shown, self._checks)
        self._studies = {model_name(one.encoder.name, one.splits.name): one for one in studies}
        if isinstance(model, Mapping):
            self._studies |= {name: probe_model(one).study for name, one in model.items() if is_probe_model(one)}
        self._selected = application.ui_state_tracker
        self._server = serve(page, shown.host, address.port).start()
        self.port = self._server.port
        self.url = proxy.replace(_PORT, str(self.port)) or self._server.url

        def make_study(encoder: Encoder, splits: Splits, progress: StudyProgress) -> LayerStudy:
            def report(step: str, done: int, total: int, unit: str) -> None:
                if self._stopped:
                    raise CancelledError("the widget was stopped.")
                self._progress[step] = (done, total, unit)
                progress(step, done, total, unit)

            own = default_pooling(encoder, splits.unit)
            settings: dict[str, Any] = {"pooling": pooling if pooling and encoder.has_network else own}
            settings |= {"probe": probe, "probe_options": probe_options}
            return probe_layers(encoder, splits, **settings, seed=options.seed, rules=rules, cache=cache, progress=report)

        app.start(studies, make_study)

    def __repr__(self) -> str:
        where = "stopped" if self._stopped else self.url
        return f"ProbeWidget({', '.join(self._studies) or 'LIT models'}: {where})"

    # ---- the page --------------------------------------------------------------------------------------------------------

    def render(self, height: int | None = None) -> None:
        """Shows the page in the output of the running cell.

        Args:
          height: in pixels; by default the widget's.

        Raises:
          LitProbeError: the widget was stopped, or this is no notebook.
        """
        height = self._height if height is None else _checked_height(height)
        if self._stopped:
            raise LitProbeError("This widget was stopped. Make a new ProbeWidget: what was computed comes from the cache.")
        if getattr(get_ipython(), "kernel", None) is None:
            raise LitProbeError(f"There is no notebook to show the page in. Open {self.url} in a browser.")
        url = html.escape(self.url, quote=True)
        frame = f'<iframe src="{url}" width="100%" height="{height}" style="border: 0" title="LIT"></iframe>'
        # Where a notebook cannot show frames of other ports (some editors), a tab of its own can be opened.
        link = f'<div><a href="{url}" target="_blank" rel="noopener">Open LIT in a tab of its own</a></div>'
        shown = {"text/html": frame + link, "text/plain": f"LIT is open at {self.url}"}
        self._pages.append(display(shown, raw=True, display_id=True))

    @staticmethod
    def _refuse_beside_models(**given: Any) -> None:
        for name, values in given.items():
            if values is not None:
                raise LitProbeError(f"Ready LIT data sets have their own {name}: leave out {name}=….")

    def stop(self) -> None:
        """Frees the port, and ends what is still being computed. May be called twice; what is ready can still be asked for.

        Where the page stood in the notebook stand the curves that are ready, and how to open it again.
        """
        if not self._stopped:
            self._stopped = True
            self._checks.cancel_all()
            if self._foreign is not None:
                self._foreign.stop()
            self._server.close(_PATIENCE_S)
            for page in self._pages:
                page.update({"text/html": self._last_words(), "text/plain": repr(self)}, raw=True)

    def _last_words(self) -> str:
        """What stands in the place of the page once the widget is stopped."""
        words = (
            "<div>This widget was stopped, and its page is closed. To open it again, run the cell that makes it and this one: "
            "what was computed comes from the cache.</div>"
        )
        ready = [name for name, study in self._studies.items() if study.ready]
        return words + "".join(_picture(self.figure(name), name) for name in ready)

    @property
    def ui_state(self) -> UIState:
        """What is selected in the page now: LIT's ``primary``, ``selection`` and ``pinned`` examples, and their data set.

        An example is a mapping whose ``data`` has the text, the label and the other columns.
        """
        return copy.copy(self._selected.state)

    # ---- the numbers -----------------------------------------------------------------------------------------------------

    @property
    def layers(self) -> pandas.DataFrame:
        """One row per layer on dev: all metrics with their 95 % intervals, as ``lit-probe layers`` writes them.

        Raises:
          LitProbeError: the probes could not be computed, or the models are not ours.
        """
        rows = []
        for name in self._names():
            study = self.study(name)
            for row, layer_name in zip(study.metrics("dev").rows(), study.layer_names, strict=True):
                best = {"layer_name": layer_name, "chosen_on_dev": row.layer == study.best_layer}
                rows.append({"model": name, "layer": row.layer, **best, **row.to_json()})
        frame = pandas.DataFrame(rows)
        return frame.drop(columns=[column for column in frame if "_reason" in column])

    def figure(self, model: str | None = None) -> Figure:
        """The layer curve, as matplotlib's figure; the last expression of a cell shows it.

        Args:
          model: name in LIT, such as ``"all-MiniLM-L6-v2-on-demo"``; by default the first one.

        Raises:
          LitProbeError: there is no such model, or its probes could not be computed.
        """
        study = self.study(model)
        title = f"{study.encoder.name} on {study.splits.name}: {study.layerwise.kind} probe, {study.pooling} pooling"
        figure = layer_curve(study.to_json(), title)
        _let_figures_be_shown(type(figure))
        return figure

    def study(self, model: str | None = None) -> LayerStudy:
        """The probes, scores and activations themselves; waits for them if need be.

        Args:
          model: name in LIT, such as ``"all-MiniLM-L6-v2-on-demo"``; by default the first one.

        Raises:
          LitProbeError: there is no such model, or its probes could not be computed.
        """
        names = self._names()
        pending = self._studies[names[0]] if model is None else lookup(self._studies, model, "model")
        if self._stopped and not pending.future.done():
            # What is being computed notices at its next report of progress only.
            where = f"{pending.encoder.name} on {pending.splits.name}"
            raise LitProbeError(f"The probes of {where} could not be computed: the widget was stopped. Make a new ProbeWidget.")
        show, shown = tqdm_progress(), dict[str, tuple[int, int, str]]()
        while not wait([pending.future], timeout=_POLL_S).done:
            news = {step: state for step, state in self._progress.copy().items() if shown.get(step) != state}
            for step, (done, total, unit) in news.items():
                show(step, done, total, unit)
            shown |= news
        return pending.result()

    def _names(self) -> list[str]:
        if not self._studies:
            raise LitProbeError(
                "The probes of these LIT models are fitted for the panels, and their numbers are there. Give ProbeWidget a "
                "checkpoint, or a lit_probe.lit.ProbeModel, to have them here."
            )
        return list(self._studies)


def _picture(figure: Figure, name: str) -> str:
    """A figure as an image in a notebook's output."""
    file = io.BytesIO()
    figure.savefig(file, format="svg", bbox_inches="tight")
    source = base64.b64encode(file.getvalue()).decode("ascii")
    return f'<img src="data:image/svg+xml;base64,{source}" alt="The layer curve of {html.escape(name)}" style="max-width: 100%">'


# ---- what was asked for ----------------------------------------------------------------------------------------------------


def _encoders(model: OneModel | Sequence[OneModel], dtype: str) -> list[Encoder]:
    is_list = isinstance(model, Sequence) and not isinstance(model, str) and not _is_pair(model)
    several: list[Any] = list(model) if is_list else [model]  # type: ignore[arg-type]
    # Ids last: what cannot be read at all is told before anything is loaded.
    loaded = {
        place: as_encoder(several[place], dtype)
        for place in sorted(range(len(several)), key=lambda i: isinstance(several[i], str))
    }
    return _unlike([loaded[place] for place in range(len(several))], "encoder")


def _is_pair(model: Any) -> bool:
    """Whether it is a model with its tokenizer, and no two models."""
    return isinstance(model, tuple) and len(model) == 2 and not isinstance(model[0], str | Encoder | Sequence)


def _splits_list(data: Any, labels: Any, groups: Any, options: DatasetOptions) -> list[Splits]:
    data, labels, groups = (_listed(values) for values in (data, labels, groups))
    of_texts = isinstance(data, Sequence) and not isinstance(data, str) and not is_table(data)
    if not of_texts and (labels is not None or groups is not None):
        if is_table(data):
            raise LitProbeError(
                "A table holds its labels and groups itself. Name their columns with options=DatasetOptions(text_column=…, "
                "label_column=…, group_column=…), or give its column of texts alone: ProbeWidget(model, frame['text'], labels)."
            )
        raise LitProbeError("labels and groups go with a list of texts; a data set has its own.")
    if isinstance(data, str):
        return _unlike(
            [load_dataset(name, path, replace(options, **own)) for name, path, own in parse_dataset_flag(data)],
            "data set",
        )
    if is_table(data):
        return [load_dataset(data, options=options)]
    if unused := options.given():
        raise LitProbeError(f"{'Texts in a list' if of_texts else 'Splits'} do not use the option {unused[0]}. Leave it out.")
    if isinstance(data, Splits):
        return [data]
    if not of_texts:
        raise LitProbeError(
            f"Data of type {type(data).__name__} cannot be read. Give a list of texts with labels, a DataFrame, a "
            "datasets.Dataset, the name of a data set, Splits or, with ready LIT models, ready LIT data sets by name."
        )
    if labels is None:
        raise LitProbeError("The texts have no labels. Give one for each text: ProbeWidget(model, texts, labels).")
    return [split_texts(data, labels, groups, seed=options.seed, max_examples=options.max_examples)]


def _listed(values: Any) -> Any:
    """A table's column or an array as a list; anything else as it is."""
    return values.tolist() if isinstance(values, pandas.Series | pandas.Index | np.ndarray) else values


def _ready_datasets(data: Any) -> Mapping[str, lit_dataset.Dataset]:
    if not isinstance(data, Mapping):
        raise LitProbeError("Ready LIT models are shown on ready LIT data sets: give these by name, as in {'reviews': reviews}.")
    return data


def _unlike(loaded: list[Any], what: str) -> list[Any]:
    names = [one.name for one in loaded]
    if not names:
        raise LitProbeError(f"No {what} was named. Give at least one.")
    for name in names:
        if names.count(name) > 1:
            raise LitProbeError(f"Two {what}s are called {name!r}. Rename one of them, or make a widget for each.")
    return loaded


def _checked_height(height: int) -> int:
    if not isinstance(height, int) or height < _MIN_HEIGHT:
        raise LitProbeError(f"The height is {height!r}; give {_MIN_HEIGHT} pixels or more.")
    return height


def _check_port(port: int) -> None:
    if not isinstance(port, int):
        raise LitProbeError(f"{port!r} is not a port; give a whole number, 0 for any free port.")


def _checked_proxy(url: str, port: int) -> str:
    """The address with a slash at its end, without which the page would not find its files; empty if there is none."""
    if not url:
        return ""
    parts = urlsplit(url)
    path_alone = not parts.scheme and not parts.netloc and url.startswith("/")
    whole = parts.scheme in ("http", "https") and parts.hostname
    if not (path_alone or whole) or parts.query or parts.fragment:
        raise LitProbeError(
            f"{url!r} cannot be a proxy_url. Give a path or an address: /proxy/{_PORT}/ or https://lab.example.org/proxy/{_PORT}/"
        )
    if not port and _PORT not in url:
        raise LitProbeError(f"The proxy_url {url!r} names no {_PORT}, so it cannot lead to a free port. Add it, or give port=….")
    return url if url.endswith("/") else f"{url}/"


def _let_figures_be_shown(figure: type[Figure]) -> None:
    """Without pyplot, which we do not import, a notebook would print the figure's name instead of showing it."""
    shell = get_ipython()
    if shell is not None and not any(figure in one for one in cast(Any, shell.display_formatter).formatters.values()):
        select_figure_formats(shell, {"png"})

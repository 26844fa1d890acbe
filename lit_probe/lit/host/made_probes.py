"""Probes that somebody makes on the page, beside those that the server started with, without a restart."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lit_nlp import app as lit_app
from lit_nlp.api import components
from lit_nlp.api import dataset as lit_dataset
from lit_nlp.lib import caching

from lit_probe.data.labelled_texts import Splits
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.memory import MemoryBudget
from lit_probe.errors import LitProbeError
from lit_probe.lit.host import fields
from lit_probe.lit.host.dataset import ProbeDataset
from lit_probe.lit.host.kept_predictions import keep_last
from lit_probe.lit.host.kept_wishes import Wish, forget_wish, keep_wish
from lit_probe.lit.host.model import ProbeModel, probe_model
from lit_probe.lit.host.pending_study import PendingStudy
from lit_probe.once import Memo
from lit_probe.probing.memory_need import check_need, memory_need
from lit_probe.probing.runs import run_name
from lit_probe.probing.study import LayerStudy, probe_layers
from lit_probe.progress import Progress

# Each holds its activations, unless a cache folder does.
MOST_PROBES = 8
SEVERAL = "places of several kinds"


@dataclass(frozen=True)
class Wanted:
    """A probe that somebody asks for.

    Attributes:
      asked_of: the model on whose rows it is to be fitted.
      splits: these rows with the labels that it is to tell apart; the model's own where its own label is meant.
      wish: what was asked for.
    """

    asked_of: ProbeModel
    splits: Splits
    wish: Wish

    @property
    def place(self) -> tuple[Cache, Encoder, Splits]:
        """Where the wish is kept."""
        return self.asked_of.checks.cache, self.asked_of.encoder, self.asked_of.study.splits

    @property
    def key(self) -> Hashable:
        """Equal for equal wishes."""
        return self.asked_of.name, self.wish.name


@dataclass(frozen=True)
class Made:
    """A probe that was made.

    Attributes:
      wanted: what was asked for.
      model: LIT's model.
      dataset: the data set that it was trained on.
      n_bytes: what its activations take of the memory at most.
    """

    wanted: Wanted
    model: ProbeModel
    dataset: ProbeDataset
    n_bytes: int

    def to_json(self) -> dict[str, Any]:
        """Names in LIT, and in words what it is; the score of its chosen layer on dev."""
        study = self.model.study.result()
        score = study.metrics("dev").scores[study.headline][study.best_layer]
        return {
            "model": self.model.name,
            "dataset": fields.safe_name(self.dataset.name),
            "asked_of": self.wanted.asked_of.name,
            "title": self.dataset.name,
            "probe": self.wanted.wish.probe,
            "pooling": self.wanted.wish.pooling,
            "sites": self.wanted.wish.sites or SEVERAL,
            "best_layer": study.best_layer,
            "metric": study.headline,
            "score": score.value,
            "n": {name: len(rows) for name, rows in study.splits.items()},
        }


@dataclass(frozen=True)
class Parts:
    """How a server shows what is new on it.

    Attributes:
      dataset: shows labelled texts.
      model: shows a study on a data set.
      interpreters: the interpreters for these models.
      generators: the generators for these models.
      budget: how much memory activations of new probes may take.
    """

    dataset: Callable[[Splits], ProbeDataset]
    model: Callable[[PendingStudy, ProbeDataset], ProbeModel]
    interpreters: Callable[[Sequence[ProbeModel]], Mapping[str, components.Interpreter]]
    generators: Callable[[Sequence[ProbeModel]], Mapping[str, components.Generator]]
    budget: Callable[[], MemoryBudget]


class MadeProbes:
    """The probes that were made on the pages of one server, and how LIT comes to know them.

    Args:
      studies: the server's; those of new probes are added to them.

    Attributes:
      changed: is called after LIT has come to know of something new, or has forgotten something.
      wanted: the latest wishes, with their rows.
    """

    def __init__(self, studies: list[PendingStudy]):
        self.wanted: Memo[Hashable, Wanted] = Memo(MOST_PROBES)
        self.changed: Callable[[], None] = lambda: None
        self._studies = studies
        self._made: dict[Hashable, Made] = {}
        self._dropped = Counter[Hashable]()
        # By the name of a data set in LIT its rows, also of those that were dropped: what was computed about the rows of a name
        # would answer for others.
        self._rows: dict[str, Any] = {}
        self._lock = threading.Lock()

    def serve(self, application: lit_app.LitApp, parts: Parts) -> None:
        """Adds new probes to this application from now on."""
        self._application, self._parts = application, parts
        self._rows = {fields.safe_name(one.dataset.name): _rows_of(one.dataset.splits) for one in self._models}

    @property
    def _models(self) -> list[ProbeModel]:
        return [probe_model(one) for one in list(self._application._models.values())]

    @property
    def all(self) -> list[Made]:
        """All that are there, in the order in which they were made."""
        return list(self._made.values())

    def found(self, wanted: Wanted) -> Made | None:
        """The one that was made for an equal wish, if it is still there."""
        return self._made.get(wanted.key)

    def origin(self, model: ProbeModel) -> ProbeModel:
        """The model that the server started with: the one itself, or that on whose rows it was made."""
        return next((one.wanted.asked_of for one in self.all if one.model is model), model)

    def n_dropped(self, wanted: Wanted) -> int:
        """How often what was made for an equal wish has been dropped."""
        return self._dropped[wanted.key]

    def check_room(self) -> None:
        """That one more may be made.

        Raises:
          LitProbeError: there are too many.
        """
        if len(self._made) >= MOST_PROBES:
            raise LitProbeError(
                f"This server keeps {MOST_PROBES} new probes at most, and they are all there. Drop one of them first."
            )

    def make(self, wanted: Wanted, progress: Progress) -> Made:
        """Fits the probes and shows them to LIT.

        Args:
          wanted: what is asked for; its model's own study is ready.
          progress: hears how far it is.

        Raises:
          LitProbeError: there are too many, or the probes cannot be computed.
          CancelledError: from ``progress``; LIT then knows of nothing.
        """
        self.check_room()
        study, cache = wanted.asked_of.study.result(), wanted.asked_of.checks.cache
        encoder = self._encoder(wanted)
        steps: list[str] = []

        def report(step: str, done: int, total: int, unit: str) -> None:
            # Three splits are read, then probes are fitted.
            if step not in steps:
                steps.append(step)
            progress(1000 * (len(steps) - 1) + round(1000 * done / total) if total else 1000 * len(steps), 4000)

        splits = self._named(wanted)
        if (name := fields.model_name(encoder.name, splits.name)) in self._application._models:
            raise LitProbeError(f"{name} is there already, and is the same probe. Choose it at the top of the page.")
        n_bytes = self._check_memory(encoder, wanted.wish.pooling, splits, cache)
        fitted = probe_layers(
            encoder,
            splits,
            pooling=wanted.wish.pooling,
            probe=wanted.wish.probe,
            probe_options=study.layerwise.options if wanted.wish.probe == study.layerwise.kind else None,
            seed=study.seed,
            rules=study.rules.for_target(splits.target),
            cache=cache,
            budget=study.budget,
            progress=report,
        )
        dataset = self._dataset_of(fitted.splits) or self._parts.dataset(fitted.splits)
        progress(3999, 4000)
        with self._lock:
            return self._show(wanted, fitted, dataset, n_bytes)

    def _check_memory(self, encoder: Encoder, pooling: str, splits: Splits, cache: Cache) -> int:
        """Bytes that the activations take; the weights are there already.

        Raises:
          LitProbeError: they would not fit.
        """
        whole = splits if splits.asked_of is None else splits.asked_of.splits
        n_texts = sum(len(rows) for _, rows in whole.items())
        need = replace(memory_need([(encoder, pooling)], n_texts, cache), weights=0)
        budget = self._parts.budget()
        if budget.given:
            budget = replace(budget, n_bytes=max(0, budget.n_bytes - sum(one.n_bytes for one in self.all)))
        check_need(need, [encoder], budget)
        return 0 if need.on_disk else need.activations

    def drop(self, model: str) -> None:
        """Lets LIT forget a probe, and its data set where no other probe is of it.

        Args:
          model: its name in LIT.

        Raises:
          LitProbeError: no such probe was made.
        """
        with self._lock:
            key, made = next(((key, one) for key, one in self._made.items() if one.model.name == model), (None, None))
            if made is None:
                raise LitProbeError(f"No probe {model!r} was made here. Only those that were made on a page can be dropped.")
            del self._made[key]
            self._dropped[key] += 1
            forget_wish(*made.wanted.place, made.wanted.wish.name)
            self._forget(made.model)
            self._know()

    def _forget(self, model: ProbeModel) -> None:
        """Takes a model away, and its data set where no other model is of it."""
        self._studies.remove(model.study)
        model.peers.pop(model.name, None)
        self._application._models.pop(model.name, None)
        if not any(one.dataset is model.dataset for one in self._models):
            self._application._datasets.pop(fields.safe_name(model.dataset.name), None)

    def _encoder(self, wanted: Wanted) -> Encoder:
        """The encoder of a wish, read at its places, under a name that says in what it differs."""
        probes = wanted.asked_of
        study, encoder = probes.study.result(), probes.encoder
        options = {
            "pooling": wanted.wish.pooling if wanted.wish.pooling != study.pooling else "",
            "probe": wanted.wish.probe if wanted.wish.probe != study.layerwise.kind else "",
            "sites": "",
        }
        if wanted.wish.sites != sites_of(encoder):
            options["sites"] = f"at {wanted.wish.sites}"
            encoder = encoder.at_layers
            if wanted.wish.sites != encoder.sites[0].family:
                encoder = encoder.at(probes.checks.cache.sites(encoder, [wanted.wish.sites]))
        return encoder.named(run_name(encoder.name, {name: value for name, value in options.items() if value}))

    def _named(self, wanted: Wanted) -> Splits:
        """The rows, under another name where other rows of this server have or had it: two selections may be called alike."""
        splits, number = wanted.splits, 1
        if splits is wanted.asked_of.study.splits:
            return splits
        named, rows = splits, _rows_of(splits)
        while self._rows.setdefault(fields.safe_name(named.name), rows) != rows:
            number += 1
            named = replace(splits, name=f"{splits.name} {number}")
        return named

    def _dataset_of(self, splits: Splits) -> ProbeDataset | None:
        """The data set that shows these rows by this name already."""
        return next(
            (
                one.dataset
                for one in self._models
                if one.dataset.splits is splits
                or (one.dataset.name == splits.name and _rows_of(one.dataset.splits) == _rows_of(splits))
            ),
            None,
        )

    def _show(self, wanted: Wanted, fitted: LayerStudy, dataset: ProbeDataset, n_bytes: int) -> Made:
        application = self._application
        self.check_room()
        balanced = fitted.layerwise.options.class_weight is not None
        pending = PendingStudy(fitted.encoder, fitted.splits, fitted.rules, wanted.asked_of.checks.cache, balanced)
        pending.future.set_result(fitted)
        model = self._parts.model(pending, dataset)
        origin = wanted.asked_of
        if dataset is not origin.dataset:
            model.asked_of = {"model": origin.name, "dataset": fields.safe_name(origin.dataset.name)}
        self._studies.append(pending)
        try:
            wrapped = caching.CachingModelWrapper(model, model.name, **application._caching_model_wrapper_kw)
            application._models[model.name] = keep_last(wrapped, sum(map(len, application._datasets.values())) + len(dataset))
            if (name := fields.safe_name(dataset.name)) not in application._datasets:
                application._datasets[name] = lit_dataset.IndexedDataset(
                    base=application._run_annotators(dataset), id_fn=caching.input_hash
                )
            self._know()
        except BaseException:
            self._forget(model)
            self._know()
            raise
        # Last: who finds it here may ask LIT for it at once.
        made = self._made[wanted.key] = Made(wanted, model, dataset, n_bytes)
        keep_wish(*wanted.place, wanted.wish)
        return made

    def _know(self) -> None:
        """Lets LIT take note of what there is now, as its own `/create_model` does, which the guard refuses."""
        application = self._application
        models = self._models
        application._datasets[lit_app._EMPTY_DATASET_KEY] = lit_dataset.IndexedDataset(
            base=lit_dataset.NoneDataset(application._models), id_fn=caching.input_hash
        )
        application._interpreters = {**application._interpreters, **self._parts.interpreters(models)}
        application._generators = {**application._generators, **self._parts.generators(models)}
        application._info = application._build_metadata()
        self.changed()


def sites_of(encoder: Encoder) -> str:
    """The family of the places at which an encoder is read; empty where they are of several."""
    families = {site.family for site in encoder.sites}
    return families.pop() if len(families) == 1 else ""


def _rows_of(splits: Splits) -> Any:
    """What tells rows with their labels from others."""
    return splits.provenance.get("sha256")

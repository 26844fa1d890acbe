"""A panel's question, once it has been read: what the values are, whom it is put to, and how to have something computed."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import types

from lit_probe.lit.host import fields
from lit_probe.lit.host.asker import Asker
from lit_probe.lit.host.config_values import ALL_LAYERS
from lit_probe.lit.host.dataset import ProbeDataset, probe_dataset
from lit_probe.lit.host.model import ProbeModel
from lit_probe.lit.host.pending_checks import Compute, NotReadyError
from lit_probe.neurons.rankings import chosen_layers
from lit_probe.probing.study import LayerStudy


@dataclass(frozen=True, eq=False)
class Question:
    """One question of a panel. ``question["top"]`` is the value of the key ``top``.

    Attributes:
      asked: the name of the interpreter's class; it keeps computations of different interpreters apart.
      probes: the model, which answers.
      dataset: the data set on the page, as LIT hands it over.
      inputs: the examples of the request.
      values: the values of the interpreter's keys.
      asker: who waits for the answer; None for programs.
    """

    asked: str
    probes: ProbeModel
    dataset: lit_dataset.Dataset
    inputs: Sequence[types.JsonDict]
    values: Mapping[str, Any]
    asker: Asker | None = None

    def __getitem__(self, key: str) -> Any:
        return self.values[key]

    @property
    def identity(self) -> Hashable:
        """Equal for equal questions about one model: the interpreter, the data set on the page, the examples, the values.

        A row of the data set is known by its id; of anything else, such as an edit, all fields count. The data set is known by
        its place in memory, so it has to be kept as long as the identity is.
        """
        index = self.dataset.index if isinstance(self.dataset, lit_dataset.IndexedDataset) else {}
        examples = tuple(_known_by(example, index) for example in self.inputs)
        return self.asked, id(self.dataset), examples, json.dumps(self.values, sort_keys=True, default=repr)

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The examples' cleaned texts.

        Raises:
          LitProbeError: an example has no text.
        """
        return tuple(fields.text_of(example) for example in self.inputs)

    @cached_property
    def rows(self) -> Sequence[types.JsonDict]:
        """The examples of the request or, where it names none, the dev rows of the data set on the page."""
        return self.inputs or [self.probes.read(row) for row in self.dataset.examples if fields.split_of(row) == "dev"]

    @property
    def source(self) -> str:
        """Where ``rows`` come from: ``selection`` or ``dev``."""
        return "selection" if self.inputs else "dev"

    @property
    def shown(self) -> ProbeDataset | None:
        """The data set of ours that is shown; None for LIT's empty one, and for one that is not ours nor the probes'."""
        return probe_dataset(self.dataset)

    @property
    def study(self) -> LayerStudy:
        """The model's study.

        Raises:
          LitProbeError: it is not ready, or it failed.
        """
        return self.probes.study.result()

    @property
    def layers(self) -> tuple[int, ...]:
        """The layers that the key ``layer`` means, ascending.

        Raises:
          UnknownNameError: there is no such layer.
        """
        wanted = self.values.get("layer")
        return chosen_layers(self.study, self.study.best_layer if wanted is None else None if wanted == ALL_LAYERS else wanted)

    @property
    def layer(self) -> int:
        """The one layer that is meant."""
        return self.layers[0]

    @property
    def _whose(self) -> str:
        return f"{self.probes.encoder.name} on {self.probes.study.splits.name}"

    def _known_as(self, whose: str) -> str:
        """Names of models that are not ours may be alike in two servers; their vectors have a name of their own."""
        encoder = self.probes.encoder
        return whose if encoder.has_network else f"{whose} {encoder.fingerprint}"

    def finished(self, asked: str) -> dict[Hashable, dict[str, Any]]:
        """What has been computed about the encoder on its data set for another interpreter, by the key of its `ask`.

        Args:
          asked: the name of that interpreter's class.
        """
        found = {}
        for known, answer in self.probes.checks.finished().items():
            match known:
                case (asker, whose, key) if (asker, whose) == (asked, self._known_as(self._whose)):
                    found[key] = answer
        return found

    def ask(self, key: Hashable, title: str, compute: Compute, *, of: str | None = None, quick: bool = False) -> dict[str, Any]:
        """What ``compute`` gives, computed in the background by the first who asks.

        Args:
          key: what is computed; equal keys of one interpreter are computed once.
          title: what people read while it is computed.
          compute: gets a progress function.
          of: whose result it is, for the title; the encoder on its data set if it is not named.
          quick: whether it takes about a second at most.

        Raises:
          NotReadyError: it is not there yet; the base class answers with the status.
        """
        status = self.status_of(key, title, compute, of=of, quick=quick)
        if status["status"] != "ready":
            raise NotReadyError(status)
        return status

    def status_of(
        self, key: Hashable, title: str, compute: Compute, *, of: str | None = None, quick: bool = False
    ) -> dict[str, Any]:
        """The same with its ``status``, whether it is ready or not. Where the key ``cancel`` says so, the asker waits no more."""
        whose = of or self._whose
        key, title = (self.asked, self._known_as(whose), key), f"{title} of {whose}"
        if self.values.get("cancel"):
            return self.probes.checks.cancel(key, title, self.asker)
        return self.probes.checks.ask(key, title, compute, quick=quick, asker=self.asker)


def _known_by(example: types.JsonDict, index: Mapping[str, Any]) -> str:
    """The id of an example that is a row as it stands in the data set; of any other all that it says."""
    row = index.get(example.get("_id"))
    if row is not None and row["data"] == example:
        return str(example["_id"])
    return json.dumps(example, sort_keys=True, default=repr)

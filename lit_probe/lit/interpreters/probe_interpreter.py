"""What all our interpreters have in common: how a question is read, and what becomes of it when it cannot be answered yet."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from lit_nlp.api import components, types
from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model

from lit_probe.data.asked import CLASSES, TEXT, TargetKind, UnitKind, check_served
from lit_probe.encoder.vector_encoder import needs_network
from lit_probe.errors import LitProbeError, UnservedError
from lit_probe.lit.host.asker import Asker, read_asker
from lit_probe.lit.host.config_values import Key, Keys, flag, maybe, read_keys, settings_of
from lit_probe.lit.host.foreign import ForeignModels
from lit_probe.lit.host.messages import plain_message
from lit_probe.lit.host.model import ProbeModel, is_probe_model, probe_model, unwrapped
from lit_probe.lit.host.pending_checks import NotReadyError
from lit_probe.lit.host.read_only import check_may_change
from lit_probe.lit.interpreters.question import Question
from lit_probe.once import Memo, once_per_object

# Beside the keys of a question, and with every interpreter: who waits for the answer, so that it can be given up.
_ASKED_BY = "asked_by"
_ASKER = maybe(Key(lambda value, _: read_asker(value)))
# So many answers about one model are remembered, those that were asked for last.
_N_REMEMBERED = 64
# Likewise: that a study which has failed shall be tried again, as the button Retry says.
_RETRY = "retry"


class ProbeInterpreter(components.Interpreter):
    """Answers questions about a model of ours. A subclass declares the keys of a question and writes `answer`.

    Attributes:
      keys: keys that a question may have. None: nothing is read, and any key is accepted.
      by: name of the key that decides which further keys there are; empty where none does.
      further: the further keys by the value of that key.
      form: names of the keys that LIT's own form shows.
      reads_texts: whether it is about the texts of the examples, so that one without a text is refused.
      waits_for_rows: whether the data set that is shown must have been encoded, too, and not only the model's own.
      units: what rows may stand for; of others it says in a sentence that it is not about them.
      targets: what may be asked of a row, likewise.
      parts: what it tells by the value of the key ``part``, where parts serve different units or targets.
      remembers: whether its last answers are kept, and equal questions that come at once are answered once: for what is computed
        while somebody waits, from the study, the examples and the values alone.
      needs: what it needs of the network, in words; empty where vectors and labels will do.

    Args:
      foreign: the probes of models that are not ours; None where there are to be none.
    """

    keys: ClassVar[Keys | None] = None
    by: ClassVar[str] = ""
    further: ClassVar[Mapping[Any, Keys]] = {}
    form: ClassVar[Sequence[str]] = ()
    reads_texts: ClassVar[bool] = False
    waits_for_rows: ClassVar[bool] = False
    units: ClassVar[Collection[UnitKind]] = (TEXT,)
    targets: ClassVar[Collection[TargetKind]] = (CLASSES,)
    parts: ClassVar[Mapping[str, Part]] = {}
    remembers: ClassVar[bool] = False
    needs: ClassVar[str] = ""

    def __init__(self, foreign: ForeignModels | None = None):
        self.foreign = foreign

    @abstractmethod
    def answer(self, question: Question) -> dict[str, Any]:
        """What is said when the probes are ready: JSON-ready, finite numbers only, without a ``status``.

        Raises:
          LitProbeError: it cannot be said; the panel shows the message.
          NotReadyError: from ``question.ask``.
        """

    def check(self, question: Question) -> None:
        """Refuses values that make no sense together, or with this model or these examples.

        Raises:
          LitProbeError: says why.
        """

    def units_for(self, values: Mapping[str, Any]) -> Collection[UnitKind]:
        """The units of a question of these values: those of its part, where parts differ."""
        return self.parts[values["part"]].units if self.parts else self.units

    def targets_for(self, values: Mapping[str, Any]) -> Collection[TargetKind]:
        """The targets of a question of these values: those of its part, where parts differ."""
        return self.parts[values["part"]].targets if self.parts else self.targets

    def waits_for(self, question: Question) -> dict[str, Any] | None:
        """The status, ``computing`` or ``failed``, while an answer has to wait for the probes; None when it need not."""
        return question.probes.status(question.shown) if self.waits_for_rows else question.probes.study.status()

    def is_compatible(self, model: lit_model.Model, dataset: lit_dataset.Dataset) -> bool:
        """True for an encoder with layer probes; where probes are made for other models, for every model that is no projection.

        What cannot be probed is told on the panel, in one sentence. What is about words alone is there where a model has words.
        """
        if is_probe_model(model):
            return TEXT in self.units or probe_model(model).unit in self.units
        foreign = self.foreign is not None and not isinstance(unwrapped(model), lit_model.ProjectorModel)
        return foreign and TEXT in self.units

    def config_spec(self) -> types.Spec:
        """The keys that LIT's own form shows."""
        keys = dict(self.keys or {})
        for more in self.further.values():
            keys |= more
        return {name: keys[name].control for name in self.form}

    def run(
        self,
        inputs: Sequence[types.JsonDict],
        model: lit_model.Model,
        dataset: lit_dataset.Dataset,
        model_outputs: Sequence[types.JsonDict] | None = None,
        config: types.JsonDict | None = None,
    ) -> dict[str, Any]:
        """The answer, or why there is none yet.

        Args:
          inputs: the examples that the question is about.
          model: an encoder with layer probes.
          dataset: the data set that the examples belong to.
          model_outputs: not used: LIT keeps the fields of few layers.
          config: values of the keys; ``asked_by``: the page and the question that wait, see `read_asker`; and ``retry``: whether
            the model's study, if it has failed, is tried again.

        Returns:
          ``status``: ``ready`` with what `answer` gives; ``computing`` with ``message`` and ``fraction``; ``busy`` with a
          ``message`` where nothing more may wait (ask again); ``failed`` with a ``message``, and ``can_retry`` where ``retry``
          may help; ``cancelled``. With it ``part``, where the question names one.

        Raises:
          LitProbeError: the question cannot be understood, or an example has no text.
        """
        settings = dict(settings_of(config))
        asker = _ASKER.of(settings, _ASKED_BY)
        settings.pop(_ASKED_BY, None)
        # A page says so after a lost connection, too.
        if flag().of(settings, _RETRY) and is_probe_model(model) and (study := probe_model(model).study).failed:
            check_may_change(probe_model(model).checks)
            study.retry()
        settings.pop(_RETRY, None)
        values = self._values(settings)
        try:
            answer = self._answer(model, dataset, inputs, values, asker)
        except NotReadyError as error:
            answer = error.status
        return {**answer, "part": values["part"]} if "part" in values else answer

    def _answer(
        self,
        model: lit_model.Model,
        dataset: lit_dataset.Dataset,
        inputs: Sequence[types.JsonDict],
        values: Mapping[str, Any],
        asker: Asker | None,
    ) -> dict[str, Any]:
        try:
            probes, dataset, inputs = self._read(model, dataset, inputs)
        except LitProbeError as error:
            if is_probe_model(model) or self.foreign is None:
                raise
            return _failed(error)
        question = Question(type(self).__name__, probes, dataset, inputs, values, asker)
        if self.needs and not probes.encoder.has_network:
            return {"status": "failed", "message": needs_network(probes.encoder, self.needs)}
        try:
            check_served("This", probes.unit, probes.target, self.units_for(values), self.targets_for(values))
        except UnservedError as error:
            return _failed(error)
        self.check(question)
        if self.reads_texts:
            _ = question.texts
        try:
            return self.waits_for(question) or {"status": "ready", **self._known_answer(question)}
        except LitProbeError as error:
            return _failed(error)

    def _known_answer(self, question: Question) -> dict[str, Any]:
        if not self.remembers:
            return self.answer(question)
        found, _ = _answers_about(question.probes).get(question.identity, lambda: (self.answer(question), question.dataset))
        return found

    def _read(
        self, model: lit_model.Model, dataset: lit_dataset.Dataset, inputs: Sequence[types.JsonDict]
    ) -> tuple[ProbeModel, lit_dataset.Dataset, Sequence[types.JsonDict]]:
        """The probes, and data set and examples with our fields."""
        if is_probe_model(model) or self.foreign is None:
            probes = probe_model(model)
            return probes, probes.shown(dataset), [probes.read(example) for example in inputs]
        probes, inputs = self.foreign.read(model, dataset, inputs)
        return probes, probes.dataset, inputs

    def _values(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        if self.keys is None:
            return {}
        chosen = self.keys[self.by].of(settings, self.by) if self.by else None
        return read_keys(settings, {**self.keys, **self.further.get(chosen, {})})


@once_per_object
def _answers_about(probes: ProbeModel) -> Memo[Hashable, tuple[dict[str, Any], lit_dataset.Dataset]]:
    return Memo(_N_REMEMBERED)


def _failed(error: LitProbeError) -> dict[str, Any]:
    return {"status": "failed", "message": plain_message(str(error))}


class Part(NamedTuple):
    """One of the things that an interpreter tells, where it tells several. The key ``part`` names it.

    Attributes:
      keys: further keys of a question about it.
      answer: function that answers it.
      units: what rows may stand for.
      targets: what may be asked of a row.
    """

    keys: Keys
    answer: Callable[[Question], dict[str, Any]]
    units: Collection[UnitKind] = (TEXT,)
    targets: Collection[TargetKind] = (CLASSES,)

"""What all our interpreters have in common: how a question is read, and what becomes of it when it cannot be answered yet."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from lit_nlp.api import components, types
from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model

from lit_probe.errors import LitProbeError
from lit_probe.lit.host.asker import read_asker
from lit_probe.lit.host.config_values import Key, Keys, maybe, read_keys, settings_of
from lit_probe.lit.host.messages import plain_message
from lit_probe.lit.host.model import is_probe_model, probe_model
from lit_probe.lit.interpreters.question import NotReadyError, Question

# Beside the keys of a question, and with every interpreter: who waits for the answer, so that it can be given up.
_ASKED_BY = "asked_by"
_ASKER = maybe(Key(lambda value, _: read_asker(value)))


class ProbeInterpreter(components.Interpreter):
    """Answers questions about a model of ours. A subclass declares the keys of a question and writes `answer`.

    Attributes:
      keys: keys that a question may have. None: nothing is read, and any key is accepted.
      by: name of the key that decides which further keys there are; empty where none does.
      further: the further keys by the value of that key.
      form: names of the keys that LIT's own form shows.
      reads_texts: whether it is about the texts of the examples, so that one without a text is refused.
      waits_for_rows: whether the data set that is shown must have been encoded, too, and not only the model's own.
    """

    keys: ClassVar[Keys | None] = None
    by: ClassVar[str] = ""
    further: ClassVar[Mapping[Any, Keys]] = {}
    form: ClassVar[Sequence[str]] = ()
    reads_texts: ClassVar[bool] = False
    waits_for_rows: ClassVar[bool] = False

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

    def waits_for(self, question: Question) -> dict[str, Any] | None:
        """The status, ``computing`` or ``failed``, while an answer has to wait for the probes; None when it need not."""
        return question.probes.status(question.shown) if self.waits_for_rows else question.probes.study.status()

    def is_compatible(self, model: lit_model.Model, dataset: lit_dataset.Dataset) -> bool:
        """True for an encoder with layer probes."""
        return is_probe_model(model)

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
          config: values of the keys, and ``asked_by``: the page and the question that wait; see `read_asker`.

        Returns:
          ``status``: ``ready`` with what `answer` gives; ``computing`` with ``message`` and ``fraction``; ``failed`` with a
          ``message``; ``cancelled``. With it ``part``, where the question names one.

        Raises:
          LitProbeError: the question cannot be understood, or an example has no text.
        """
        settings = dict(settings_of(config))
        asker = _ASKER.of(settings, _ASKED_BY)
        settings.pop(_ASKED_BY, None)
        question = Question(type(self).__name__, probe_model(model), dataset, inputs, self._values(settings), asker)
        self.check(question)
        if self.reads_texts:
            _ = question.texts
        try:
            answer = self.waits_for(question) or {"status": "ready", **self.answer(question)}
        except NotReadyError as error:
            answer = error.status
        except LitProbeError as error:
            answer = {"status": "failed", "message": plain_message(str(error))}
        return {**answer, "part": question["part"]} if "part" in question.values else answer

    def _values(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        if self.keys is None:
            return {}
        chosen = self.keys[self.by].of(settings, self.by) if self.by else None
        return read_keys(settings, {**self.keys, **self.further.get(chosen, {})})


class Part(NamedTuple):
    """One of the things that an interpreter tells, where it tells several. The key ``part`` names it.

    Attributes:
      keys: further keys of a question about it.
      answer: function that answers it.
    """

    keys: Keys
    answer: Callable[[Question], dict[str, Any]]

"""What all our generators have in common: from an example to its edits, with parent, rule and expectation.

LIT shows a generator's edits in a table with their fields, before anything is added. There `rule` and `expectation` are two more
fields. What the rest of lit_probe reads stands in the example's `_meta` (`parentId`, `source`, `rule`, `expectation`): LIT keeps
it with an added example and, other than fields, does not copy it to a later edit by hand.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from absl import logging
from lit_nlp.api import components, types
from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model

from lit_probe.counterfactuals.edits import edit_warnings
from lit_probe.counterfactuals.rules import UNKNOWN, Edit, expected_label
from lit_probe.data.asked import CLASSES, TargetKind
from lit_probe.errors import CancelledError, LitProbeError
from lit_probe.lit.host import fields
from lit_probe.lit.host.config_values import settings_of
from lit_probe.lit.host.fields import EXPECTATION, RULE
from lit_probe.lit.host.model import ProbeModel, probe_model, reads_whole_texts

# Of generators that ask the model many times per text. LIT offers to select the whole data set.
MAX_ASKING = 20


class EditGenerator(components.Generator):
    """Makes edits of texts, for models of ours alone.

    Attributes:
      max_inputs: the number of examples it takes at a time; None for any number.
      targets: what may be asked of a text.
    """

    max_inputs: int | None = None
    targets: ClassVar[Collection[TargetKind]] = (CLASSES,)

    def is_compatible(self, model: lit_model.Model, dataset: lit_dataset.Dataset) -> bool:
        """True for an encoder with layer probes of whole texts."""
        return reads_whole_texts(model) and probe_model(model).target in self.targets

    @abstractmethod
    def settings(self, config: Mapping[str, Any], model: ProbeModel) -> Any:
        """The configuration, checked; LIT checks no values.

        Raises:
          LitProbeError: a value makes no sense; the message says what does.
        """

    @abstractmethod
    def edits(
        self, example: Mapping[str, Any], model: lit_model.Model, dataset: lit_dataset.Dataset, settings: Any
    ) -> Sequence[Edit]:
        """The edits of one example, best first.

        Args:
          example: the example with a text, and without LIT's own `_id` and `_meta`: its cache would answer for the original.
          model: the model as LIT calls it, behind its cache.
          dataset: the data set that the example belongs to.
          settings: see `settings`.
        """

    def generate_all(
        self,
        inputs: Sequence[types.JsonDict],
        model: lit_model.Model,
        dataset: lit_dataset.Dataset,
        config: types.JsonDict | None = None,
    ) -> list[list[dict[str, Any]]]:
        """The edits of each example, as examples. What the encoder reads as the original, token by token, is left out.

        An example that cannot be edited, as one without a text, has no edits, and the others have theirs: LIT's answer has no
        place for the reason, so the log tells it.

        Args:
          inputs: any examples with a text, edited ones too.
          model: an encoder with layer probes.
          dataset: the data set that they belong to.
          config: see `config_spec`; what it leaves out has a default.

        Raises:
          LitProbeError: the configuration makes no sense, no example can be edited, there are too many of them, or there are
            edits and the encoder can tell none of them from its original.
        """
        probes = probe_model(model)
        settings = self.settings(settings_of(config), probes)
        if self.max_inputs is not None and len(inputs) > self.max_inputs:
            raise LitProbeError(
                f"This asks the model many times for every text, so it takes at most {self.max_inputs} examples at a time; "
                f"{len(inputs):,} were selected."
            )
        made: list[list[dict[str, Any]]] = []
        same: list[tuple[str, str]] = []
        failed: list[LitProbeError] = []
        for example in inputs:
            try:
                read = probes.read(example)
                text = fields.text_of(read)
                plain = {name: value for name, value in read.items() if not name.startswith("_")} | {fields.TEXT: text}
                edits = self.edits(plain, model, dataset, settings)
            except CancelledError:
                raise
            except LitProbeError as error:
                failed.append(error)
                made.append([])
                continue
            found = list({edit.text: edit for edit in reversed(edits)}.values())[::-1]
            if (example.get("_meta") or {}).get(EXPECTATION) == UNKNOWN:
                # An edit that has its label from its parent, and nobody knows whether it is still right.
                found = [replace(edit, expectation=UNKNOWN) for edit in found]
            different = _read_differently(probes, text, found)
            same += [(text, edit.text) for edit in found if edit not in different]
            made.append([_example(plain, edit, example.get("_id"), dataset, probes) for edit in different])
        if failed and len(failed) == len(inputs):
            raise failed[0]
        for reason in failed:
            logging.warning("An example was not edited: %s", reason)
        if same and not any(made):
            why = edit_warnings(probes.encoder, *same[0])[0].message
            raise LitProbeError(f"No edit is left: {len(same):,} {'was' if len(same) == 1 else 'were'} made. {why}")
        return made

    def generate(
        self,
        example: types.JsonDict,
        model: lit_model.Model,
        dataset: lit_dataset.Dataset,
        config: types.JsonDict | None = None,
    ) -> list[dict[str, Any]]:
        """The edits of one example, see `generate_all`."""
        return self.generate_all([example], model, dataset, config)[0]


def _read_differently(model: ProbeModel, text: str, edits: Sequence[Edit]) -> list[Edit]:
    """The edits whose tokens are others than those of the text."""
    if not edits:
        return []
    original, *others = model.encoder.encode([text, *(edit.text for edit in edits)])
    return [edit for edit, other in zip(edits, others, strict=True) if other.ids != original.ids]


def _example(
    parent: Mapping[str, Any], edit: Edit, parent_id: str | None, dataset: lit_dataset.Dataset, probes: ProbeModel
) -> dict[str, Any]:
    """The edit as an example of the data set. LIT adds its id, and the generator's name as its source."""
    spec = dataset.spec()
    own: Collection[str] = spec if spec else parent
    notes = {RULE: edit.rule, EXPECTATION: edit.expectation}
    example = {name: value for name, value in parent.items() if name in own} | fields.in_fields(edit.text, probes.text_fields)
    if fields.LABEL in example:
        example[fields.LABEL] = expected_label(edit.expectation, example[fields.LABEL], probes.label_names)
    shown = {fields.column_field(name, own): value for name, value in notes.items()}
    return {**example, **shown, "_meta": {"added": True, "parentId": parent_id, "source": None, **notes}}

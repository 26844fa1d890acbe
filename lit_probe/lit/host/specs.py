"""LIT specs: which fields a data set and a model have, and of which type.

LIT compares the specs of models and data sets field by field, so every spec that speaks of the same thing is made here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from lit_nlp.api import types
from numpy.typing import NDArray

from lit_probe.data.labelled_texts import SPLIT_NAMES, clean_text
from lit_probe.lit.host import fields
from lit_probe.lit.host.messages import without_html
from lit_probe.scores.decision import ARGMAX, Decision

# The browser stays quick while it holds no more predictions than this per model: examples times shown layers.
MAX_LAYER_PREDICTIONS = 25_000

# A column with more different values than this is shown as text: nobody facets by a hundred values.
_MAX_VOCAB = 30


def dataset_spec(
    label: types.LitType,
    columns: dict[str, types.LitType],
    in_train: Sequence[str] = (fields.NOT_IN_TRAIN,),
    text_fields: Sequence[str] = (fields.TEXT,),
) -> types.Spec:
    """Fields of a data set.

    They are: text, label, whether probes were trained on the text or on a copy, split, whether it was truncated, and the source's
    own columns. LIT's editor gives a new text the first value of each: it was not trained on, and so is no row of train.

    Args:
      label: the type of the label, see `Labels.type`.
      columns: the source's own columns with their types.
      in_train: what the field `IN_TRAIN` may say.
      text_fields: the fields that hold the text: one, or the two of a pair.
    """
    return {
        **{name: types.TextSegment() for name in text_fields},
        fields.LABEL: label,
        fields.IN_TRAIN: types.CategoryLabel(vocab=list(in_train)),
        fields.SPLIT: types.CategoryLabel(vocab=sorted(SPLIT_NAMES)),
        fields.TRUNCATED: types.Boolean(),
        **columns,
    }


def model_input_spec(label: types.LitType, text_fields: Sequence[str] = (fields.TEXT,)) -> types.Spec:
    """What a model needs of an example. The label ought to be optional: an edited text may have none."""
    return {**{name: types.TextSegment() for name in text_fields}, fields.LABEL: label}


def word_dataset_spec(in_train: Sequence[str] = (fields.NOT_IN_TRAIN,)) -> types.Spec:
    """Fields of a data set whose rows are words; an example is a sentence with its words and their tags.

    Args:
      in_train: what the field `IN_TRAIN` may say.
    """
    return {
        **word_model_input_spec(required=True),
        fields.IN_TRAIN: types.CategoryLabel(vocab=list(in_train)),
        fields.SPLIT: types.CategoryLabel(vocab=sorted(SPLIT_NAMES)),
        fields.TRUNCATED: types.Boolean(),
    }


def word_model_input_spec(*, required: bool = False) -> types.Spec:
    """What a model of words needs of an example: the text. An edited text may have neither words nor tags of its own."""
    return {
        fields.TEXT: types.TextSegment(),
        fields.WORDS: types.Tokens(parent=fields.TEXT, required=required),
        fields.TAGS: types.SequenceTags(align=fields.WORDS, required=required),
    }


def word_model_output_spec() -> types.Spec:
    """What a model of words predicts: the words of a text, and a tag for each."""
    return {
        fields.READ_WORDS: types.Tokens(parent=fields.TEXT),
        fields.PREDICTED_TAGS: types.SequenceTags(align=fields.READ_WORDS),
    }


def model_output_spec(
    vector_fields: Sequence[str],
    label_names: Sequence[str],
    head_label_names: Sequence[str] | None,
    layers: Sequence[int],
    decision: Decision = ARGMAX,
    text: str | None = fields.TEXT,
    label: str = fields.LABEL,
    with_tokens: bool = True,
) -> types.Spec:
    """What a model predicts.

    LIT's salience explains the first field of class probabilities and its Color by takes the last one. Both are the probe of
    the layer chosen on dev. Its Embeddings panel opens with the first vectors, which are that layer's too.

    Args:
      vector_fields: ``[n_layers]`` the names of the fields of the layers' pooled vectors.
      label_names: the classes of the probes.
      head_label_names: the classes of the checkpoint's own classification head, if it has one.
      layers: the layers whose probes are fields of their own, see ``shown_layers``.
      decision: the rule by which the probes' probabilities become a class. Of two classes LIT can take it over: its confusion
        matrix then puts a row in the second one from a threshold on. Of more, LIT always takes the most probable one.
      text: the name of the data set's field of text; None where it has several.
      label: the name of the data set's label.
      with_tokens: whether the encoder makes tokens of a text.
    """
    spec = _vectors_spec(vector_fields, text, with_tokens=with_tokens)
    by_threshold: dict[str, Any] = {}
    if len(decision.shares) == 2:  # p / share is larger for the second class where p exceeds its share
        by_threshold = {"null_idx": 0, "threshold": decision.shares[1]}
    probe = types.MulticlassPreds(vocab=list(label_names), parent=label, **by_threshold)
    spec[fields.PROBE] = probe
    if head_label_names is not None:
        comparable = list(head_label_names) == list(label_names)
        spec[fields.HEAD] = types.MulticlassPreds(vocab=list(head_label_names), parent=label if comparable else None)
    spec |= {fields.layer_probe_field(vector_fields[layer]): probe for layer in layers}
    if head_label_names is not None or layers:
        # Without a parent it is a color, not a second row with the same scores in LIT's metrics table.
        spec[fields.COLOR_BY] = types.MulticlassPreds(vocab=list(label_names), **by_threshold)
    return spec


def number_output_spec(
    vector_fields: Sequence[str],
    label: types.Scalar,
    layers: Sequence[int],
    text: str | None = fields.TEXT,
    *,
    with_tokens: bool = True,
) -> types.Spec:
    """What a model predicts whose probes are asked for a number.

    LIT's panels open with the first number, which is that of the layer chosen on dev. LIT itself puts the error, the number less
    the label, and its square beside each as columns.

    Args:
      vector_fields: ``[n_layers]`` the names of the fields of the layers' pooled vectors.
      label: the type of the data set's label.
      layers: the layers whose probes are fields of their own, see ``shown_layers``.
      text: the name of the data set's field of text; None where it has several.
      with_tokens: whether the encoder makes tokens of a text.
    """
    spec = _vectors_spec(vector_fields, text, with_tokens=with_tokens)
    probe = types.RegressionScore(min_val=label.min_val, max_val=label.max_val, step=label.step, parent=fields.LABEL)
    spec[fields.PROBE] = probe
    return spec | {fields.layer_probe_field(vector_fields[layer]): probe for layer in layers}


def _vectors_spec(vector_fields: Sequence[str], text: str | None, *, with_tokens: bool) -> types.Spec:
    """The fields that no label decides."""
    spec: types.Spec = {fields.TOKENS: types.Tokens(parent=text)} if with_tokens else {}
    spec[fields.CHOSEN] = types.Embeddings()
    return spec | {name: types.Embeddings() for name in vector_fields}


def shown_layers(n_layers: int, n_shown: int) -> tuple[int, ...]:
    """The layers whose probe predictions are fields of the model.

    All of them while the browser can hold that many, else some at even distances with the first and the last among them. The
    curve over layers never depends on this.

    >>> shown_layers(n_layers=7, n_shown=3_000)
    (0, 1, 2, 3, 4, 5, 6)
    >>> shown_layers(n_layers=13, n_shown=5_000)
    (0, 3, 6, 9, 12)
    >>> shown_layers(n_layers=13, n_shown=20_000)
    ()
    """
    n_kept = min(n_layers, MAX_LAYER_PREDICTIONS // max(n_shown, 1))
    if n_kept < 2:
        return ()
    return tuple(round(position) for position in np.linspace(0, n_layers - 1, n_kept).tolist())


def column_type(values: NDArray[Any]) -> types.LitType:
    """The LIT type of a source's own column, judged by its values.

    Numbers become a Scalar, few different strings a CategoryLabel, other strings free text. A column of numbers with gaps is
    shown as strings, since LIT has no missing number and JSON no NaN.
    """
    if values.dtype.kind == "b":
        return types.Boolean()
    if is_number_column(values):
        low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
        integral = values.dtype.kind in "iu"
        return types.Scalar(min_val=low, max_val=high, default=low, step=1 if integral else (high - low) / 100 or 0.01)
    vocab = sorted({without_html(column_value(value)) for value in values})
    if len(vocab) <= min(_MAX_VOCAB, len(values) // 2):
        return types.CategoryLabel(vocab=vocab)
    return types.TextSegment()


def is_number_column(values: NDArray[Any]) -> bool:
    """Whether every value is a finite number."""
    return values.dtype.kind in "iuf" and bool(np.isfinite(values).all())


def column_value(value: Any) -> str:
    """One value of a column that is shown as a string; empty for a missing one.

    >>> column_value(np.str_("drama")), column_value(float("nan")), column_value(None)
    ('drama', '', '')
    """
    if value is None or (isinstance(value, float | np.floating) and np.isnan(value)):
        return ""
    return clean_text(str(value))

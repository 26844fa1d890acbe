"""What a model's own head makes of each layer: of the tokens of a text, or of the classes that it was fine-tuned for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lit_probe.data.asked import CLASSES, NUMBER, TEXT, WORD
from lit_probe.encoder.alignment import align
from lit_probe.errors import LitProbeError
from lit_probe.lit.host.config_values import Key, flag, one_of
from lit_probe.lit.interpreters.probe_interpreter import Part, ProbeInterpreter
from lit_probe.lit.interpreters.question import Question
from lit_probe.progress import Progress, of_part
from lit_probe.views import class_lens, lens

MAX_TEXTS = 2
# What all texts of one answer have in common.
_SHARED = ("encoder", "task", "layer_names", "n_vocabulary", "tied", "head_bytes")


def _words(value: Any, name: str) -> tuple[str, ...]:
    match value:
        case [*words] if all(isinstance(word, str) for word in words):
            return tuple(words)
    raise LitProbeError(f"{name!r} lists words, as in ['good', 'bad'], not {value!r}.")


def _about(question: Question) -> dict[str, Any]:
    """Which lens there is, without loading anything: ``kind`` is ``masked``, ``next``, ``classes`` or None with a ``reason``.

    ``no_curve`` is why the head of a classifier has no scores on the data set, in a sentence; None where it has.
    """
    encoder = question.probes.encoder
    kind = encoder.language_task or (None if encoder.head_label_names is None else "classes")
    return {
        "encoder": encoder.name,
        "kind": kind,
        "reason": lens.why_no_lens(encoder),
        "no_curve": class_lens.why_no_curve(encoder, question.probes.study.splits) if kind == "classes" else None,
        "n_layers": encoder.at_layers.n_layers,
        # Whether the layers are those that the probes of the page read.
        "layers_are_places": not encoder.at_sites,
        "sentence": class_lens.IN_WORDS if kind == "classes" else lens.IN_WORDS,
        "max_watched": lens.MAX_WATCHED,
    }


def _few(question: Question) -> tuple[str, ...]:
    if not 1 <= len(question.texts) <= MAX_TEXTS:
        raise LitProbeError(f"A text is read, or a text and its edit; {len(question.texts):,} were sent.")
    return question.texts


def _tokens(question: Question) -> dict[str, Any]:
    """`lens` of one text or two: what they share, and ``examples``, each with ``aligned``: ``[n_tokens]`` where each token of the
    second stands in the first, or None.
    """
    texts, watch, encoder = _few(question), question["watch"], question.probes.encoder

    def compute(progress: Progress) -> dict[str, Any]:
        parts = [of_part(progress, i * 100, (i + 1) * 100, len(texts) * 100) for i in range(len(texts))]
        found = [lens.lens(encoder, text, watch=watch, progress=part).to_json() for text, part in zip(texts, parts, strict=True)]
        first = found[0]
        return {
            **{name: first[name] for name in _SHARED},
            "examples": [
                {
                    "text": text,
                    **{name: value for name, value in one.items() if name not in _SHARED},
                    "aligned": _aligned(first["tokens"], one["tokens"]) if place else None,
                }
                for place, (text, one) in enumerate(zip(texts, found, strict=True))
            ],
        }

    return question.ask(("tokens", texts, watch), "Lens", compute, quick=True)


def _aligned(first: Sequence[str], other: Sequence[str]) -> list[int | None]:
    places: list[int | None] = [None] * len(other)
    for there, here in align(first, other).tolist():
        places[here] = there
    return places


def _classes(question: Question) -> dict[str, Any]:
    """What the classification head makes of each layer of one text or two: ``examples`` with ``probabilities``
    ``[n_layers, n_classes]``.
    """
    texts, probes = _few(question), question.probes
    if probes.head_label_names is None:
        raise LitProbeError(f"{probes.encoder.name} has no classification head of its own.")
    found = class_lens.classes_by_layer(probes.encoder, texts)
    return {
        "label_names": list(probes.head_label_names),
        "layer_names": list(probes.encoder.at_layers.layer_names),
        "examples": [{"text": text, "probabilities": one.tolist()} for text, one in zip(texts, found, strict=True)],
    }


def _curve(question: Question) -> dict[str, Any]:
    """`class_lens` of the model's study."""
    study = question.study
    return question.ask("curve", "Class lens", lambda progress: class_lens.class_lens(study, progress=progress).to_json())


# What a head says of a text is the same whatever is asked of the rows.
_BOTH = (CLASSES, NUMBER)

_PARTS: dict[str, Part] = {
    "about": Part({}, _about, (TEXT, WORD), _BOTH),
    "tokens": Part({"watch": Key(_words, ()), "cancel": flag()}, _tokens, (TEXT, WORD), _BOTH),
    "classes": Part({}, _classes, targets=_BOTH),
    "curve": Part({"cancel": flag()}, _curve, targets=_BOTH),
}
# Those that need no probes.
_AT_ONCE = ("about", "tokens")


class LensInterpreter(ProbeInterpreter):
    """What does the model's own head make of each layer?"""

    keys = {"part": one_of(_PARTS)}
    by = "part"
    parts = _PARTS
    further = {name: part.keys for name, part in _PARTS.items()}
    form = ("part",)
    units = (TEXT, WORD)
    reads_texts = True
    needs = "a model's own head"

    def waits_for(self, question: Question) -> dict[str, Any] | None:
        """A head reads tokens without any probe."""
        return None if question["part"] in _AT_ONCE else super().waits_for(question)

    def answer(self, question: Question) -> dict[str, Any]:
        """What the library's functions give for the part."""
        return _PARTS[question["part"]].answer(question)

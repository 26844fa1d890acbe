"""A template around every text: what stands before it and after it, and which tokens are the text's own.

The whole prompt is tokenised, as a model was trained to read it. So a token may hold signs of both, as BPE makes one of a space
of the template and the text's first word. It is the text's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lit_probe.data.labelled_texts import clean_text
from lit_probe.errors import EncoderError

PLACE = "{text}"
"""What stands for the text in a template."""

_EXAMPLE = "as in 'Review: {text}\\nSentiment:'"
# Stands for the text while the chat template is asked; made of letters, which no chat template strips or escapes.
_STAND_IN = "TextThatLitProbePutsHere"
_ESCAPES = {"\\n": "\n", "\\t": "\t", "\\\\": "\\"}


@dataclass(frozen=True)
class Prompt:
    """What is read of every text.

    Attributes:
      before: what stands before the text.
      after: what stands after it.
      adds_special: whether the tokenizer adds its special tokens; a chat template writes them itself.
    """

    before: str
    after: str
    adds_special: bool = True

    @property
    def template(self) -> str:
        """The whole of it, with ``{text}`` in the text's place."""
        return self.before + PLACE + self.after

    def around(self, text: str) -> str:
        """The whole of it, with the text."""
        return self.before + text + self.after

    def spans(self, offsets: Sequence[tuple[int, int]], n_characters: int) -> list[tuple[int, int] | None]:
        """``[n_tokens]`` (start, end) of each token in the text itself, in characters; None for tokens of the template alone.

        Some tokenizers leave spaces out of their offsets, so that a token of one space has none: it stands before its offset.

        Args:
          offsets: ``[n_tokens]`` (start, end) of each in the whole.
          n_characters: the length of the text.

        >>> Prompt("Review: ", "!").spans([(0, 6), (6, 7), (7, 12), (12, 13), (13, 14)], n_characters=5)
        [None, None, (0, 4), (4, 5), None]
        """
        begin, end = len(self.before), len(self.before) + n_characters

        def is_own(start: int, stop: int) -> bool:
            if start < stop:
                return start < end and stop > begin
            return start <= end and (start > begin or begin == 0)

        return [
            (max(start, begin) - begin, min(stop, end) - begin) if n_characters and is_own(start, stop) else None
            for start, stop in offsets
        ]


def prompt_of(template: str) -> Prompt:
    """A template of one's own.

    Raises:
      EncoderError: it does not say once where the text stands, or has other braces.
    """
    if not isinstance(template, str):
        raise EncoderError(f"A template is a text with {PLACE} in it, {_EXAMPLE}, not a {type(template).__name__}.")
    before, *others = clean_text(template).split(PLACE)
    if len(others) != 1:
        found = "no" if not others else f"{len(others)} times"
        raise EncoderError(f"The template {template!r} has {found} {PLACE} in it. Write it once, {_EXAMPLE}.")
    if re.search(r"[{}]", before + others[0]):
        raise EncoderError(f"The template {template!r} has other braces than those of {PLACE}. Leave them out.")
    return Prompt(before, others[0])


def chat_prompt(tokenizer: Any, template: str | None, model_id: str) -> Prompt:
    """What the tokenizer's chat template makes of a user's message, up to where the answer begins.

    Args:
      tokenizer: the transformers tokenizer.
      template: stands in the message, around the text; None for the text alone.
      model_id: what messages call the model.

    Raises:
      EncoderError: it has no chat template, or one that cannot be used, or the template cannot.
    """
    message = prompt_of(PLACE if template is None else template).around(_STAND_IN)
    if tokenizer.chat_template is None:
        raise EncoderError(
            f"The tokenizer of {model_id!r} has no chat template, as models have that were trained to answer. Leave out the "
            f"option chat, or give a template of your own, {_EXAMPLE}."
        )
    try:
        whole = tokenizer.apply_chat_template([{"role": "user", "content": message}], tokenize=False, add_generation_prompt=True)
    except ImportError as error:
        raise EncoderError(f"Chat templates are read with jinja2: {error} Install with `pip install 'jinja2>=3.1'`.") from error
    except Exception as error:  # a chat template is a program of its author's
        raise EncoderError(f"The chat template of {model_id!r} cannot be used: {error}") from error
    before, *others = whole.split(_STAND_IN)
    if len(others) != 1:
        raise EncoderError(
            f"The chat template of {model_id!r} has the message {len(others)} times in its prompt, where once is needed. Leave "
            "out the option chat, and write the prompt as a template."
        )
    return Prompt(clean_text(before), clean_text(others[0]), adds_special=False)


def unescaped(flag: str) -> str:
    r"""A template as it is typed on a command line: ``\n`` is a newline, ``\t`` a tab, ``\\`` a backslash.

    >>> unescaped(r"Review: {text}\nSentiment:")
    'Review: {text}\nSentiment:'
    """
    return re.sub(r"\\[nt\\]", lambda found: _ESCAPES[found[0]], flag)


def escaped(template: str) -> str:
    r"""A template as it can be typed, on one line.

    >>> print(escaped("Review: {text}\nSentiment:"))
    Review: {text}\nSentiment:
    """
    signs = {sign: written for written, sign in _ESCAPES.items()}
    return re.sub(r"[\n\t\\]", lambda found: signs[found[0]], template)

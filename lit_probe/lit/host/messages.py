"""What people read when something went wrong: plain text on one line, without paths and HTML, with what to do."""

from __future__ import annotations

import html
import re

from lit_probe.errors import LitProbeError

MAX_MESSAGE = 1000  # characters

_PATH_START = r"(?:file:/)?(?:~?/|[A-Za-z]:[\\/])"
_QUOTED_PATH = re.compile(rf"""(['"]){_PATH_START}[^'"\n]*[\\/][^'"\n]*\1""")  # '/home/me/my file.csv'
_BARE_PATH = re.compile(rf"""(?<![\w:/.~]){_PATH_START}[^\s'",;()<>]*[\\/][^\s'",;()<>]*""")  # /home/me/file.csv

# What other libraries say, in words that tell what is wrong.
_IN_PLAIN_WORDS = (
    # Of safetensors, for a file that is shorter than its header says, as an interrupted download leaves it.
    (re.compile(r"(?:Error while deserializing header: )?incomplete metadata, file not fully covered"), "the file is incomplete"),
    # Of safetensors, for a file that is not one of its own.
    (re.compile(r"Error while deserializing header: (?:header too \w+|invalid header \w+)"), "the file is damaged"),
)
# How the encoder begins its messages about a checkpoint's files. Weights in memory that were trained on are no broken file, nor
# are weights that are too large, nor is a tokenizer without a form for pairs.
_NO_BROKEN_FILE = r"have changed since it was given|puts nothing between|take .* in (?:float32|bfloat16|float16), and"
_CHECKPOINT_FILES = re.compile(rf"The (?:weights|tokenizer) (?:of|in) (?!.* (?:{_NO_BROKEN_FILE}))")


def plain_message(message: str) -> str:
    """An error message as one line of plain text: no paths of this machine, nothing that looks like HTML, not endless.

    >>> plain_message("cannot read '/home/me/secret.csv':\\n <b>no</b> file")
    'cannot read [path]: ‹b›no‹/b› file'
    """
    without_paths = _BARE_PATH.sub("[path]", _QUOTED_PATH.sub("[path]", message))
    line = without_html(" ".join(without_paths.split()))
    return line if len(line) <= MAX_MESSAGE else line[:MAX_MESSAGE] + " …"


def is_end_of_program(error: BaseException) -> bool:
    """Whether Python refused a thread because the program is ending: nothing failed, and nobody is left to be told.

    Python has no class of its own for it, and it may be the cause of an error of ours.
    """
    ends = ("interpreter shutdown", "new futures after shutdown")
    refused = isinstance(error, RuntimeError) and any(words in str(error) for words in ends)
    return refused or (error.__cause__ is not None and is_end_of_program(error.__cause__))


def without_html(text: str) -> str:
    """The text with other brackets: LIT shows some texts as HTML.

    >>> without_html("<img src=x>")
    '‹img src=x›'
    """
    return text.replace("<", "‹").replace(">", "›")


# What begins a link, an emphasis, a list or anything else in the middle or at the beginning of a line.
_MARKUP = re.compile(r"[\\`*_\[\]~|#@]|:(?=/)|(?<=www)\.|^(?:[-+=]|(?<!\d)\d+(?=[.)]))", re.IGNORECASE)


def as_markdown(text: str) -> str:
    """One line of markdown that shows the text as it is: names and labels never become links or markup.

    >>> as_markdown("[see](https://x.org) *this* <b>")
    '\\\\[see\\\\](https\\\\://x.org) \\\\*this\\\\* &lt;b&gt;'
    """
    line = " ".join(text.split())
    return html.escape(_MARKUP.sub(_escaped, line), quote=False)


def _escaped(found: re.Match[str]) -> str:
    return f"{found[0]}\\" if found[0].isdigit() else f"\\{found[0]}"


def failure(what: str, error: BaseException, *, on_page: bool = False) -> str:
    """Why something failed that runs once per server, and what to do.

    Args:
      what: the beginning of the sentence, such as ``"The probes of bert on demo could not be computed"``.
      error: shown if it is one of ours, whose messages are written for people; of others only the kind.
      on_page: whether it stands beside a button *Retry*.

    >>> failure("It failed", LitProbeError("Layer 2 is not finite"))
    'It failed: Layer 2 is not finite. Once this is mended, start again.'
    """
    again = "press Retry" if on_page else "start again"
    if not isinstance(error, LitProbeError):
        return f"{what}: {type(error).__name__} (the log says more). {'Press Retry.' if on_page else 'Start again to retry.'}"
    reason = str(error)
    for pattern, words in _IN_PLAIN_WORDS:
        reason = pattern.sub(words, reason)
    if _CHECKPOINT_FILES.match(reason):
        advice = f"Repair the checkpoint or download it again, then {again}."
    else:
        advice = f"Once this is mended, {again}."
    return f"{plain_message(f'{what}: {reason}').rstrip('.')}. {advice}"

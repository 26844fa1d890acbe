"""What a reader of several salience maps must know: the baseline that they were made with, and how many of them are not exact."""

from __future__ import annotations

from collections.abc import Sequence

from lit_probe.salience import SalienceMethod, SalienceOptions
from lit_probe.salience.options import BASELINE_CHOICES, REPLACE_CHOICES

# By the option: what is said of its choice.
_MADE_WITH = {
    "baseline": ("maps start from “{}” ({})", BASELINE_CHOICES),
    "replace": ("words are taken out by “{}” ({})", REPLACE_CHOICES),
}
_OTHERS = "another choice gives other maps. “Salience side by side” says how far for one text (in Python, compare_baselines)."


def baseline_notes(methods: Sequence[SalienceMethod], options: SalienceOptions) -> list[str]:
    """Which baselines maps were made with: a sentence for each option that names one; none where no method has a baseline.

    >>> from lit_probe.salience import SALIENCE_METHODS
    >>> [note] = baseline_notes([SALIENCE_METHODS["occlusion"], SALIENCE_METHODS["lime"]], SalienceOptions(replace="delete"))
    >>> note.split("; ")[0]
    'Occlusion, LIME: words are taken out by “delete” (it is left out)'
    """
    found = []
    for option, (words, choices) in _MADE_WITH.items():
        titles = ", ".join(method.title for method in methods if method.baseline == option)
        if titles:
            chosen = getattr(options, option)
            found.append(f"{titles}: {words.format(chosen, choices[chosen])}; {_OTHERS}")
    return found


def inexact_note(n_inexact: int, n_maps: int, title: str) -> list[str]:
    """A sentence on maps that are not exact, if there are any.

    >>> inexact_note(12, 200, "GradientSHAP")[0].split(": ")[0]
    '12 of 200 maps of GradientSHAP are not exact'
    >>> inexact_note(0, 200, "GradientSHAP")
    []
    """
    if not n_inexact:
        return []
    maps, verb = "map" if n_maps == 1 else "maps", "is" if n_inexact == 1 else "are"
    return [
        f"{n_inexact:,} of {n_maps:,} {maps} of {title} {verb} not exact: "
        "the scores do not add up to within 2 % of the change that they share out. More growth helps."
    ]

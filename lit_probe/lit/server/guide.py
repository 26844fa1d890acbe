"""What the tab "Guide" says: how to read the panels, and how the salience methods do where the answer is known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

# What `lit-probe selftest` wrote for the default encoder.
_SELFTEST = Path(__file__).parent / "assets" / "selftest.json"

READING_GUIDE = """
New here? **Tour**, at the top of the page, shows in eight steps what to look at.

**Probe by layer** shows, for every layer of the encoder, how well a small classifier (a *probe*) reads the label off that
layer's activations. The encoder is frozen: only the probes were trained, on the train rows alone.

* **Decodable is not used.** A high score says that a probe can read the concept from this layer, not that the model uses it.
* **Layer 0** is the embedding output, **layer i** the output of block i.
* **The band** is the 95 % interval of the score, **the dashed line** a baseline that ignores the text: it answers the most
  frequent class, or, for AUROC and log-loss, the class frequencies of train. A layer whose band reaches that line gives no
  evidence that the concept is decodable there.
* **The marked layer** was chosen on dev, by default the one with the lowest log-loss of those about as good as the best. Its test
  score is the number to report: a layer picked by its test score is flattered by it.
* **Where one class is rare**, scores are balanced accuracy by default, and a row is put in the class with the largest probability
  ÷ share of train; the most probable class would nearly always be the frequent one.
* **Its optimism** is that score on dev less that on test. The best of several layers is partly the luckiest one on these rows,
  so its dev score is expected to be a little too high; the more layers are alike, the more so.
* **What else to ask of the curve.** In the tabs beside it: whether the same probes learn labels that mean nothing as well
  (Selectivity), whether their probabilities can be believed (Calibration), and whether they work for every kind of row
  (Slices). The layout `evidence`, chosen at the top of the page, has all checks: also how many examples the probes need
  (Description length, Learning curve), whether they work on other data (Transfer), and how they compare with the checkpoint's
  own head (Model). Each is computed on dev when its tab is first opened.
* **New probe** asks something else of the same rows while the server runs: a column, words, or two selections. Or it fits
  another kind of probe for the same label, for one chart with the first.
* **ⓘ beside a number** opens the card behind it: rows, seeds, hashes, versions, and the command that computes it again.
* **The column in_train** marks the rows that probes were trained on, and rows with a near copy among them;
  of very much text, near copies are known from the second start on.
* **Select** rows, or a slice from the toolbar, and the curve follows: it is computed on exactly those rows. Rows that the probes
  were trained on are left out of every score, and counted; “train (fit)” shows how well the probes fit them, which is not what is
  decodable. Rows that you edit are shown, and never scored.
* **LIT's Metrics** scores dev rows alone, or test rows where you have selected no dev row: test is there to be reported once.
* **The Confusion Matrix** counts the held-out rows (dev and test) that are shown; the browser computes it, of two classes by the
  same rule, of more by the most probable class. For other rows, select
  them and tick “Show matrix for selection”.
* **Salience** rows score the words of the selected text for one number, which stands beside each map: a probe's, or the
  checkpoint's own. The layout `words` sets methods and layers side by side, and measures how far each can be trusted.
* **Edit** a text in the Datapoint Editor and press Add; **pin** the original to see both, layer by layer. What an edit says in
  `probe_split`, `in_train`, `truncated` and `unknown_tokens` is copied from its original and means nothing.
""".strip()


def reading_guide() -> str:
    """The whole guide as Markdown."""
    [(encoder, result)] = json.loads(_SELFTEST.read_text("utf-8")).items()
    return f"{READING_GUIDE}\n\n{selftest_section(encoder, result)}"


def selftest_section(encoder: str, result: dict[str, Any]) -> str:
    """The self-test's table as Markdown: one row per method, one column per kind of shortcut.

    Args:
      encoder: whose tokenizer and probe were tested.
      result: the result of ``selftest.selftest``.
    """
    cases = result["cases"]
    names = [f"{case['title']}, {case['explained']}" for case in cases]
    header = ["method", *(f"{name} (precision@{case['k']})" for name, case in zip(names, cases, strict=True))]
    rows = [
        [method["title"], *(f"{case['methods'][place]['precision']:.2f}" for case in cases)]
        for place, method in enumerate(cases[0]["methods"])
    ]
    rows.append(["*random ranking*", *(f"{case['random']:.2f}" for case in cases)])
    table = "\n".join("| " + " | ".join(row) + " |" for row in (header, ["---"] * len(header), *rows))
    rules = "\n".join(
        f"* **{name}**: {case['rule']}. Right on {case['accuracy']:.1%} of {case['n_held_out']:,} new texts."
        for name, case in zip(names, cases, strict=True)
    )
    return (
        "**Do the salience methods find what decides?** Words were planted in reviews so that they alone decide, classifiers "
        f"learnt them, and each method ranked the words of {cases[0]['n_texts']} new texts. The table shows which share of the "
        f"planted words it put first; 1 is perfect. Measured with {encoder}, seed {result['seed']}; `lit-probe selftest` "
        "repeats it for another encoder, with intervals. A method that fails here should not be trusted where the answer is not "
        f"known; one that succeeds may still fail elsewhere.\n\n{table}\n\n{rules}"
    )

"""What nobody has looked at in a run: checks that were not run or could not be computed, and what no run of this kind tells."""

from __future__ import annotations

from collections.abc import Iterator

from lit_probe.checks.agreement import Agreement
from lit_probe.checks.baselines import BASELINES, Baselines
from lit_probe.checks.battery import CHECKS, REPEATS
from lit_probe.checks.check import FailedCheck
from lit_probe.checks.transfer import FailedTransfer
from lit_probe.data.asked import CLASSES, NUMBER, TEXT
from lit_probe.registry import within_sentence
from lit_probe.report.html import Content, Html, join, name, tag
from lit_probe.report.parts import ended, listed
from lit_probe.report.run_file import DatasetRun, Run


def unchecked_section(run: Run) -> Html:
    """The section, data set by data set where there are several."""
    several = len(run.datasets) > 1
    lists = [
        [tag("h3", name(one.name)) if several else None, listed(_of_dataset(one)) or tag("p", "All checks were run.")]
        for one in run.datasets
    ]
    return tag(
        "section",
        tag("h2", "What was not checked"),
        lists,
        tag("h3", "What no run of this kind tells"),
        listed(_standing(run)),
    )


def _of_dataset(one: DatasetRun) -> Iterator[Content]:
    for key, entry in CHECKS.items():
        found = one.checks.get(key)
        if found is None:
            asked = "--repeat=10" if key == REPEATS else f"--checks={key}"
            yield join([f"{entry.title}: not run (", tag("code", asked), ")."])
        elif isinstance(found, FailedCheck):
            yield f"{entry.title} could not be computed: {ended(found.error)}"
        elif isinstance(found, Agreement) and not found.available:
            yield f"{entry.title} could not be computed: {ended(found.reason or 'there is no head')}"
        elif isinstance(found, Baselines):
            yield from _baselines(found)
    if "near_duplicates" not in one.at:
        yield "Copies of texts across splits: nobody looked for near ones."
        yield "Whether the checkpoint was fine-tuned on these labels: not looked at."


def _baselines(found: Baselines) -> Iterator[Content]:
    measured = {one.name: one for one in found.baselines}
    of_words = any(TEXT not in BASELINES[name].units for name in measured)
    target = NUMBER if any(CLASSES not in BASELINES[name].targets for name in measured) else CLASSES
    for key, entry in BASELINES.items():
        if key not in measured and target not in entry.targets:
            continue
        if key not in measured and (entry.for_pairs or (TEXT in entry.units) == of_words):
            continue
        if key not in measured:
            yield f"Baseline {within_sentence(entry.title)}: not measured."
        elif measured[key].at(0).score is None:
            yield f"Baseline {within_sentence(entry.title)} could not be measured: {ended(measured[key].at(0).reason)}"


def _standing(run: Run) -> Iterator[Content]:
    yield (
        "Use. A probe tells what can be read off the activations, not what the model does with it: that needs an intervention, "
        "such as switching neurons off or erasing the concept, and this run made none."
    )
    repeated = all(one.result(REPEATS) for one in run.datasets)
    yield (
        "Other data. Test is one draw of rows from one source; the other splits divide train and dev anew, but not test."
        if repeated
        else "Other divisions. There is one split into train, dev and test and one seed: other train rows would give other "
        "probes, "
        "which the intervals over rows do not cover."
    )
    yield (
        "Other probes. One pooling, one kind of probe and one number of tokens were used: another pooling or kind may read more, "
        "or less."
    )
    yield "The labels. Whether they are right was not checked, nor how far people agree on them."
    yield "What the encoder has seen. Whether these texts, or their labels, were among its pretraining data is not known here."
    yield "Other tries. How many other settings were tried before this run stands nowhere, and choosing among runs flatters."
    yield from _transfer(run)


def _transfer(run: Run) -> Iterator[Content]:
    if run.transfer is None:
        yield "Other data sets: whether the probes hold on other texts with these labels (transfer) was not run."
        return
    if not run.transfer.groups:
        yield "Other data sets: there was none with the same classes to which the probes could be carried over (transfer)."
    for group in run.transfer.groups:
        if isinstance(group, FailedTransfer):
            yield f"Transfer could not be computed: {ended(group.error)}"

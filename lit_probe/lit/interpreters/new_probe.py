"""A new probe, made on the page: for a column, for words, or for two selections of rows, of any kind, pooling and place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from lit_probe.data.asked import CLASSES, NUMBER, TargetKind, check_on_page
from lit_probe.data.asking import LABEL, ask, ask_which, kinds_of_targets, question_of
from lit_probe.data.labelled_texts import Splits, clean_text
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.pooling import POOLINGS
from lit_probe.encoder.sites import FAMILIES
from lit_probe.errors import DatasetError, LitProbeError
from lit_probe.lit.host import fields
from lit_probe.lit.host.config_values import Key, Keys, any_text, flag, maybe, one_of
from lit_probe.lit.host.kept_wishes import Wish, forget_wish, kept_wishes
from lit_probe.lit.host.made_probes import MOST_PROBES, SEVERAL, MadeProbes, Wanted, sites_of
from lit_probe.lit.host.messages import without_html
from lit_probe.lit.host.model import ProbeModel
from lit_probe.lit.host.read_only import check_may_change
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
from lit_probe.lit.interpreters.question import Question
from lit_probe.probing.layerwise import probe_for
from lit_probe.probing.probes import PROBES
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import Progress
from lit_probe.registry import lookup

NEW_PROBE = "new_probe"
_MAX_NAME = 60


class Picked(NamedTuple):
    """Two selections of the examples that are sent.

    Attributes:
      names: what they are called.
      n_first: how many of the examples belong to the first; the others belong to the second.
    """

    names: tuple[str, str]
    n_first: int


def _read_picked(value: Any, name: str) -> Picked:
    match value:
        case {"names": [str() as one, str() as other], "n_first": int() as n_first} if n_first >= 0 and len(value) == 2:
            names = tuple(" ".join(without_html(one).split())[:_MAX_NAME] for one in (one, other))
            if not all(names) or names[0] == names[1]:
                raise LitProbeError(f"The two selections need different names, not {one!r} and {other!r}.")
            return Picked((names[0], names[1]), n_first)
    raise LitProbeError(
        f"{name!r} names two selections, and how many of the examples belong to the first: "
        "{'names': ['short', 'long'], 'n_first': 20}."
    )


def _own(question: Question) -> Splits:
    """The data set that was loaded, where the probes are of one that was asked of it."""
    splits = question.study.splits
    return splits if splits.asked_of is None else splits.asked_of.splits


def _offers(question: Question, made: MadeProbes) -> dict[str, Any]:
    """What a form can offer, and the probes that are there."""
    probes, study = question.probes, question.study
    own = _own(question)
    network = probes.encoder.has_network
    return {
        "targets": [{"name": name, "about": question_of(name), "target": kind} for name, kind in kinds_of_targets(own).items()],
        # What may be fitted to classes and to numbers, the usual kind first.
        "probes": {target: _kinds_of_probe(study, target) for target in (CLASSES, NUMBER)},
        "poolings": [study.pooling, *(name for name in POOLINGS if network and name != study.pooling)],
        "sites": [{"name": name, "about": about} for name, about in FAMILIES.items()] if network else [],
        "now": {"probe": study.layerwise.kind, "pooling": study.pooling, "sites": sites_of(probes.encoder)},
        "dataset": fields.safe_name(own.name),
        "made": [one.to_json() for one in made.all],
        "before": _before(question, made),
        "most": MOST_PROBES,
    }


def _kinds_of_probe(study: LayerStudy, target: TargetKind) -> list[str]:
    usual = _usual_probe(study, target)
    return [usual, *(name for name, kind in PROBES.items() if target in kind.targets and name != usual)]


def _usual_probe(study: LayerStudy, target: TargetKind) -> str:
    """The kind of the probes on the page, where it serves the target."""
    return probe_for(study.layerwise.kind, target) or study.layerwise.kind


def _before(question: Question, made: MadeProbes) -> list[dict[str, Any]]:
    """What was made of these rows by other servers with this cache, and is not here."""
    place = _place(question, made)
    here = {one.wanted.wish.name for one in made.all}
    return [
        {"name": name, "title": wish.title, "probe": wish.probe, "pooling": wish.pooling, "sites": wish.sites or SEVERAL}
        for name, wish in kept_wishes(*place).items()
        if name not in here
    ]


def _place(question: Question, made: MadeProbes) -> tuple[Cache, Encoder, Splits]:
    origin = made.origin(question.probes)
    return origin.checks.cache, origin.encoder, origin.study.splits


def _drop(question: Question, made: MadeProbes) -> dict[str, Any]:
    made.drop(question["model"])
    return {"made": [one.to_json() for one in made.all]}


def _forget(question: Question, made: MadeProbes) -> dict[str, Any]:
    forget_wish(*_place(question, made), question["before"])
    return {"before": _before(question, made)}


def _make(question: Question, made: MadeProbes) -> dict[str, Any]:
    """Fits the probes; the names of the model and the data set by which LIT knows them then."""
    wanted = _wanted(question, made)
    if (there := made.found(wanted)) is not None:
        return there.to_json()
    if not question["cancel"]:
        made.check_room()

    def compute(progress: Progress) -> dict[str, Any]:
        return made.make(wanted, progress).to_json()

    # What was dropped is made anew.
    key = (wanted.key, made.n_dropped(wanted))
    return question.ask(key, "New probe", compute, of=f"{wanted.wish.title} with {question.probes.encoder.name}")


def _wanted(question: Question, made: MadeProbes) -> Wanted:
    """What the form says.

    Raises:
      LitProbeError: it asks for nothing, for two things, or for what there is not.
    """
    probes, study = question.probes, question.study
    own, target, picked = _own(question), question["target"], question["picked"]
    if question["before"] is not None:
        wish = lookup(kept_wishes(*_place(question, made)), question["before"], "probe made before")
        return _of_wish(wish, own, made.origin(probes), made)
    if (target is None) == (picked is None):
        raise LitProbeError("Say what the probe is to tell: name a 'target', or two selections by 'picked', and not both.")
    sites = question["sites"] or sites_of(probes.encoder)
    if not probes.encoder.has_network and (question["sites"] or question["pooling"] not in (None, study.pooling)):
        raise LitProbeError(f"{probes.encoder.name} is known by its vectors alone: other places and poolings cannot be read.")
    rows = None if picked is None else _rows_of(question, picked)
    asked = CLASSES if target is None else kinds_of_targets(own).get(target, CLASSES)
    kind, pooling = question["probe"] or _usual_probe(study, asked), question["pooling"] or study.pooling
    return _of_wish(Wish("", target, rows, kind, pooling, sites), own, made.origin(probes), made)


def _of_wish(wish: Wish, own: Splits, asked_of: ProbeModel, made: MadeProbes) -> Wanted:
    """The wish with the rows that it is about, and their name; a page asks every second, and they are divided once."""

    def divide() -> Wanted:
        if wish.picked is not None:
            splits = ask_which(own, wish.picked)
        else:
            splits = own if wish.target == LABEL else ask(own, wish.target or "")
        check_on_page(splits.name, splits.unit, splits.target)
        return Wanted(asked_of, splits, replace(wish, title=splits.name))

    return made.wanted.get((asked_of.name, replace(wish, title="").name), divide)


def _rows_of(question: Question, picked: Picked) -> dict[str, dict[str, tuple[int, ...]]]:
    """The rows of the data set that the examples of each selection are; edited examples are none."""
    if not 0 < picked.n_first < len(question.texts):
        raise DatasetError("One of the two selections is empty.")
    own = _own(question)
    # Train may say one thing several times.
    places: dict[tuple[str, str], list[int]] = {}
    for split, rows in own.items():
        for row, text in enumerate(rows.texts):
            places.setdefault((clean_text(text), split), []).append(row)
    found: dict[str, dict[str, dict[int, None]]] = {name: {split: {} for split, _ in own.items()} for name in picked.names}
    for index, (example, text) in enumerate(zip(question.inputs, question.texts, strict=True)):
        own_split = fields.split_of(example)
        if own_split is not None:
            rows_of = found[picked.names[index >= picked.n_first]][own_split]
            rows_of.update(dict.fromkeys(places.get((text, own_split), ())))
    return {name: {split: tuple(rows) for split, rows in by_split.items()} for name, by_split in found.items()}


class NewProbePart(NamedTuple):
    """One of the things that can be done.

    Attributes:
      keys: further keys of a question about it.
      answer: does it.
    """

    keys: Keys
    answer: Callable[[Question, MadeProbes], dict[str, Any]]


PARTS = {
    "offers": NewProbePart({}, _offers),
    # ``target`` is a name, as ``--targets`` takes it; ``picked`` two selections of the examples that are sent; ``before`` the
    # name of what was made before, and stands for all the rest.
    "make": NewProbePart(
        {
            "target": maybe(any_text()),
            "picked": maybe(Key(_read_picked)),
            "before": maybe(any_text()),
            "probe": maybe(one_of(PROBES)),
            "pooling": maybe(one_of(POOLINGS)),
            "sites": maybe(one_of(FAMILIES)),
            "cancel": flag(),
        },
        _make,
    ),
    "drop": NewProbePart({"model": any_text()}, _drop),
    "forget": NewProbePart({"before": any_text()}, _forget),
}


class NewProbeInterpreter(ProbeInterpreter):
    """Makes probes for what somebody asks on the page, and shows them to LIT as a model, without a restart.

    Args:
      made: the probes that were made on this server.
    """

    keys = {"part": one_of(PARTS, "offers")}
    by = "part"
    further = {name: part.keys for name, part in PARTS.items()}
    reads_texts = True
    targets = (CLASSES, NUMBER)

    def __init__(self, made: MadeProbes):
        super().__init__()
        self._made = made

    def answer(self, question: Question) -> dict[str, Any]:
        """What the part gives.

        Raises:
          LitProbeError: the wish makes no sense, or its rows cannot be told apart; the form shows the message.
        """
        if question["part"] != "offers":
            check_may_change(question.probes.checks)
        return PARTS[question["part"]].answer(question, self._made)

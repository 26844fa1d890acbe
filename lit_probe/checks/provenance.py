"""The card that reproduces numbers: what was loaded, how everything was set, and the flags that do the same again.

A card is ``layers.json`` without the scores, so either of the two can be given to ``lit-probe layers --from=…``.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, ClassVar

from lit_probe.checks.battery import CHECKS, REPEATS
from lit_probe.checks.leakage import COPIES_MADE_BY
from lit_probe.checks.repeats import N_REPEATS
from lit_probe.checks.transfer import TRANSFER_MADE_BY
from lit_probe.data import DATASETS
from lit_probe.data.asked import CLASSES, NUMBER, WORD, TargetKind
from lit_probe.data.labelled_texts import SPLIT_NAMES, Splits
from lit_probe.data.options import HUB_OPTIONS, word_in_brackets
from lit_probe.data.tables import table_form
from lit_probe.encoder.cache import CACHE_DTYPES
from lit_probe.encoder.dtypes import FLOAT32
from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.template import escaped
from lit_probe.errors import LitProbeError
from lit_probe.probing.layer_choice import LayerChoice
from lit_probe.probing.probes import DEFAULT_PROBES, PROBES, TOKEN_PROBES, ProbeOptions, probe_made_by, serves
from lit_probe.probing.rules import StudyRules
from lit_probe.probing.runs import RANDOM
from lit_probe.probing.study import LayerStudy, StudySettings
from lit_probe.results import Result
from lit_probe.scores.decision import Decision
from lit_probe.scores.metrics import METRICS
from lit_probe.scores.number_rows import NUMBER_METRICS

_SETTINGS: dict[str, type] = {"pooling": str, "probe": str, "max_length": int, "keep": str, "seed": int}
# Left out where texts are read as they are.
_AROUND_TEXTS = ("template", "chat")


@dataclass(frozen=True)
class CardDataset(Result):
    """One data set on a card.

    Attributes:
      label_names: ``[n_classes]`` the classes.
      n: the number of rows by split.
      share_truncated: the share of texts that were truncated by split, 0 to 1.
      headline: the name of the metric by which layers are compared.
      decision: the rule by which rows are put in classes; None where a number is asked for.
      best_layer: the layer that was chosen on dev.
      choice: how it was chosen, and among which.
      data: what the source says of the rows: source, division, sha256 of each split, seed, ….
    """

    label_names: tuple[str, ...]
    n: Mapping[str, int]
    share_truncated: Mapping[str, float]
    headline: str
    decision: Decision | None
    best_layer: int
    choice: LayerChoice
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Card(StudySettings):
    """What reproduces a study's numbers: its settings, and besides them its data.

    Attributes:
      datasets: the data sets by name.
      made_by: the rule by which each number is made, by the number's name.
      control: the control of selectivity, where the number has one.
      repeat: the number of other splits, where the number is of these.
      flags: the flags that do the same again; None where there are none, and ``notes`` then says why.
      notes: sentences for the reader.
      number: the number from which the card was opened, if any.
    """

    datasets: Mapping[str, CardDataset]
    made_by: Mapping[str, str]
    control: str | None
    repeat: int | None
    flags: tuple[str, ...] | None
    notes: tuple[str, ...]
    number: Mapping[str, Any] | None

    omitted_if_none: ClassVar[tuple[str, ...]] = (*StudySettings.omitted_if_none, "control", "repeat", "number")


def card(study: LayerStudy, number: Mapping[str, Any] | None = None) -> Card:
    """What reproduces a study's numbers.

    Args:
      study: the study.
      number: what the card was opened from, such as ``{"metric": "accuracy", "layer": 3, "split": "dev", "value": 0.8}``;
        it is kept on the card as it is.
    """
    splits, settings = study.splits, study.settings()
    dataset = CardDataset(
        splits.label_names,
        {name: len(rows) for name, rows in splits.items()},
        {name: activations.share_truncated for name, activations in study.activations.items()},
        study.headline,
        study.decision if splits.target == CLASSES else None,
        study.best_layer,
        study.choice,
        splits.provenance,
    )
    control = (number or {}).get("control")
    control = control if isinstance(control, str) else None
    made = Card(
        **vars(settings),
        datasets={splits.name: dataset},
        made_by=made_by(control, splits.target, probe=settings.probe),
        control=control,
        repeat=N_REPEATS if (number or {}).get("check") == REPEATS else None,
        flags=None,
        notes=(),
        number=number,
    )
    try:
        return replace(made, flags=tuple(flags_of(made.to_json(), "This card")))
    except LitProbeError as error:
        return replace(made, notes=(str(error),))


def made_by(control: str | None = None, *targets: TargetKind, probe: str | None = None) -> dict[str, str]:
    """By which rule each number is made. A card keeps them, and one that was made by others is refused.

    Args:
      control: the control of selectivity; the usual one when None.
      targets: what the studies ask for; classes when none is named. Where they ask for both, the rules of a number stand behind
        those of classes.
      probe: the kind of probe; the usual one of a target when None, or where it does not serve the target.
    """
    if CLASSES in targets and NUMBER in targets:
        both, of_number = made_by(control, CLASSES, probe=probe), made_by(control, NUMBER, probe=probe)
        for name, rule in of_number.items():
            both[name] = rule if both.get(name, rule) == rule else f"{both[name]}; of a number {rule}"
        return both
    target = NUMBER if NUMBER in targets else CLASSES
    metrics = METRICS if target == CLASSES else NUMBER_METRICS
    return {
        "probes": probe_made_by(probe if probe and serves(probe, target) else DEFAULT_PROBES[target], target),
        **{name: metric.made_by for name, metric in metrics.items()},
        **{name: check.rule_of(control if name == "selectivity" else None, target) for name, check in CHECKS.items()},
        "near_duplicates": COPIES_MADE_BY,
        "transfer": TRANSFER_MADE_BY,
    }


def read_card(path: str | os.PathLike[str]) -> dict[str, Any]:
    """A card or a ``layers.json``.

    Raises:
      LitProbeError: there is none, or it lacks what a card holds.
    """
    try:
        read = json.loads(Path(path).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise LitProbeError(f"The card {str(path)!r} cannot be read: {error}") from None
    return card_of(read, repr(str(path)))


def card_of(read: Any, title: str) -> dict[str, Any]:
    """What was read from a file as a card.

    Args:
      read: what JSON gives.
      title: what the message calls it.

    Raises:
      LitProbeError: it lacks what a card holds.
    """
    if not (
        isinstance(read, dict)
        and _holds(read.get("model"), {"id": str, "sha256": dict})
        and _holds(read, _SETTINGS)
        and _holds(read, {"datasets": dict, "versions": dict})
        and all(isinstance(read.get(name, ""), str) for name in ("control", *_AROUND_TEXTS))
        and read.get("cache_dtype", FLOAT32) in CACHE_DTYPES
        and isinstance(read.get("sites", ["layers"]), list)
        and bool(read.get("sites", ["layers"]))
        and all(isinstance(one, str) for one in read.get("sites", []))
        and _are_texts(read.get("made_by", {}))
        and _are_texts(read.get("rules", {}))
        and set(read.get("rules", {})) <= set(StudyRules().to_json())
        and isinstance(read.get("repeat", 0), int)
        and _are_options(read.get("probe_options", {}))
        and read["datasets"]
        and all(_holds(one, {"data": dict, "label_names": list}) for one in read["datasets"].values())
    ):
        raise LitProbeError(f"{title} is no card: give one that lit_probe wrote, or the layers.json of a run.")
    return read


def flags_from_card(path: str | os.PathLike[str]) -> list[str]:
    """The command line flags that do what the card describes.

    Code that comes with a checkpoint is not trusted because a file says so: ``--trust_remote_code`` has to be given again.

    Raises:
      LitProbeError: there is no such card, or no flags can say it (a model or texts that were in a program's memory).
    """
    return flags_of(read_card(path), f"The card {str(path)!r}")


def check_against_card(
    card: Mapping[str, Any],
    encoder: Encoder,
    splits: Splits,
    *,
    pooling: str,
    probe: str | None,
    seed: int,
    rules: StudyRules,
    probe_options: ProbeOptions | None = None,
    control: str | None = None,
    cache_dtype: str = FLOAT32,
) -> list[str]:
    """Refuses what would give other numbers than the card's, before any of them is computed.

    Args:
      card: the card from `read_card`.
      encoder: the encoder as loaded here.
      splits: the splits as loaded here.
      pooling: the pooling that is about to be used.
      probe: the probe that is about to be used; None for the usual one.
      seed: the seed that is about to be used.
      rules: the rules that are about to be used.
      probe_options: how the probes are about to be fitted; the usual way when None.
      control: the control of selectivity that is about to be used; None where it is not measured.
      cache_dtype: as what activations are about to be kept.

    Returns:
      A sentence for each library whose version is another one than on the card: the last digits may then differ.

    Raises:
      LitProbeError: names everything that differs.
    """
    probe = probe or DEFAULT_PROBES[splits.target]
    here = {"pooling": pooling, "probe": probe, "max_length": encoder.max_length, "keep": encoder.keep, "seed": seed}
    if control is not None and "control" in card:
        here["control"] = control
    on_card = {"cache_dtype": FLOAT32, **card}
    here["cache_dtype"] = cache_dtype
    differ = [f"{name} is {value}, {on_card[name]} on the card" for name, value in here.items() if value != on_card[name]]
    fits = [
        (probe_options or ProbeOptions()).words(),
        ProbeOptions.from_json(card.get("probe_options", {})).words(),
    ]
    differ += [
        f"{name} is {_usual(fits[0], name)}, {_usual(fits[1], name)} on the card"
        for name in {**fits[0], **fits[1]}
        if fits[0].get(name) != fits[1].get(name)
    ]
    around = {name: (getattr(encoder, name), card.get(name)) for name in _AROUND_TEXTS}
    differ += [
        f"{name} is {_quoted(ours)}, {_quoted(theirs)} on the card" for name, (ours, theirs) in around.items() if ours != theirs
    ]
    if encoder.random_seed != card["model"].get("random_weights"):
        ours, theirs = (_weights(seed) for seed in (encoder.random_seed, card["model"].get("random_weights")))
        differ.append(f"the weights are {ours}, {theirs} on the card")
    here_at, there_at = encoder.layer_names if encoder.has_network and encoder.at_sites else None, card.get("sites")
    if here_at != (None if there_at is None else tuple(there_at)):
        ours, theirs = ("all layers" if at is None else f"{len(at)} places ({at[0]}, …)" for at in (here_at, there_at))
        differ.append(f"{ours} are probed, {theirs} on the card")
    if encoder.dtype != (on_card_dtype := card["model"].get("dtype", FLOAT32)):
        differ.append(f"dtype is {encoder.dtype}, {on_card_dtype} on the card")
    asked = card.get("rules", {})
    ours_asked = rules.to_json().items()
    differ += [f"{name} is {ours}, {asked[name]} on the card" for name, ours in ours_asked if asked.get(name, ours) != ours]
    hashes = card["model"]["sha256"]
    differ += [
        f"the {name} of {encoder.checkpoint.model_id} {_hashes(value, hashes.get(name))}"
        for name, value in encoder.hashes.items()
        if value != hashes.get(name)
    ]
    entry = card["datasets"].get(splits.name)
    if entry is None:
        differ.append(f"the card has {', '.join(map(repr, card['datasets']))}, but no data set {splits.name!r}")
    else:
        ours, theirs = splits.provenance.get("sha256", {}), entry["data"].get("sha256", {})
        differ += [
            f"the {split} rows of {splits.name} {_hashes(ours.get(split), theirs.get(split))}"
            for split in SPLIT_NAMES
            if ours.get(split) is None or ours.get(split) != theirs.get(split)
        ]
        if list(splits.label_names) != entry["label_names"]:
            differ.append(f"the classes are {', '.join(splits.label_names)}, {', '.join(entry['label_names'])} on the card")
    if others := other_rules(card):
        raise LitProbeError(
            f"The card's numbers cannot be reproduced: {others}. Use the version of lit_probe that wrote it "
            f"({card['versions'].get('lit-probe', 'not named')}), or leave --from out and give the settings as flags."
        )
    if differ:
        raise LitProbeError(
            f"The card's numbers cannot be reproduced, because something else was loaded or asked for: {'; '.join(differ)}. "
            "Give the files that the card was made from (--model and --datasets beside --from) and no other settings, or leave "
            "--from out."
        )
    return [
        f"{name} is {_version(name)} here, {was} on the card: the last digits may differ."
        for name, was in card["versions"].items()
        if _version(name) != was
    ]


def flags_of(card: Mapping[str, Any], title: str) -> list[str]:
    """The command line flags that do what a card describes.

    Args:
      card: the card, or a ``layers.json``.
      title: what messages call it.

    Raises:
      LitProbeError: no flags can say it.
    """
    if card["model"].get("in_memory") and "vectors" in card["model"]["sha256"]:
        raise LitProbeError(
            f"{title} is about {card['model']['id']!r}, vectors that lit_probe was given. Give them again, without --from."
        )
    if card["model"].get("in_memory"):
        raise LitProbeError(
            f"{title} is about {card['model']['id']!r}, a model that was in a program's memory. Run that program again."
        )
    data = {name: entry["data"] for name, entry in card["datasets"].items()}
    targets = _targets(data, title)
    # A data set of which several targets were asked is loaded once.
    data = {one["target"]["of"] if targets else name: one for name, one in data.items()}
    named = [_dataset_flag(name, one, title) for name, one in data.items()]
    options = [_options(one) for one in data.values()]
    alike = all(one == options[0] for one in options)
    own = ["" if alike else _in_brackets(one, title) for one in options]
    flags = {
        "model": card["model"]["id"] + _own_weights(card),
        "revision": card["model"].get("revision"),
        "dtype": card["model"].get("dtype"),
        "datasets": ",".join(map(str.__add__, named, own)),
        "targets": ",".join(targets) or None,
        "max_examples": _only([_texts_per_split(one) for one in data.values()], "max_examples", title),
        **{name: card[name] for name in _SETTINGS if not (name == "pooling" and card["probe"] in TOKEN_PROBES)},
        "sites": ",".join(card["sites"]) if "sites" in card else None,
        "cache_dtype": card.get("cache_dtype"),
        **ProbeOptions.from_json(card.get("probe_options", {})).words(),
        "template": escaped(card["template"]) if "template" in card else None,
        "chat": "true" if "chat" in card else None,
        "control": card.get("control"),
        "repeat": card.get("repeat"),
        **{name: value for name, value in card.get("rules", {}).items() if name in StudyRules().to_json()},
    }
    if any(one["seed"] != card["seed"] for one in data.values()):
        raise LitProbeError(f"{title} has other seeds for its splits than for its probes, which no flags can say.")
    for name, value in options[0].items() if alike else ():
        flags[name] = ",".join(value) if name == "missing" else value
    checks = [list(entry["checks"]) for entry in card["datasets"].values() if _holds(entry, {"checks": dict})]
    if checks:
        across = ["transfer"] if "transfer" in card else []
        names = [name for name in _only(checks, "checks", title) if name != REPEATS]
        flags["checks"] = ",".join([*names, *across]) or "none"
    _check_whole(card["model"]["id"], title)
    return [f"--{name}={value}" for name, value in flags.items() if value is not None]


def _targets(data: Mapping[str, Mapping[str, Any]], title: str) -> list[str]:
    """The targets that were asked of each data set; none where it was its own label."""
    found: dict[str, list[str]] = {}
    for name, one in data.items():
        asked = one.get("target", {})
        names = [asked["name"]] if _holds(asked, {"of": str, "name": str}) else []
        if names and _holds(asked, {"picked": dict}):
            raise LitProbeError(f"{title} is about rows that were picked on the page ({names[0]}), which no flags can name.")
        of = asked["of"] if names else name
        found[of] = [*found.get(of, []), *names]
    targets: list[str] = _only(list(found.values()), "targets", title)
    if comma := [target for target in targets if "," in target]:
        raise LitProbeError(f"{title} names the target {comma[0]!r}, which no flag takes for its comma. Rename the column.")
    return targets


def _check_whole(path: str, title: str) -> None:
    """Refuses a path that flags would part at its comma; one that is there stays in one piece (`brackets.entries`)."""
    if "," in path and not Path(path).expanduser().exists():
        raise LitProbeError(
            f"{title} names {path!r}; flags take no path with a comma that is not there. Put it back, or rename it."
        )


def other_rules(card: Mapping[str, Any]) -> str:
    """Which numbers on the card are made by other rules here; an empty string where none is."""
    on_card = card.get("made_by")
    if on_card is None or "rules" not in card:
        return "it does not say by which rules they were made, so it is older than some of the rules here"
    checks = {name for entry in card["datasets"].values() for name in entry.get("checks", {})}
    checks |= {(card.get("number") or {}).get("check")}
    unasked = (set(CHECKS) - checks) | ({"transfer"} - set(card))
    others = [
        name
        for name, rule in made_by(card.get("control"), *_asked_for(card), probe=_known_probe(card["probe"])).items()
        if name not in unasked and on_card.get(name) != rule
    ]
    return f"these are made by other rules here: {', '.join(others)}" if others else ""


def _asked_for(card: Mapping[str, Any]) -> set[TargetKind]:
    """What the data sets of a card ask for: those of one run ask for the same, unless several targets are asked of them."""
    return {CLASSES if entry["label_names"] else NUMBER for entry in card["datasets"].values()}


def _known_probe(kind: str) -> str | None:
    """The kind of probe on a card; None for one that this version does not have, which is told elsewhere."""
    return kind if kind in PROBES or kind in TOKEN_PROBES else None


def _usual(words: Mapping[str, str], name: str) -> str:
    return words.get(name, "the usual one")


def _are_options(value: Any) -> bool:
    try:
        ProbeOptions.from_json(value)
    except (LitProbeError, AttributeError):
        return False
    return True


def _quoted(template: str | None) -> str:
    return "none" if template is None else repr(template)


def _weights(seed: int | None) -> str:
    return "the checkpoint's" if seed is None else f"drawn by seed {seed}"


def _own_weights(card: Mapping[str, Any]) -> str:
    """``[weights=random]`` where weights were drawn, with their seed if it is another one; nothing for the checkpoint's own."""
    seed = card["model"].get("random_weights")
    own = "" if seed == card["seed"] else f":{seed}"
    return "" if seed is None else f"[weights={RANDOM}{own}]"


def _dataset_flag(name: str, data: Mapping[str, Any], title: str) -> str:
    """``demo``, ``sst2=folder`` or ``csv=reviews.csv``."""
    counted = any(_holds(data, {one: int}) for one in ("max_examples", "max_words"))
    known = counted and _holds(data, {"origin": dict, "seed": int})
    origin = data["origin"] if known else {}
    if origin.get("kind") in (None, "texts in memory"):
        raise LitProbeError(f"{title} is about {name!r}, texts that were in a program's memory. Run that program again.")
    path = origin.get("path")
    if origin.get("form") == "hub":
        path = path or origin.get("id")
    # Texts whose words are asked something have another name than their source; words in a file are known by its form.
    loader = origin.get("of") or (origin.get("form") if data.get("unit") == WORD else None) or name
    if "text_column" in origin:
        files = origin["files"].get("train", []) if _holds(origin, {"files": dict}) else [path]
        loader = origin.get("form") or table_form(Path(*map(str, files[:1]))) or ""
    if loader not in DATASETS:
        raise LitProbeError(f"{title} is about {name!r}, which no loader of this version reads. Load it in a program.")
    _check_whole(str(path), title)
    return loader if path is None else f"{loader}={path}"


def _texts_per_split(data: Mapping[str, Any]) -> int | None:
    """How many texts of each split were asked for; None where the rows are words of a file."""
    found: int | None = data.get("max_examples", data["origin"].get("max_examples"))
    return found


def _options(data: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a data set that is a table or made of words, as far as they are given; nothing for any other source."""
    origin = data["origin"]
    if "text_column" not in origin and data.get("unit") != WORD:
        return {}
    said = {**origin, **({"data_revision": origin.get("revision")} if origin.get("form") == "hub" else {})}
    said |= {"max_words": data["max_words"]} if data.get("unit") == WORD and "max_examples" not in origin else {}
    return {name: value for name in HUB_OPTIONS if (value := said.get(name)) is not None}


def _in_brackets(options: Mapping[str, Any], title: str) -> str:
    """``[text=review,label=stars]``; an empty string where there are no options."""
    pairs = [
        (word_in_brackets(name), one) for name, value in options.items() for one in (value if name == "missing" else [value])
    ]
    for word, value in pairs:
        if re.search(r"[\[\],]", str(value)):
            raise LitProbeError(f"{title} says {word}={value!r}, which cannot stand in brackets. Run its data sets one by one.")
    return f"[{','.join(f'{word}={value}' for word, value in pairs)}]" if pairs else ""


def _only(values: Sequence[Any], name: str, title: str) -> Any:
    if any(value != values[0] for value in values):
        raise LitProbeError(f"{title} has data sets with different {name}: {', '.join(map(str, values))}. Run them one by one.")
    return values[0]


def _holds(value: Any, fields: Mapping[str, type]) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(name), kind) for name, kind in fields.items())


def _are_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(one, str) for one in value.values())


def _hashes(ours: str | None, theirs: str | None) -> str:
    return f"have the sha256 {str(ours)[:12]}…, {str(theirs)[:12]}… on the card"


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None

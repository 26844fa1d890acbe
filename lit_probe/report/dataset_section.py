"""What the page says of one data set: question, answer and doubts, data, curve, layers, checks, test score."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lit_probe.checks.baselines import BASELINES, Baselines
from lit_probe.checks.layer_comparison import LayerComparison
from lit_probe.checks.repeats import Repeats
from lit_probe.checks.selectivity import Selectivity
from lit_probe.data.asked import CLASSES, NUMBER
from lit_probe.data.labelled_texts import SPLIT_NAMES
from lit_probe.figures import kinds_of_places, layer_curve_svg, loss_curve_svg
from lit_probe.registry import within_sentence
from lit_probe.report.check_sections import checks_section
from lit_probe.report.html import Content, Html, join, name, tag
from lit_probe.report.numbers import At, doubt, score, with_interval
from lit_probe.report.parts import Numbering, ended, listed, sentence, source, words
from lit_probe.report.run_file import DatasetRun, Run
from lit_probe.scores.by_target import ALL_METRICS, metrics_of, trivial_key, trivial_title
from lit_probe.scores.metrics import METRICS

# Of each text whose attention is shown.
_MOST_WORDS = 6
_SPLIT = {
    "train": "the probes are fitted on",
    "dev": "layers are compared and chosen on",
    "test": "scored once, at the chosen layer",
}


def dataset_sections(run: Run, one: DatasetRun, numbering: Numbering) -> list[Html]:
    """The sections of one data set, in reading order."""
    made_by = run.at.value["made_by"]
    return [
        tag("section", _question(run, one), _answer(run, one), class_="answer"),
        tag("section", tag("h2", "Data"), _data(run, one, numbering)),
        tag(
            "section",
            tag("h2", "The curve"),
            _curves(run, one, numbering),
            _layers(one, made_by, numbering),
            _spans(one, numbering),
        ),
        tag("section", tag("h2", "Checks"), checks_section(run, one, numbering)),
        tag("section", tag("h2", "Test score"), _test(one, made_by, numbering)),
    ]


def metric_words(metric: str) -> str:
    """A metric within a sentence: its title, capitals only where it is an abbreviation."""
    return within_sentence(ALL_METRICS[metric].title)


def metric_title(metric: str) -> str:
    """What people read of a metric, that of a class too: ``Recall (positive)``."""
    name_of, colon, label = metric.partition(":")
    return ALL_METRICS[name_of].title + (f" ({label})" if colon else "")


def classes(one: DatasetRun) -> Html:
    """The names of the classes, of many the first ones; or that it is a number."""
    if not one.facts.label_names:
        return join(["a number"])
    return words([name(label) for label in one.facts.label_names])


def _question(run: Run, one: DatasetRun) -> Html:
    return tag(
        "p",
        tag("b", "Question. "),
        "At which layers of the encoder ",
        tag("b", name(run.encoder)),
        f" is the label of {'the words of ' if one.of_words else ''}the data set ",
        tag("b", name(one.name)),
        " (",
        classes(one),
        ") decodable, and how well?",
        class_="question",
    )


def _answer(run: Run, one: DatasetRun) -> list[Html | None]:
    doubts = list(_doubts(one))
    return [
        tag(
            "p",
            tag("b", "Short answer. "),
            _verdict(run, one),
            " ",
            one.facts.choice.told(one.place_names),
            class_="verdict",
        ),
        tag("p", "Doubts and bounds:") if doubts else None,
        listed(doubts),
        tag(
            "p",
            "Decodable means that a probe can read the label off the activations. It does not say that the model uses it.",
            class_="note",
        ),
    ]


def _verdict(run: Run, one: DatasetRun) -> Html:
    """What the test score says beside the majority class, or the mean of train, by its interval."""
    metric, test = one.facts.headline, one.at["test"]
    value, low = test.value[metric], test.value[f"{metric}_low"]
    majority, high = test.value[trivial_key(metric)], test.value[f"{metric}_high"]
    probe = join(["the ", one.probe(run.at), " probe of layer ", one.place(one.at["best_layer"]), ", which was chosen on dev,"])
    if value is None:
        return join(["This run cannot tell: there is no test score. ", sentence(doubt(test, metric))])
    beside = join([f"the {trivial_title(metric)} ", test[trivial_key(metric)].html])
    scored = join(
        [
            probe,
            f" reaches a test {metric_words(metric)} of ",
            score(test, metric),
            " (95 % interval, n = ",
            test["n"].html,
            "), ",
        ]
    )
    if low is None or majority is None:
        return join(
            ["This run cannot tell for sure: ", scored, beside, ". ", sentence(doubt(test, metric) or "There is no baseline")]
        )
    if low > majority:
        return join(["Decodable: ", scored, beside, "."])
    if high < majority:
        return join(["Not decodable here: ", scored, beside, ", which is more."])
    return join(["Not shown to be decodable: ", scored, "and that interval holds the score of ", beside, "."])


def _doubts(one: DatasetRun) -> Iterator[Content]:
    """What bounds the answer, from the scores and from the checks that were run."""
    metric, best = one.facts.headline, one.facts.best_layer
    for split, row in (("Test", one.at["test"]), ("Dev", one.chosen)):
        if row.value[metric] is not None and (reason := doubt(row, metric)):
            yield f"{split} is not to be relied on: {ended(reason)}"
    if circular := one.at.value.get("circularity"):
        yield f"Circular: {circular}"
    if "near_duplicates" in one.at and any(one.at.value["near_duplicates"][kind] for kind in ("exact", "near")):
        found = one.at["near_duplicates"]
        yield join(
            ["Rows with a copy in another split: ", found["exact"].html, " exact, ", found["near"].html, " near (see Data)."]
        )
    if one.facts.not_converged:
        yield join(["The fit did not converge at layers ", words([one.place(at) for at in one.at["not_converged"]], 12), "."])
    yield from _alike(one)
    if isinstance(selective := one.result("selectivity"), Selectivity):
        cell = one.at["checks"]["selectivity"]["layers"][best]
        if cell.value["low"] is None or cell.value["low"] <= 0:
            gap = with_interval(cell["selectivity"], cell["low"], cell["high"])
            yield join(["At the chosen layer the probe is not shown to do better than on a control task: selectivity ", gap, "."])
        if not selective.reliable:
            yield f"Selectivity is not to be relied on: {ended(selective.reason)}"
    yield from _beaten_by(one)
    if isinstance(repeated := one.result("repeats"), Repeats) and repeated.wider == "splits":
        yield repeated.sentence


def _alike(one: DatasetRun) -> Iterator[Content]:
    """The layers that cannot be told apart from the chosen one, and how optimistic its choice was."""
    if not isinstance(found := one.result("layer_comparison"), LayerComparison):
        return
    compared = one.at["checks"]["layer_comparison"]
    alike = [row for row in compared["layers"] if row.value["indistinguishable"] and row.value["layer"] != one.facts.best_layer]
    if alike:
        yield join(
            [
                "The layer is not singled out: on dev, the layers ",
                words([one.place(row["layer"]) for row in alike], 60),
                " cannot be told apart from the chosen one.",
            ]
        )
    if found.optimism.low is not None and found.optimism.low > 0:
        choice = compared["optimism"]
        gap = with_interval(choice["optimism"], choice["low"], choice["high"])
        yield join(["The dev score of the chosen layer is higher than its test score, by ", gap, "."])


def _beaten_by(one: DatasetRun) -> Iterator[Content]:
    """The baselines whose interval on dev reaches the score of the chosen layer, or whose score is in its interval."""
    if not isinstance(one.result("baselines"), Baselines):
        return
    metric, best = one.facts.headline, one.facts.best_layer
    low = one.chosen.value[f"{metric}_low"]
    for at in one.at["checks"]["baselines"]["baselines"]:
        if at.value["name"] in ("majority", "mean"):
            continue
        cell = at["layers"][best] if at.value["per_layer"] else at
        high = cell.value["high"]
        if cell.value["score"] is not None and low is not None and high is not None and high >= low:
            yield join(
                [
                    f"A simpler thing may do as well: on dev, {within_sentence(at.value['title'])} scores ",
                    with_interval(cell["score"], cell["low"], cell["high"]),
                    ", the chosen layer ",
                    score(one.chosen, metric),
                    "; the intervals overlap, and the difference was not tested.",
                ]
            )


def _data(run: Run, one: DatasetRun, numbering: Numbering) -> list[Html | None]:
    data = one.at["data"]
    origin = data.get("origin")
    facts: list[Content] = [
        join([f"Classes ({len(one.facts.label_names)}): ", words([name(at) for at in one.facts.label_names], 60), "."])
        if one.facts.label_names
        else "A number is asked for.",
        join(["Source: ", name(str(data.value["source"])), "."]) if "source" in data else None,
        join(["Path: ", tag("code", name(str(origin.value["path"]))), "."]) if origin and "path" in origin else None,
        _pair(data),
        join(["Division: ", data.value["division"], "."]) if "division" in data else None,
        _groups(data),
        _dropped(data),
        *_told(one),
    ]
    known = [fact for fact in facts if fact is not None]
    return [listed(known), _sizes(one, numbering), _class_sizes(one, numbering), _copies(run, one, numbering)]


def _pair(data: At) -> Content:
    if "pair" not in data:
        return None
    first, second = data.value["pair"]
    told = ["Each row is a pair of texts, ", name(str(first)), " and ", name(str(second))]
    return join([*told, ", which the encoder reads as its tokenizer joins two texts."])


def _groups(data: At) -> Content:
    if "groups" not in data:
        return None
    group = data.value["groups"]
    return "The rows are in no groups." if group is None else join(["Groups that no split divides: ", name(str(group)), "."])


def _dropped(data: At) -> Content:
    dropped = data.get("dropped")
    if dropped is None:
        return None
    reasons = [reason for reason, count in dropped.value.items() if count]
    counted = [join([dropped[reason].html, " ", reason]) for reason in reasons]
    return join(["Rows left out: ", join(counted, "; ") if counted else "none", "."])


def _told(one: DatasetRun) -> list[Content]:
    """What a reader of the numbers should know, in the words of the study."""
    # What was left out stands above by itself.
    return [tag("span", note, dir="auto") for note in one.facts.remarks if not note.startswith("Left out of the data:")]


def _sizes(one: DatasetRun, numbering: Numbering) -> Html:
    data, at = one.at["data"], one.at
    available = "rows" in data and all(split in data["rows"] for split in SPLIT_NAMES)
    hashed = "sha256" in data
    heads = ["Split", "Rows used", *(["Rows there"] if available else []), "Share truncated", "Share with unknown tokens", "For"]
    rows: list[list[Content]] = [
        [
            split,
            at["n"][split].html,
            *([data["rows"][split]["available"].html] if available else []),
            at["share_truncated"][split].html,
            at["share_unknown"][split].html,
            _SPLIT[split],
        ]
        for split in SPLIT_NAMES
        if split in at["n"]
    ]
    hashes = [
        join([f"sha256 of {split}: ", tag("code", data["sha256"][split].html)])
        for split in SPLIT_NAMES
        if hashed and split in data["sha256"]
    ]
    return numbering.table(join(["The rows of ", name(one.name), "."]), heads, rows, notes=hashes, source=source(at))


def _class_sizes(one: DatasetRun, numbering: Numbering) -> Html:
    if "numbers" in one.at:
        spread = one.at["numbers"]
        of_splits: list[list[Content]] = [
            [split, *(spread[split][key].html for key in ("mean", "sd", "least", "largest"))]
            for split in SPLIT_NAMES
            if split in spread
        ]
        heads: list[Content] = ["Split", "Mean", "Standard deviation", "Least", "Largest"]
        return numbering.table("Where the numbers lie.", heads, of_splits, source=source(spread))
    at = one.at["n_by_class"]
    rows = [[name(label), *(at[split][place].html for split in SPLIT_NAMES)] for place, label in enumerate(one.facts.label_names)]
    return numbering.table("The rows of each class.", ["Class", *SPLIT_NAMES], rows, source=source(at))


def _copies(run: Run, one: DatasetRun, numbering: Numbering) -> Html | None:
    if "near_duplicates" not in one.at:
        return None
    found = one.at["near_duplicates"]
    rows = [
        [join([at["of"].html, " in ", at["in"].html]), at["n"].html, at["exact"].html, at["near"].html] for at in found["between"]
    ]
    return numbering.table(
        "Rows of one split whose text has a copy in another one.",
        ["Splits", "Rows", "Exact copies", "Near copies"],
        rows,
        notes=found.value["notes"],
        source=source(found, run.at.value["made_by"]["near_duplicates"]),
    )


def _curve(run: Run, one: DatasetRun, numbering: Numbering) -> Html:
    metric = one.facts.headline
    target = CLASSES if one.facts.label_names else NUMBER
    drawn = [entry for entry in BASELINES.values() if entry.in_figure and (target == CLASSES or NUMBER in entry.targets)]
    shown = [within_sentence(entry.title) for entry in drawn]
    baselines = f" Other lines: {', '.join(shown)}, as far as they were measured." if one.result("baselines") else ""
    if kinds_of_places(one.at.value) is not None:
        baselines = " A line for each kind of places over depth; of heads a grid, a row for each block."
    return numbering.figure(
        layer_curve_svg(one.at.value, BASELINES),
        f"{ALL_METRICS[metric].title} on dev by layer, with 95 % intervals.",
        join(
            [
                f"{ALL_METRICS[metric].title} on dev of ",
                one.probe(run.at),
                " probes on ",
                name(run.encoder),
                ", data set ",
                name(one.name),
                f". Band: 95 % interval. Diamond: test, at the chosen layer alone. Dashed grey: the {trivial_title(metric)}.",
                baselines,
            ]
        ),
    )


def _curves(run: Run, one: DatasetRun, numbering: Numbering) -> list[Html | None]:
    return [_curve(run, one, numbering), _losses(run, one, numbering), _attention(one, numbering)]


def _attention(one: DatasetRun, numbering: Numbering) -> Html | None:
    if "attention" not in one.at:
        return None
    rows: list[list[Content]] = []
    for place, text in enumerate(one.at["attention"], start=1):
        shares = text.value["weights"]
        most = sorted(range(len(shares)), key=lambda word: -shares[word])[:_MOST_WORDS]
        told = [join([name(text.value["words"][word]), " ", text["weights"][word].html]) for word in most]
        rows.append([str(place), words(told, _MOST_WORDS), text["even"].html])
    return numbering.table(
        join(
            [
                "What the probe of layer ",
                one.at["best_layer"].html,
                " reads of the first texts of dev: the words with most weight.",
            ]
        ),
        ["Text", "Words, with their shares of the text’s vector", "A token’s share if all were read alike"],
        rows,
    )


def _losses(run: Run, one: DatasetRun, numbering: Numbering) -> Html | None:
    if one.losses is None:
        return None
    curve = one.at["loss_curve"]
    return numbering.figure(
        loss_curve_svg(curve.value),
        "Log-loss on train and on dev after each pass over train.",
        join(
            [
                "Training of the ",
                run.at["probe"].html,
                " probe of layer ",
                one.place(curve["layer"]),
                ": the log-loss after each of ",
                curve["n_epochs"].html,
                " passes, on train (n = ",
                curve["n_train"].html,
                ") and on dev (n = ",
                curve["n_held_out"].html,
                "), of which the training saw nothing. Where the two part, the probe learns train by heart.",
            ]
        ),
    )


def _layers(one: DatasetRun, made_by: Any, numbering: Numbering) -> Html:
    beside = ("auroc", "log_loss") if one.facts.label_names else ("spearman", "mae")
    metrics = list(dict.fromkeys((one.facts.headline, *beside)))
    rows = [
        [
            join([row["layer"].html, " ", tag("span", layer_name.html, class_="quiet")]),
            *(score(row, metric) for metric in metrics),
            tag("b", "chosen on dev") if row.value["layer"] == one.facts.best_layer else "",
        ]
        for row, layer_name in zip(one.at["layers"], one.at["layer_names"], strict=True)
    ]
    rules = "; ".join(f"{ALL_METRICS[metric].title}, {made_by[metric]}" for metric in metrics)
    return numbering.table(
        join(["All layers on dev, n = ", one.chosen["n"].html, ", with 95 % intervals."]),
        ["Layer", *(ALL_METRICS[metric].title for metric in metrics), ""],
        rows,
        notes=_reasons(list(one.at["layers"]), metrics),
        source=source(one.at["layers"], made_by["probes"], rules),
    )


def _spans(one: DatasetRun, numbering: Numbering) -> list[Html] | None:
    """The scores of whole spans, where tags of words are those of spans."""
    spans = one.at.get("spans")
    if spans is None:
        return None
    heads = ["F1", "Precision", "Recall"]

    def cells(row: At) -> list[Content]:
        scores = [row[name] for name in ("f1", "precision", "recall")]
        found: list[Content] = [
            join([with_interval(cell["value"], cell["low"], cell["high"]), "" if cell.value["reliable"] else "*"])
            for cell in scores
        ]
        return [*found, row["recall"]["n"].html]

    rows = [[one.place(row["layer"]), *cells(row)] for row in spans["dev"]]
    of_test = [["all", *cells(spans["test"])], *([name(row.value["name"]), *cells(row)] for row in spans["types"])]
    reasons = [
        f"*: not to be relied on, because: {ended(cell['reason'])}"
        for row in (*spans.value["dev"], spans.value["test"], *spans.value["types"])
        for cell in (row["f1"], row["precision"], row["recall"])
        if cell["reason"]
    ]
    made_by = spans.value["made_by"]
    return [
        numbering.table(
            "Whole spans on dev, by layer, with 95 % intervals.",
            ["Layer", *heads, "Spans there"],
            rows,
            notes=reasons,
            source=source(spans["dev"], made_by),
        ),
        numbering.table(
            join(["Whole spans on test at layer ", one.place(spans["test"]["layer"]), ", by type, with 95 % intervals."]),
            ["Type", *heads, "Spans there"],
            of_test,
            notes=reasons,
            source=source(spans["types"], made_by),
        ),
    ]


def _reasons(rows: list[At], metrics: list[str]) -> list[Content]:
    """Why scores are missing (n/a) or marked, each reason once."""
    told: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        for metric in metrics:
            if reason := doubt(row, metric):
                mark = "n/a" if row.value[metric] is None else "*"
                told.setdefault((mark, reason), []).append(metric_title(metric))
    return [
        f"{mark}: {'there is no score' if mark == 'n/a' else 'not to be relied on'} ({words(list(dict.fromkeys(titles)), 4)}), "
        f"because: {ended(reason)}"
        for (mark, reason), titles in told.items()
    ]


def _test(one: DatasetRun, made_by: Any, numbering: Numbering) -> list[Html | None]:
    test = one.at["test"]
    known = metrics_of(one.facts.label_names)
    # Those of one class have its name behind a colon.
    whole = [metric for metric in known if ":" not in metric]
    rows = [
        [known[metric].title, score(test, metric), test[trivial_key(metric)].html, score(one.chosen, metric)] for metric in whole
    ]
    per_class = [metric for metric, entry in METRICS.items() if entry.per_class] if one.facts.label_names else []
    by_class = [
        [name(label), *(score(test, f"{metric}:{label}") for metric in per_class)]
        for label in dict.fromkeys(one.facts.label_names)
    ]
    rules = "; ".join(f"{known[metric].title}, {made_by[metric]}" for metric in whole)
    class_rules = "; ".join(f"{METRICS[metric].title}, {made_by[metric]}" for metric in per_class)
    return [
        tag(
            "p",
            "Test is scored at one layer alone, the one that was chosen on dev: layer ",
            one.place(test["layer"]),
            ".",
        ),
        numbering.table(
            join(
                [
                    "All metrics at layer ",
                    one.place(test["layer"]),
                    ": test, n = ",
                    test["n"].html,
                    "; dev, n = ",
                    one.chosen["n"].html,
                    ".",
                ]
            ),
            ["Metric", "Test", f"{trivial_title(one.facts.headline).capitalize()} on test", "Dev"],
            rows,
            notes=_reasons([test, one.chosen], whole),
            source=source(test, interval=rules),
        ),
        None
        if not one.facts.label_names
        else numbering.table(
            join(["Each class on test at layer ", one.place(test["layer"]), "."]),
            ["Class", *(METRICS[metric].title for metric in per_class)],
            by_class,
            notes=_reasons([test], [f"{metric}:{label}" for metric in per_class for label in one.facts.label_names]),
            source=source(test, interval=class_rules),
        ),
    ]

"""The methods paragraph: one sentence for each thing that was done in this run, and none for what was not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lit_probe.checks.agreement import Agreement
from lit_probe.checks.baselines import BASELINES, Baselines
from lit_probe.checks.battery import CHECKS
from lit_probe.checks.calibration import Calibration
from lit_probe.checks.check import CheckResult
from lit_probe.checks.description_length import DescriptionLength
from lit_probe.checks.layer_comparison import LayerComparison
from lit_probe.checks.learning_curve import LearningCurve
from lit_probe.checks.repeats import Repeats
from lit_probe.checks.selectivity import Selectivity
from lit_probe.checks.transfer import Transfer
from lit_probe.encoder.pooling import POOLINGS, WITH_TEMPLATE
from lit_probe.encoder.vector_encoder import NO_POOLING
from lit_probe.probing.probes import TOKEN_PROBES
from lit_probe.report.dataset_section import classes, metric_words
from lit_probe.report.html import Content, Html, join, name, tag
from lit_probe.report.numbers import At
from lit_probe.report.parts import words
from lit_probe.report.references import Citations
from lit_probe.report.run_file import DatasetRun, Run
from lit_probe.scores.intervals import N_DRAWS

_KEPT = {"head": "their beginning", "tail": "their end", "both-ends": "their beginning and their end"}

# The papers on each data set that has one, by its name.
_DATA = {"sst2": "socher2013recursive", "sst2_sentences": "socher2013recursive", "imdb": "maas2011imdb"}


_JOINED = {
    "first": "that of its first token",
    "last": "that of its last token",
    "mean": "the mean of those of its tokens",
}


def methods_section(run: Run, cite: Citations) -> Html:
    """The section: what all data sets share, then a paragraph for each."""
    several = len(run.datasets) > 1
    paragraphs = [tag("p", join(_shared(run, cite), " "), class_="methods")]
    for one in run.datasets:
        paragraphs.append(tag("p", join(_of_dataset(run, one, cite), " "), class_="methods"))
    lead = (
        "Written from the settings of this run, one paragraph for what all data sets share and one for each of them."
        if several
        else ("Written from the settings of this run.")
    )
    return tag(
        "section", tag("h2", "Methods, ready for a paper"), tag("p", lead, class_="note asked"), paragraphs, _transfer(run)
    )


def references_section(cite: Citations) -> Html:
    """The papers that were cited, as a list and as BibTeX."""
    papers = cite.papers
    bibtex = "\n\n".join(paper.bibtex(key) for key, paper in papers.items())
    return tag(
        "section",
        tag("h2", "References"),
        tag("ul", [tag("li", paper.in_list) for paper in papers.values()], class_="references"),
        tag("h3", "BibTeX"),
        tag("pre", bibtex, class_="bibtex"),
    )


def _shared(run: Run, cite: Citations) -> Iterator[Content]:
    at, model = run.at, run.at["model"]
    versions = at.value["versions"]
    weights = []
    if "random_weights" in model:
        weights = [", with weights drawn at random by seed ", model["random_weights"].html, " in place of trained ones,"]
    if "dtype" in model:
        weights += [", whose weights were held and whose passes were computed in ", model["dtype"].html, ","]
    given = at.value["pooling"] == NO_POOLING
    what = "some places" if "sites" in at else "all layers"
    yield join(
        [
            "We probed (",
            "for a review see ",
            cite("belinkov2022probing")[1:-1],
            ") all layers of the given activations " if given else f") {what} of the frozen encoder ",
            name(model.value["id"]),
            weights,
            " with ",
            _version("lit_probe", versions, "lit-probe"),
            f", a plugin for LIT {cite('tenney2020lit')}",
            *(
                []
                if given
                else [", and ", _version("transformers", versions, "transformers"), f" {cite('wolf2020transformers')}"]
            ),
            ".",
        ]
    )
    if given:
        yield "The vectors of each layer were given as they are; lit_probe has neither computed nor pooled them."
        yield join(["The seed of everything random is ", at["seed"].html, "."])
        return
    pooling = at.value["pooling"]
    told = (POOLINGS[pooling].__doc__ or "").split("\n")[0].rstrip(".") if pooling in POOLINGS else ""
    by_pooling = f" pooling ({told[:1].lower() + told[1:]})." if told else " pooling."
    of_words = any(one.of_words for one in run.datasets)
    kept = _KEPT.get(at.value["keep"], at.value["keep"])
    read_at = at.value.get("sites")
    what, numbered = "the hidden states of each layer", " Layer 0 is the embedding output, layer i the output of block i."
    if read_at:
        what = "what was read at each place"
        numbered = (
            f" The places, which are called layers here and numbered from 0, are {len(read_at)}: {read_at[0]} to {read_at[-1]}."
        )
    yield join(
        [
            "Of each text the encoder read at most ",
            at["max_length"].html,
            f" tokens, special ones included, and of longer texts {kept}; {what} became one vector per ",
            f"word: {_JOINED.get(pooling, pooling)}." if of_words else ["text by ", tag("i", pooling), by_pooling],
            numbered,
        ]
    )
    yield from _around_texts(at)
    yield join(["The seed of everything random is ", at["seed"].html, "."])


def _around_texts(at: At) -> Iterator[Content]:
    to_its_end = ", to whose end the pooling reads" if at.value["pooling"] in WITH_TEMPLATE else ""
    if "chat" in at:
        said = "Every text was read as the model’s chat template writes a user’s message, "
        yield join([said, tag("code", at["chat"].html), to_its_end, "."])
    elif "template" in at:
        yield join(["Every text was read within the template ", tag("code", at["template"].html), to_its_end, "."])


def _pair(data: Mapping[str, Any]) -> list[Content]:
    if "pair" not in data:
        return []
    first, second = data["pair"]
    return [
        " Each is a pair, ",
        name(str(first)),
        " and ",
        name(str(second)),
        ", joined in the tokenizer’s own form for two texts.",
    ]


def _of_dataset(run: Run, one: DatasetRun, cite: Citations) -> Iterator[Content]:
    n = one.at["n"]
    data = one.facts.data
    paper = f" {cite(_DATA[one.name])}" if one.name in _DATA and data.get("origin", {}).get("kind") != "texts in memory" else ""
    yield join(
        [
            "The data set ",
            name(one.name),
            f"{paper} has {len(one.facts.label_names)} classes (" if one.facts.label_names else f"{paper} asks for ",
            classes(one),
            "); we used " if one.facts.label_names else "; we used ",
            n["train"].html,
            f" {'words' if one.of_words else 'texts'} for training, ",
            n["dev"].html,
            " for development and ",
            n["test"].html,
            " for test.",
            *_pair(data),
        ]
    )
    yield _probe(run, one, cite)
    yield _scores(one, cite)
    yield _choice(one, cite)
    yield "Test was scored at the chosen layer alone."
    yield _intervals(one, cite)
    for key in CHECKS:
        found = one.result(key)
        if found is not None and type(found) in _CHECKS:
            yield _CHECKS[type(found)](one, found, one.at["checks"][key], cite)
        elif found is not None:
            yield f"{CHECKS[key].title} was measured by this rule: {run.at.value['made_by'][key]}."
    if "near_duplicates" in one.at:
        yield (
            "Rows with a copy in another split were counted, exact ones and near ones (by common words, by one text within "
            "the other, "
            "by common runs of characters)."
        )


# What is fitted at each layer, where one sentence says it all.
_SIMPLE_PROBES = {
    "lda": "a linear discriminant analysis, whose covariance within classes was shrunk by the rule of Ledoit and Wolf (2004), ",
    "mean_difference": "a nearest-mean classifier, whose directions are the class means and whose one fitted number is how sure "
    "it is, ",
}
# What reads tokens.
_ATTENTION_PROBE = (
    "At each layer we fitted a linear probe together with an attention over the text’s tokens, whose weights are the softmax of "
    "the products of one learnt query with the tokens’ vectors (Adam, penalty "
)
_LOGISTIC_PROBES = {
    "logistic": "an L2-regularised ",
    "l1": "an L1-regularised ",
    "elastic_net": "an elastic-net-regularised (half L1, half L2) ",
}


def _strength(settings: At, name: str, title: str, grid: str, measure: str) -> list[Content]:
    """How strongly a regression is held to small weights: chosen by cross-validation, or given."""
    if not {grid, "cv"} <= set(settings.value):
        return [f"Its {title} was ", settings[name].html, ", which was given."]
    by = ", keeping groups whole" if settings.value["cv"].get("by") == "group" else ""
    return [
        f"Its {title} was chosen from ",
        words([value.html for value in settings[grid]], 20),
        f" by the {measure}",
        settings["cv"]["folds"].html,
        f"-fold cross-validation on train{by}; at the chosen layer it is ",
        settings[name].html,
        ".",
    ]


def _probe(run: Run, one: DatasetRun, cite: Citations) -> Html:
    kind, settings = run.at.value["probe"], one.at["probes"][one.facts.best_layer]
    kind = kind if one.facts.label_names else "ridge"
    found = settings.value
    weighted = " Every class counted alike." if found.get("class_weight") == "balanced" else ""
    if kind in _LOGISTIC_PROBES and "C" in found:
        multinomial = "multinomial " if len(one.facts.label_names) > 2 else ""
        fitted: list[Content] = [
            f"At each layer we fitted {_LOGISTIC_PROBES[kind]}{multinomial}logistic regression (scikit-learn; ",
            cite("pedregosa2011sklearn")[1:-1],
            ") on the activations of train, standardised on train. ",
        ]
        return join([*fitted, *_strength(settings, "C", "C", "c_grid", "log-loss of stratified "), weighted])
    if kind == "ridge" and "alpha" in found:
        ridge = (
            f"At each layer we fitted a ridge regression {cite('hoerl1970ridge')} on the activations of train, standardised "
            "on train. "
        )
        return join([ridge, *_strength(settings, "alpha", "penalty alpha", "alpha_grid", "squared error of ")])
    if kind == "mlp" and {"hidden_units", "weight_penalty"} <= set(found):
        several = isinstance(found["hidden_units"], list)
        sizes = words([size.html for size in settings["hidden_units"]], 20) if several else settings["hidden_units"].html
        return join(
            [
                f"At each layer we fitted a perceptron with {'hidden layers' if several else 'one hidden layer'} of ",
                sizes,
                f" ReLU units (scikit-learn, Adam; {cite('pedregosa2011sklearn')[1:-1]}; weight penalty ",
                settings["weight_penalty"].html,
                ") on the activations of train, standardised on train.",
                weighted,
            ]
        )
    if kind in TOKEN_PROBES and "weight_penalty" in found:
        penalty = settings["weight_penalty"].html
        return join([_ATTENTION_PROBE, penalty, "), on vectors standardised over the tokens of train.", weighted])
    if kind in _SIMPLE_PROBES:
        return join([f"At each layer we fitted {_SIMPLE_PROBES[kind]}on the activations of train, standardised on train."])
    if kind == "majority":
        return join(["In the place of a probe stand the class frequencies of train, which read no activations."])
    return join(["At each layer we fitted a probe of the kind ", tag("i", kind), " on the activations of train."])


def _scores(one: DatasetRun, cite: Citations) -> str:
    decision = one.facts.decision
    if decision is None:
        return (
            "Layers are compared by R², the share of the variance of the numbers on the scored rows that the probe explains: "
            "0 for their mean, below 0 for what is worse."
        )
    rule = decision.sentence if not decision.shares else f"{decision.sentence[:-1]} {cite('menon2021adjustment')}."
    return f"Layers are compared by {metric_words(one.facts.headline)}. {rule}"


def _choice(one: DatasetRun, cite: Citations) -> str:
    score = metric_words(one.facts.headline)
    loss = "log-loss" if one.facts.label_names else "mean absolute error"
    match one.facts.choice.rule:
        case "one_se":
            how = (
                f"of those within one standard error of the best {score}, the one with the lowest {loss} (the "
                "one-standard-error rule "
                f"of {cite('breiman1984cart')[1:-1]}, with {loss} in place of simplicity)"
            )
        case "headline":
            how = f"the lowest of those with the best {score}"
        case "log_loss":
            how = f"the one with the lowest {loss}"
        case rule:
            how = f"by the rule {rule}"
    return f"One layer was chosen on dev: {how}."


def _intervals(one: DatasetRun, cite: Citations) -> str:
    grouped = one.facts.data.get("groups") is not None
    if not one.facts.label_names:
        groups = " Rows of one group are not taken as independent." if grouped else ""
        return (
            "Intervals are 95 % intervals: Student’s t of the log of 1 − R² by the delta method for R², Fisher’s z for "
            f"Pearson’s correlation, Fisher’s z as corrected by {cite('bonett2000sample')[1:-1]} for Spearman’s, Student’s t of "
            f"the log for the mean absolute error.{groups}"
        )
    by_metric = {
        "accuracy": ("Wilson’s for shares", ["wilson1927probable", *(["korn1998intervals"] if grouped else [])]),
        "balanced_accuracy": (
            "Jeffreys’ for F1 and, combined by MOVER, for balanced accuracy and macro F1",
            ["brown2001interval", "zou2008construction"],
        ),
        "auroc": (
            "Newcombe’s, scaled to DeLong’s variance, for AUROC",
            ["newcombe2006part2", "delong1988comparing", *(["obuchowski1997clustered"] if grouped else [])],
        ),
    }
    told = [f"{how} {cite(*papers)}" for how, papers in by_metric.values()]
    groups = " Rows of one group are not taken as independent." if grouped else ""
    mcc = f"Matthews correlation is that for any number of classes {cite('gorodkin2004correlation')}."
    return (
        f"Intervals are 95 % intervals: {', '.join(told)}, Fisher’s z for Matthews correlation, Student’s t of the log for "
        "log-loss."
        f"{groups} {mcc}"
    )


def _selectivity(one: DatasetRun, found: Any, at: At, cite: Citations) -> Html:
    label = "label" if one.facts.label_names else "number"
    return join(
        [
            f"Selectivity {cite('hewitt2019control')} is the score less the mean of ",
            at["n_seeds"].html,
            f" control tasks, whose {label}s are a seeded hash of {found.title}; control probes are fitted as the task’s. Its "
            "interval is a "
            f"bootstrap of {N_DRAWS:,} draws over dev rows and labellings {cite('owen2007pigeonhole', 'rao1988resampling')}.",
        ]
    )


def _baselines(one: DatasetRun, found: Any, at: At, cite: Citations) -> Html | None:
    measured = [baseline for baseline in found.baselines if baseline.at(0).score is not None]
    if not measured:
        return None
    papers = {"bag_of_words": "pang2002thumbs", "random_weights": "zhang2018language"}
    told = []
    for baseline in measured:
        paper = f" {cite(papers[baseline.name])}" if baseline.name in papers else ""
        entry = BASELINES.get(baseline.name)
        draws = f" (mean of {entry.n_draws} draws)" if entry is not None and entry.n_draws > 1 else ""
        told.append(f"{baseline.title.lower() if not baseline.title.isupper() else baseline.title}{paper}{draws}")
    return join(["The scores were compared with baselines that were fitted on train: ", words(told, 20), "."])


def _comparison(one: DatasetRun, found: Any, at: At, cite: Citations) -> str:
    if found.significance_test == "mcnemar":
        test = f"McNemar’s test on dev with mid-p values {cite('mcnemar1947note', 'fagerland2013mcnemar')}"
    else:
        test = f"a paired bootstrap test on dev ({N_DRAWS:,} draws)"
    optimism = ""
    if found.optimism.optimism is not None:
        optimism = (
            " The optimism of the choice is the dev score less the test score of the chosen layer, with an interval put "
            "together from "
            f"theirs {cite('zou2008construction')}."
        )
    return (
        f"All layers were compared with the chosen one by {test}, corrected over all pairs of layers {cite('holm1979multiple')}."
        f"{optimism}"
    )


def _code(one: DatasetRun, found: Any, at: At, cite: Citations) -> Html:
    return join(
        [
            f"The description length {cite('voita2020mdl')} is that of the online code of the ",
            at["n"].html,
            " labels of train, sent in blocks that end at ",
            words([size.html for size in at["portions"]], 20),
            " labels, against the uniform code and the code of the label prior.",
        ]
    )


def _learnt(one: DatasetRun, found: Any, at: At, cite: Citations) -> Html:
    return join(
        [
            "Learning curves are dev scores of probes fitted on nested stratified portions of ",
            words([n.html for n in at["n_train"]], 20),
            " rows.",
        ]
    )


def _calibration(one: DatasetRun, found: Any, at: At, cite: Citations) -> Html:
    parts: list[Content] = [f"Calibration was measured on dev by the Brier score {cite('brier1950verification')}"]
    if any(layer.ece is not None for layer in found.layers):
        parts += [
            f" and the expected calibration error of the most probable class {cite('guo2017calibration')} over ",
            at["n_bins"].html,
            f" bins of equal size {cite('nguyen2015posterior')}",
        ]
    if found.folds.n:
        parts += [", with temperatures cross-fitted on ", at["folds"]["n"].html, f" folds of dev by {found.folds.by}"]
    return join([*parts, "."])


def _agreement(one: DatasetRun, found: Any, at: At, cite: Citations) -> str | None:
    if not found.available:
        return None
    return "On dev the probes’ classes were compared with those of the checkpoint’s own classification head."


def _repeats(one: DatasetRun, found: Any, at: At, cite: Citations) -> Html:
    by = "class" if one.facts.label_names else "tenths of the range"
    return join(
        [
            "The rows of train and dev were divided anew ",
            at["n"].html,
            f" times, by {by} and group, and probes fitted and scored again "
            f"{cite('gorman2019splits', 'bouthillier2021variance')}; these "
            f"scores share rows, and their spread is no interval {cite('nadeau2003inference')}.",
        ]
    )


def _transfer(run: Run) -> Html | None:
    groups = [group for group in run.transfer.groups if isinstance(group, Transfer)] if run.transfer else []
    if not groups:
        return None
    text = (
        "The probes of each data set were scored on the dev rows of the others with the same classes, without rows that are "
        "copies, near "
        "copies or of a group of their train rows."
    )
    return tag("p", text, class_="methods")


def _version(title: str, versions: dict[str, Any], package: str) -> Html:
    version = versions.get(package)
    return join([title, f" {version}" if version else ""])


_CHECKS: dict[type[CheckResult], Callable[[DatasetRun, Any, At, Citations], Content]] = {
    Selectivity: _selectivity,
    Baselines: _baselines,
    LayerComparison: _comparison,
    DescriptionLength: _code,
    LearningCurve: _learnt,
    Calibration: _calibration,
    Agreement: _agreement,
    Repeats: _repeats,
}

"""The flags of the command line, and the encoders, data sets and cache that they name."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, NamedTuple

import platformdirs
from absl import flags

from lit_probe.checks.battery import CHECKS, USUAL_CHECKS
from lit_probe.checks.control_task import CONTROLS
from lit_probe.checks.provenance import flags_from_card
from lit_probe.checks.repeats import FEWEST_REPEATS, MOST_REPEATS
from lit_probe.data import DATASETS, load_dataset, parse_dataset_flag, refuse_unused, sources_that_use
from lit_probe.data.asked import TEXT, WORD, UnitKind, check_served
from lit_probe.data.asking import Unasked, ask_all
from lit_probe.data.labelled_texts import Splits
from lit_probe.data.options import TARGETS, DatasetOptions
from lit_probe.data.rows import find_column
from lit_probe.data.tables import read_table
from lit_probe.data.text_columns import text_columns, texts_of
from lit_probe.encoder.activation_files import read_activations
from lit_probe.encoder.cache import CACHE_DTYPES, Cache
from lit_probe.encoder.checkpoint import DEFAULT_MODEL
from lit_probe.encoder.dtypes import AUTO as AUTO_DTYPE
from lit_probe.encoder.dtypes import DTYPES, FLOAT32
from lit_probe.encoder.encoder import Encoder, load_encoder
from lit_probe.encoder.joining import DEFAULT_JOINING, JOININGS
from lit_probe.encoder.memory import MemoryBudget
from lit_probe.encoder.pooling import POOLINGS
from lit_probe.encoder.sites import FAMILIES, LAYERS
from lit_probe.encoder.template import unescaped
from lit_probe.encoder.tokens import KEEPS
from lit_probe.encoder.vector_encoder import NO_POOLING, GivenVectors
from lit_probe.errors import LitProbeError, UnservedError
from lit_probe.figures import FIGURE_FORMATS
from lit_probe.neurons.rankings import RANKINGS
from lit_probe.probing.attention_study import probe_attention
from lit_probe.probing.given_activations import given_activations
from lit_probe.probing.layer_choice import DEFAULT_RULE, LAYER_RULES
from lit_probe.probing.layerwise import Spread, check_probe, probe_for
from lit_probe.probing.memory_need import memory_need
from lit_probe.probing.probes import DEFAULT_PROBES, PROBES, TOKEN_PROBES, ProbeOptions, serves
from lit_probe.probing.probes.options import BALANCED, OPTION_NAMES, UNWEIGHTED
from lit_probe.probing.rules import AUTO, DECISIONS, HEADLINES, StudyRules
from lit_probe.probing.runs import Run, parse_model_flag
from lit_probe.probing.runs import load_runs as runs_of
from lit_probe.probing.study import LayerStudy, probe_layers
from lit_probe.views.planes import WAYS
from lit_probe.views.similarity_measures import MEASURES

# Asked of the data sets together; all other checks are asked of each.
TRANSFER = "transfer"
# Words that stand for several checks. Those that are quick fit no probe and read no text again.
QUICK, ALL = "quick", "all"
SETS_OF_CHECKS: dict[str, tuple[str, ...]] = {
    QUICK: (*(name for name in USUAL_CHECKS if CHECKS[name].quick), TRANSFER),
    ALL: (*USUAL_CHECKS, TRANSFER),
    "none": (),
}

# Who computes activations, or fits probes.
LOCAL, RAY = "local", "ray"

# What `parse` raises for a flag that does not exist or a value that does not fit.
FlagsError = flags.Error

# A set of its own: lit_nlp and others define flags with the same names on absl's global one.
FLAGS = flags.FlagValues()  # type: ignore[no-untyped-call]


_OF_MODELS = ("serve", "layers", "report", "neurons", "selftest", "extract", "sites", "predict")
COMMANDS = (*_OF_MODELS, "cache", "doctor")
# The commands that name something after their flags, and what.
TAKE_ONE = {"predict": "one file of texts", "cache": "one word (list, size, prune, clear or verify)"}
# Kept probes know how texts are read, so there is nothing to be said.
_READ = tuple(name for name in _OF_MODELS if name != "predict")
_PROBES = ("serve", "layers", "report", "neurons")
_CHECKS = ("layers", "report")
_TEXTS = (*_PROBES, "extract")

# The commands that use each flag; the others refuse it.
_USED_BY: dict[str, Sequence[str]] = {}


def _define(
    kind: Callable[..., Any], name: str, default: Any, *args: Any, used_by: Sequence[str] = _OF_MODELS, **kwargs: Any
) -> None:
    """Defines a flag. The last of ``args`` is its help, which begins with the commands that use it where not all do."""
    prefix = "" if set(_OF_MODELS) <= set(used_by) else f"{', '.join(used_by)}: "
    kind(name, default, *args[:-1], f"{prefix}{args[-1]}", flag_values=FLAGS, **kwargs)
    _USED_BY[name] = used_by


_define(
    flags.DEFINE_string,
    "model",
    DEFAULT_MODEL,
    "Encoders or decoders: Hugging Face ids, local folders or GGUF files, separated by commas; smollm2 is a small decoder. "
    "Options of one run may follow in brackets: "
    "bert-base-uncased,bert-base-uncased[pooling=cls,probe=mlp],bert-base-uncased[weights=random]; random:2 is drawn by seed 2.",
    used_by=(*_OF_MODELS, "doctor"),
)
_define(flags.DEFINE_string, "revision", None, "Hub branch, tag or commit of the encoders.", used_by=(*_OF_MODELS, "doctor"))
_define(
    flags.DEFINE_string,
    "datasets",
    "demo",
    f"Data sets, separated by commas: {', '.join(DATASETS)}. name=path reads a local copy: sst2=folder or csv=reviews.csv; "
    "hub=org/name reads one of the Hugging Face hub. Options of one data set may follow in brackets: "
    "csv=a.csv[text=review,label=stars], hub=org/name[config=plain,revision=v2].",
    used_by=_TEXTS,
)


def _define_of_data(kind: Callable[..., Any], name: str, default: Any, text: str, used_by: Sequence[str] = _TEXTS) -> None:
    """Defines a flag that some data sets do not use; its help says which do."""
    _define(kind, name, default, f"{text} Used by {', '.join(sources_that_use(name))}.", used_by=used_by)


_define_of_data(
    flags.DEFINE_string,
    "text_column",
    "text",
    "Column that holds the texts; or two, for pairs: premise,hypothesis.",
    (*_TEXTS, "predict"),
)
_define_of_data(
    flags.DEFINE_string,
    "label_column",
    "label",
    "Column that holds the labels; predict scores by it where it is named.",
    (*_TEXTS, "predict"),
)
_define(
    flags.DEFINE_list,
    "targets",
    [],
    "What is asked of the same rows: label, names of columns, surface:n_words and the like; columns stands for the label and all "
    "columns, surface for all of the surface. Each becomes a data set, and all together a map of concepts by layers.",
    used_by=("layers", "report", "neurons"),
)
_define_of_data(
    flags.DEFINE_string, "group_column", None, "Column whose equal values must stay in one split (an author, a film)."
)
_define_of_data(flags.DEFINE_list, "missing", [], "Words in the label column that stand for no label.")
_define_of_data(
    flags.DEFINE_string,
    "target",
    "auto",
    f"What the labels are: {', '.join(TARGETS)}. auto: classes, unless all are numbers and there are fewer than three rows for "
    "each.",
)
_define_of_data(flags.DEFINE_string, "data_config", None, "Which config (or subset) of the data set, where it has several.")
_define_of_data(flags.DEFINE_string, "data_revision", None, "Hub branch, tag or commit of the data set.")
_define(
    flags.DEFINE_integer,
    "max_examples",
    5_000,
    "Rows per split, drawn by class and seed; 0 for all.",
    lower_bound=0,
    used_by=_TEXTS,
)
_define_of_data(
    flags.DEFINE_integer, "max_words", 20_000, "Words of train, as whole sentences with the tags in proportion; 0 for all."
)
_define_of_data(
    flags.DEFINE_string,
    "annotate",
    None,
    "Asks of each word, in place of labels, whether a rule holds: regex:PATTERN, or words:FILE; with balanced: before it, words "
    "of the more frequent answer are left out.",
)
_define_of_data(
    flags.DEFINE_bool,
    "multilabel",
    False,
    "A label may have several values, as in comedy|drama or in a list; each is asked for by itself, yes or no.",
)
_define(
    flags.DEFINE_enum,
    "pooling",
    None,
    list(dict.fromkeys([*POOLINGS, *JOININGS])),
    f"How a text's tokens become one vector. Default: mean, for a decoder last. Of words: {', '.join(JOININGS)}; default last.",
    used_by=_TEXTS,
)
_define(
    flags.DEFINE_string,
    "probe",
    None,
    f"Kind of probe: {', '.join((*PROBES, *TOKEN_PROBES))}. Default: {DEFAULT_PROBES['classes']}, for a number "
    f"{DEFAULT_PROBES['number']}. predict: the file with the probes, as --save_probes or the page has saved it.",
    used_by=(*_PROBES, "predict"),
)
_define(
    flags.DEFINE_string,
    "regularisation",
    None,
    "Strength of regularisation: cv, or one number. Smaller is stronger for logistic, l1 and elastic_net (their C), larger for "
    "ridge and mlp (their alpha) and attention. Default: cv, for mlp 5, for attention 1.",
    used_by=_PROBES,
)
_define(
    flags.DEFINE_enum,
    "class_weight",
    None,
    [BALANCED, UNWEIGHTED],
    "balanced lets all classes count alike when a probe is fitted. Default: none.",
    used_by=_PROBES,
)
_define(
    flags.DEFINE_string,
    "hidden_units",
    None,
    "Sizes of the hidden layers of mlp, such as 128 or 64-32. Default: 64.",
    used_by=_PROBES,
)
_define(
    flags.DEFINE_string,
    "max_epochs",
    None,
    "Largest number of passes over train, for mlp (500 by default) and attention (200).",
    used_by=_PROBES,
)
_define(
    flags.DEFINE_string,
    "learning_rate",
    None,
    "Size of Adam's steps, for mlp (0.001 by default) and attention (0.01).",
    used_by=_PROBES,
)
_define(
    flags.DEFINE_string, "batch_size", None, "Rows for each step, for mlp (200 by default) and attention (64).", used_by=_PROBES
)
_define(
    flags.DEFINE_string,
    "save_probes",
    None,
    "where the probes are kept: a file named .safetensors, or a folder with a file for each encoder and data set.",
    used_by=("layers",),
)
_define(
    flags.DEFINE_list,
    "projections",
    [],
    f"pictures of all layers in one figure, fitted to train and shown for dev: {', '.join(WAYS)}, or several of them.",
    used_by=("layers",),
)
_define(
    flags.DEFINE_list,
    "similarity",
    [],
    "which layers say the same, as a table and a figure; of several encoders with the same layers, such as checkpoints in their "
    f"order, the series too: {', '.join(MEASURES)}, or several of them.",
    used_by=("layers",),
)
_define(
    flags.DEFINE_enum,
    "figure_format",
    FIGURE_FORMATS[0],
    list(FIGURE_FORMATS),
    "what figures are written as: svg and pdf stay sharp at any size, png is made of pixels.",
    used_by=("layers", "neurons"),
)
_define(
    flags.DEFINE_integer,
    "max_length",
    None,
    "Tokens kept per text, special ones included. Default: 256, or the model's limit.",
    used_by=_READ,
)
_define(
    flags.DEFINE_enum,
    "keep",
    None,
    list(KEEPS),
    "Which part of a longer text is kept. Default: head, for a decoder tail.",
    used_by=_READ,
)
_define(
    flags.DEFINE_string,
    "template",
    None,
    r"What stands around every text, with {text} in its place: 'Review: {text}\nSentiment:'. \n is a newline, \t a tab, \\ a "
    "backslash. last pooling reads to its end. Salience and edits leave it alone, and of a long text the text is cut.",
    used_by=_READ,
)
_define(
    flags.DEFINE_bool,
    "chat",
    False,
    "Read every text as a user's message, as the tokenizer's chat template writes it, up to where the answer begins; --template "
    "then stands within the message.",
    used_by=_READ,
)
_define(flags.DEFINE_string, "device", "auto", "auto, cpu, cuda or cuda:N.")
_define(
    flags.DEFINE_enum,
    "dtype",
    AUTO_DTYPE,
    [AUTO_DTYPE, *DTYPES],
    "numbers in which weights are held and passes computed, whatever the files hold; the 16-bit ones take half the memory. auto: "
    "float32.",
    used_by=_READ,
)
_define(
    flags.DEFINE_float,
    "memory_budget",
    None,
    "How much memory may be held in GB (10^9 bytes): weights, activations that lie in no cache, and token fields of serve. What "
    "is left of it decides how many layers are fitted side by side. Default: what the machine has free, and of that 4 GB for "
    "token fields.",
)
_define(flags.DEFINE_bool, "trust_remote_code", False, "Run Python code that comes with a checkpoint.")
_define(
    flags.DEFINE_integer,
    "seed",
    0,
    "Seed of splits, cross-validation, probes and bootstrap.",
    lower_bound=0,
    upper_bound=2**32 - 1,
    used_by=_READ,
)
_define(
    flags.DEFINE_string,
    "cache_dir",
    platformdirs.user_cache_dir("lit_probe"),
    "Where results are kept. Empty: nowhere.",
    used_by=COMMANDS,
)
_define(
    flags.DEFINE_bool,
    "shared_cache",
    False,
    "Go on where others may write to the cache folder: they cannot plant results, but might change one while it is read.",
    used_by=COMMANDS,
)
_define(flags.DEFINE_bool, "json", False, "print JSON.", used_by=("cache", "doctor"))
_define(flags.DEFINE_bool, "dry_run", False, "prune and clear say what they would take away, and leave it.", used_by=("cache",))
_define(flags.DEFINE_bool, "yes", False, "clear does not ask.", used_by=("cache",))
_define(flags.DEFINE_float, "older_than", None, "prune: days without use.", lower_bound=0, used_by=("cache",))
_define(flags.DEFINE_float, "max_size", None, "prune: GB (10^9 bytes) that stay.", lower_bound=0, used_by=("cache",))
_define(flags.DEFINE_bool, "untrusted", False, "prune: what is not signed with your key, or damaged.", used_by=("cache",))
_define(
    flags.DEFINE_enum,
    "cache_dtype",
    FLOAT32,
    list(CACHE_DTYPES),
    "as what activations are kept and read: bfloat16 takes half the room and rounds them to three digits.",
    used_by=(*_PROBES, "extract"),
)
_define(
    flags.DEFINE_enum,
    "headline",
    AUTO,
    list(HEADLINES),
    "metric by which layers are compared. auto: accuracy, or balanced accuracy where one class holds more than 60 % of train.",
    used_by=_PROBES,
)
_define(
    flags.DEFINE_enum,
    "decision",
    AUTO,
    list(DECISIONS),
    "what decides a class: argmax of the probabilities, or of the probabilities divided by the train shares (prior). auto: prior "
    "where the headline is balanced accuracy, or AUROC of unbalanced classes.",
    used_by=_PROBES,
)
_define(
    flags.DEFINE_enum,
    "layer_choice",
    DEFAULT_RULE,
    list(LAYER_RULES),
    "how the layer is chosen on dev: one_se takes the lowest log-loss of those within one standard error of the best headline "
    "score, headline the best score, log_loss the lowest log-loss.",
    used_by=_PROBES,
)
_define(
    flags.DEFINE_list,
    "checks",
    None,
    f"what is checked beside the scores: {QUICK} ({', '.join(SETS_OF_CHECKS[QUICK])}), which takes a second or few, {ALL} (also "
    f"{', '.join(name for name in SETS_OF_CHECKS[ALL] if name not in SETS_OF_CHECKS[QUICK])}), which fit probes anew, none, or "
    f"some of them by name; repeats stands for --repeat=10. Default: {QUICK}, for report {ALL}.",
    used_by=_CHECKS,
)
_define(
    flags.DEFINE_integer,
    "repeat",
    0,
    "other splits of train and dev, with new folds and seeds, on which all layers are probed and scored again: a band beside the "
    "intervals over rows. 0 for none, else 2 to 1000; 10 take about as long as ten fits, but no text is encoded again.",
    lower_bound=0,
    used_by=_CHECKS,
)
flags.register_validator(  # type: ignore[no-untyped-call]
    "repeat",
    lambda n: n == 0 or FEWEST_REPEATS <= n <= MOST_REPEATS,
    f"one other split tells no spread, and more than {MOST_REPEATS:,} tell no more: give 0, or {FEWEST_REPEATS} to "
    f"{MOST_REPEATS:,}",
    flag_values=FLAGS,
)
_define(
    flags.DEFINE_string,
    "control",
    "word",
    f"what decides the labels of selectivity's control: {', '.join(CONTROLS)}; group:author names a column. Words: word_type.",
    used_by=_CHECKS,
)
_define(
    flags.DEFINE_string,
    "layer",
    "dev-chosen",
    "a layer's number, or dev-chosen; neurons also takes all, for the neurons of all layers ranked together.",
    used_by=("neurons", "predict"),
)
_define(flags.DEFINE_enum, "ranking", "weight_mass", list(RANKINGS), "by what they are ranked.", used_by=("neurons",))
_define(flags.DEFINE_integer, "top", 20, "how many are printed.", lower_bound=1, used_by=("neurons",))
_define(
    flags.DEFINE_string,
    "out",
    "results",
    "folder for the results; for report also the page itself, named .html; for predict the table, which is printed without it.",
    used_by=("layers", "report", "neurons", "selftest", "extract", "predict"),
)
_define(
    flags.DEFINE_string,
    "results",
    None,
    "the layers.json of a run that is reported as it is. Without it the study is made first, or read from the cache.",
    used_by=("report",),
)
_define(flags.DEFINE_string, "compare", None, "the layers.json of another run, which is set beside it.", used_by=("report",))
_define(
    flags.DEFINE_list,
    "sites",
    [LAYERS],
    f"where in the network: {', '.join(FAMILIES)}, module:PATH with wildcards, or the name of one place, as lit-probe sites "
    "lists them. extract writes a file for each.",
    used_by=(*_PROBES, "extract"),
)
_define(
    flags.DEFINE_string,
    "layers",
    None,
    "only these layers, and what stands in their blocks, such as 0,4,8-12; 0 is the embeddings. Default: all.",
    used_by=(*_PROBES, "extract"),
)
_define(
    flags.DEFINE_enum,
    "engine",
    LOCAL,
    [LOCAL, RAY],
    "ray has many machines compute: for extract blocks of activations, which are put into the folder or under the address "
    "(s3://…) of --out as those of the cache; for layers the fits of probes, from a folder --cache_dir that all see.",
    used_by=("extract", "layers"),
)
_define(
    flags.DEFINE_string,
    "address",
    None,
    "of the Ray cluster, such as 10.0.0.1:6379; auto for one that this machine is part of. Default: RAY_ADDRESS, else one of "
    "this machine alone.",
    used_by=("extract", "layers"),
)
_define(
    flags.DEFINE_integer,
    "cores_per_encoder",
    None,
    "cores of a machine for each encoder of a cluster. Default: as many as torch uses on this machine, since digits depend on "
    "it; where there are GPUs, one core and one GPU.",
    lower_bound=1,
    used_by=("extract",),
)
_define(
    flags.DEFINE_list,
    "shards",
    [],
    "files of texts without labels in place of data sets, or patterns of their names such as texts/*.parquet: parquet, jsonl, "
    "csv, tsv or txt. Each is a list of texts for itself, as for predict.",
    used_by=("extract",),
)
_define(flags.DEFINE_bool, "float16", False, "half as large files, with three digits.", used_by=("extract",))
_define(
    flags.DEFINE_list,
    "activations",
    [],
    "files of activations in place of encoders, such as a.safetensors of lit-probe extract, whose rows stand beside it. Rows of "
    "another npy, npz, safetensors or h5 file are those of the table that --datasets names, in its order.",
    used_by=_PROBES,
)
_define(
    flags.DEFINE_string,
    "from",
    None,
    "A layers.json, or a card: the same encoder, data and settings again. Refused if a file has changed since.",
    used_by=_READ,
)
_define(flags.DEFINE_string, "host", "127.0.0.1", "address to listen on.", used_by=("serve", "doctor"))
_define(flags.DEFINE_integer, "port", 5432, "port to listen on.", lower_bound=0, upper_bound=65_535, used_by=("serve", "doctor"))
_define(
    flags.DEFINE_string,
    "token",
    None,
    "what a browser or program must show before it is answered, kept as a cookie after the first visit; auto makes one and "
    "prints the link. Needed where --host lets other machines in. Default: the environment variable LIT_PROBE_TOKEN, which no "
    "list of processes shows; else none.",
    used_by=("serve", "doctor"),
)
_define(
    flags.DEFINE_bool,
    "read_only",
    False,
    "show what is there, as to a class: nothing long is computed for those who ask, nothing made, changed or cancelled. Checks "
    "of an earlier server with the same cache are shown.",
    used_by=("serve",),
)
_define(
    flags.DEFINE_string,
    "unix_socket",
    None,
    "file of a socket to listen on in place of a port, which no other user of the machine can open.",
    used_by=("serve",),
)
_define(flags.DEFINE_list, "allowed_hosts", [], "further Host names to answer to, as behind a proxy.", used_by=("serve",))
_define(
    flags.DEFINE_float,
    "request_timeout",
    120.0,
    "seconds until a request is given up; more for large encoders on slow machines. What panels compute in the background has no "
    "such limit.",
    lower_bound=1.0,
    used_by=("serve",),
)
_define(flags.DEFINE_integer, "show_train", 500, "train rows shown in LIT.", lower_bound=0, used_by=("serve",))
_define(
    flags.DEFINE_integer,
    "max_shown",
    5_000,
    "rows shown in LIT per data set, drawn by class and seed; curves of a whole data set are about all of its rows.",
    lower_bound=1,
    used_by=("serve",),
)
_define(
    flags.DEFINE_list,
    "head_layers",
    None,
    "layers whose predictions LIT's own panels show. Default: all, if few rows.",
    used_by=("serve",),
)
_define(
    flags.DEFINE_bool,
    "token_fields",
    False,
    "token embeddings and gradients as fields of the models, for LIT's own gradient maps and TCAV. LIT keeps them of every row.",
    used_by=("serve",),
)
_define(flags.DEFINE_bool, "log_json", False, "write the log as one JSON object a line.", used_by=("serve",))
_define(
    flags.DEFINE_bool,
    "log_texts",
    False,
    "let the lines of --log_json hold what is filled into them, which may be texts of the data.",
    used_by=("serve",),
)
_define(flags.DEFINE_bool, "traceback", False, "Show where an unexpected error came from.", used_by=COMMANDS)
_define(flags.DEFINE_bool, "help", False, "Show this text.", short_name="h", used_by=COMMANDS)


def load_splits() -> list[Splits]:
    """The data sets that the flags name.

    Raises:
      LitProbeError: one of them cannot be loaded, or does not use a flag of data that was given; one data set's own options stand
        in brackets after it.
    """
    asked: dict[str, Any] = {field.name: FLAGS[field.name].value for field in fields(DatasetOptions)}
    options = DatasetOptions(**{**asked, "missing": tuple(FLAGS.missing)})
    wanted = parse_dataset_flag(FLAGS.datasets)
    given = [name for name in asked if FLAGS[name].present and sources_that_use(name)]
    for one in wanted:
        refuse_unused(one.name, given)
    loaded = [load_dataset(one.name, one.source, replace(_fitting(options, one.name), **one.options)) for one in wanted]
    return _unique(loaded, "data set", "--datasets")


def _fitting(options: DatasetOptions, name: str) -> DatasetOptions:
    """The options without those that the data set does not use, which a card may say of another one than ``--datasets`` names."""
    usual: dict[str, Any] = {field.name: field.default for field in fields(DatasetOptions)}
    return replace(options, **{option: usual[option] for option in options.given() if option not in DATASETS[name].uses})


def load_runs(unit: UnitKind = TEXT) -> list[Run]:
    """The encoders that the flags name, and how each is probed; ``unit`` says what rows are."""

    def load(model_id: str) -> Encoder:
        return load_encoder(
            model_id,
            FLAGS.revision,
            max_length=FLAGS.max_length,
            keep=FLAGS.keep,
            device=FLAGS.device,
            dtype=FLAGS.dtype,
            trust_remote_code=FLAGS.trust_remote_code,
            cache_dir=FLAGS.cache_dir,
            template=None if FLAGS.template is None else unescaped(FLAGS.template),
            chat=FLAGS.chat,
        )

    def load_at(model_id: str) -> Encoder:
        encoder, depths = load(model_id), layer_numbers(FLAGS.layers)
        # Looking for places may load the weights, which layers alone need not.
        return encoder if FLAGS.sites == [LAYERS] and depths is None else encoder.at(cache.sites(encoder, FLAGS.sites, depths))

    cache, wanted = open_cache(), parse_model_flag(FLAGS.model)
    pooling = FLAGS.pooling or (DEFAULT_JOINING if unit == WORD else None)
    runs = runs_of(wanted, load_at, pooling=pooling, probe=FLAGS.probe, seed=FLAGS.seed, probe_options=probe_options())
    _unique([run.encoder for run in runs], "encoder", "--model")
    return runs


# What is asked of encoders and texts, and means nothing for activations that are there already.
_OF_TEXTS = (
    "model revision pooling sites layers max_length keep template chat device dtype trust_remote_code max_examples max_words "
    "missing annotate multilabel from"
).split()


def load_all(*, tokens: bool = False) -> tuple[list[Splits], list[Run]]:
    """The data sets and the runs that the flags name, from files of activations where it names some.

    Args:
      tokens: whether the command can show probes that read tokens.

    Raises:
      LitProbeError: the files are of different data sets, or it is not said which rows they are of.
    """
    if not FLAGS.activations:
        loaded = load_splits()
        if len({splits.target for splits in loaded}) > 1:
            raise LitProbeError("Some of the data sets ask for classes and some for a number. Start a run for each kind.")
        units = sorted({splits.unit for splits in loaded})
        if len(units) > 1:
            raise LitProbeError("--datasets names texts and words, which are read in other ways. Start a run for each.")
        if WORD in units and FLAGS["max_examples"].present:
            raise LitProbeError("The rows of these data are words. Say how many of train are read with --max_words.")
        runs = load_runs(units[0])
        # Of targets, `asked_targets` says so.
        return loaded, runs if FLAGS.targets else _checked(runs, loaded, tokens)
    for name in _OF_TEXTS:
        if FLAGS[name].present:
            raise LitProbeError(f"--activations stand in place of an encoder and its texts: leave out --{name}.")
    given = [_given(Path(path).expanduser()) for path in FLAGS.activations]
    [splits, *others] = [made for _, made in given]
    if any(dict(other.provenance)["sha256"] != dict(splits.provenance)["sha256"] for other in others):
        raise LitProbeError("The files of --activations are of different rows. Give them to a run each.")
    runs = [Run(vectors, NO_POOLING, FLAGS.probe, probe_options()) for vectors, _ in given]
    _unique([run.encoder for run in runs], "encoder", "--activations")
    return [splits], runs if FLAGS.targets else _checked(runs, [splits], False)


def _checked(runs: list[Run], splits_list: Sequence[Splits], tokens: bool) -> list[Run]:
    """The runs, once their probes can be fitted as they are asked for: before any text is encoded."""
    for run in runs:
        if run.probe in TOKEN_PROBES and not tokens:
            raise UnservedError(
                f"The probe {run.probe!r} reads the tokens of texts, which is asked by lit-probe layers or report with --model, "
                "or by lit_probe.probe_attention. Choose another kind here."
            )
        of_pooled = [
            name
            for name in ("save_probes", "projections", "similarity", "cache_dtype")
            if FLAGS[name].present and FLAGS[name].value
        ]
        if run.probe in TOKEN_PROBES and of_pooled:
            what = f"--{of_pooled[0]}"
            raise UnservedError(f"{what} is about pooled vectors, and the probe {run.probe!r} reads tokens. Leave it out.")
        served = [one for one in splits_list if run.probe is None or serves(run.probe, one.target)]
        # A kind that is named counts for the targets that it serves; one that reads tokens has no other beside it.
        for splits in served if served and run.probe not in TOKEN_PROBES else splits_list:
            if run.probe in TOKEN_PROBES:
                kind = TOKEN_PROBES[run.probe]
                check_served(f"The probe {run.probe!r}", splits.unit, splits.target, (TEXT,), kind.targets)
                run.probe_options.check_taken(run.probe, kind.options)
                continue
            check_probe(run.probe or DEFAULT_PROBES[splits.target], splits.target, run.probe_options)
    return runs


def _given(path: Path) -> tuple[GivenVectors, Splits]:
    """The vectors of one file, and the rows that they are of."""
    stored = read_activations(path)
    about = {"name": str(stored.about.get("name") or path.stem), "seed": FLAGS.seed}
    about["target"] = FLAGS.target
    about["told"] = [] if stored.origin is None else [stored.origin]
    if stored.rows is not None:
        for name in ("datasets", "text_column", "label_column", "group_column", "data_config", "data_revision"):
            if FLAGS[name].present:
                raise LitProbeError(f"The rows of {str(path)!r} stand in its manifest: leave out --{name}.")
        rows = stored.rows
        about["dataset"] = str(stored.about.get("dataset") or path.stem)
        if names_of_pair := stored.about.get("pair"):
            about["pair"] = tuple(names_of_pair)
    else:
        [(form, source, columns), *others] = parse_dataset_flag(FLAGS.datasets)
        table_file = None if source is None else Path(source).expanduser()
        if others or table_file is None or form not in ("csv", "tsv", "jsonl") or not table_file.is_file():
            raise LitProbeError(
                f"{str(path)!r} does not say what its rows are. Name one table with a row for each, in this order: "
                "--datasets=csv=rows.csv."
            )
        names = {"text": FLAGS.text_column, "label": FLAGS.label_column, "group": FLAGS.group_column}
        names |= {name.removesuffix("_column"): column for name, column in columns.items() if name.endswith("_column")}
        table = read_table(table_file, form)
        options = DatasetOptions(text_column=names.pop("text"), label_column=names["label"])
        about["target"] = columns.get("target", FLAGS.target)
        rows = {
            name: find_column(table, [column], repr(source), f"{name}_column") and table[column]
            for name, column in names.items()
            if column is not None
        }
        if options.text_column in table or options.text_column != DatasetOptions.text_column:
            texts = text_columns(options, table, repr(source))
            rows["text"] = texts_of(table, texts, repr(source))
            if len(texts) > 1:
                about["pair"] = texts
        if split := next((name for name in ("split", "probe_split") if name in table and name not in names.values()), None):
            rows |= {"split": table[split]}
        about["dataset"] = table_file.stem
    return given_activations(
        stored.layers,
        rows["label"],
        texts=rows.get("text"),
        groups=rows.get("group"),
        splits=rows.get("split"),
        **about,
    )


class Asked(NamedTuple):
    """What is asked of the data sets.

    Attributes:
      splits: the data sets, with each target in place of their labels.
      runs: the runs, whose kind of probe is named where targets are asked: that of the labels' own kind, if a target has it.
      unasked: the targets that cannot be asked for.
    """

    splits: list[Splits]
    runs: list[Run]
    unasked: list[Unasked]


def asked_targets(splits_list: Sequence[Splits], runs: list[Run], *, tokens: bool = False) -> Asked:
    """The data sets with each of the flags' targets in place of their labels; as they are where none is named.

    Args:
      splits_list: the data sets.
      runs: how they are probed.
      tokens: as of `load_all`.

    Raises:
      LitProbeError: a target does not exist, none can be asked for, or a run's probe serves none of them.
    """
    named = FLAGS["targets"].present or FLAGS.targets
    if not named:
        found = [one for splits in splits_list for one in (ask_all(splits, splits.several) if splits.several else [splits])]
    else:
        found = [one for splits in splits_list for one in ask_all(splits, FLAGS.targets)]
    asked, unasked = [one for one in found if isinstance(one, Splits)], [one for one in found if isinstance(one, Unasked)]
    if named:
        own = splits_list[0].target
        usual = DEFAULT_PROBES[own if any(one.target == own for one in asked) else asked[0].target]
        runs = _checked([replace(run, probe=run.probe or usual) for run in runs], asked, tokens)
    return Asked(asked, runs, unasked)


def load_encoders() -> list[Encoder]:
    """The encoders that the flags name, for a command that fits no probes.

    Raises:
      LitProbeError: a run has a pooling or a probe of its own, which would change nothing.
    """
    for model_id, options in parse_model_flag(FLAGS.model):
        if unused := sorted(options.keys() - {"weights"}):
            raise LitProbeError(f"{model_id!r} has {unused[0]!r} in its brackets, but this command fits no probes.")
    return [run.encoder for run in load_runs()]


def layer_numbers(written: str | None) -> tuple[int, ...] | None:
    """The numbers that ``--layers`` names, ascending; None where it names none.

    Raises:
      LitProbeError: these are no numbers and no ranges of them.

    >>> layer_numbers("0,4,8-12"), layer_numbers(None)
    ((0, 4, 8, 9, 10, 11, 12), None)
    """
    if written is None:
        return None
    found: set[int] = set()
    for part in written.split(","):
        match = re.fullmatch(r"\s*(\d{1,4})\s*(?:-\s*(\d{1,4})\s*)?", part)
        if match is None or int(match[2] or match[1]) < int(match[1]):
            raise LitProbeError(f"--layers={written} does not name layers. Write numbers and ranges, such as --layers=0,4,8-12.")
        found |= set(range(int(match[1]), int(match[2] or match[1]) + 1))
    return tuple(sorted(found))


def open_cache() -> Cache:
    """The cache that the flags name."""
    folder = Path(FLAGS.cache_dir).expanduser() if FLAGS.cache_dir else None
    return Cache(folder, FLAGS.cache_dtype, shared=FLAGS.shared_cache)


def study(run: Run, splits: Splits, cache: Cache, progress: Any, spread: Spread | None = None) -> LayerStudy:
    """The study of one run on one data set with the flags' seed; ``spread`` as of `probe_layers`."""
    if run.probe in TOKEN_PROBES:
        return probe_attention(
            run.encoder,
            splits,
            probe_options=run.probe_options,
            seed=FLAGS.seed,
            rules=study_rules(),
            cache=cache,
            memory_gb=FLAGS.memory_budget,
            progress=progress,
        )
    # A kind for classes does not serve a number that is asked of the same rows, nor are its options meant for another kind.
    probe = run.probe if splits.asked_of is None else probe_for(run.probe, splits.target)
    return probe_layers(
        run.encoder,
        splits,
        pooling=run.pooling,
        probe=probe,
        probe_options=run.probe_options if probe == run.probe else None,
        seed=FLAGS.seed,
        rules=study_rules() if splits.asked_of is None else study_rules().for_target(splits.target),
        cache=cache,
        budget=_room_for_fits(run, splits, cache),
        spread=spread,
        progress=progress,
    )


def _room_for_fits(run: Run, splits: Splits, cache: Cache) -> MemoryBudget | None:
    """What the flags' budget leaves beside the weights and what lies in no cache; None where they set none."""
    if FLAGS.memory_budget is None:
        return None
    whole = splits if splits.asked_of is None else splits.asked_of.splits
    networks = [(run.encoder, run.pooling)] if run.encoder.has_network else []
    need = memory_need(networks, sum(len(rows) for _, rows in whole.items()), cache)
    return MemoryBudget.of(FLAGS.memory_budget).less(need.held)


def probe_options() -> ProbeOptions:
    """How the flags say that probes are fitted."""
    given = {name: FLAGS[name].value for name in OPTION_NAMES}
    return ProbeOptions().with_words({name: word for name, word in given.items() if word is not None})


def study_rules() -> StudyRules:
    """How the flags say that studies are scored and layers are chosen."""
    return StudyRules(FLAGS.headline, FLAGS.decision, FLAGS.layer_choice)


def parse(argv: Sequence[str]) -> list[str]:
    """Sets the flags, those of a card first so that what stands beside ``--from`` counts; returns the other arguments.

    Raises:
      FlagsError: there is no such flag, its value does not fit, or the command does not use it.
    """
    arguments = FLAGS(argv)
    _refuse_unused(argv[1:], arguments[1:])
    if FLAGS["from"].value:
        given = {name for name in FLAGS if FLAGS[name].present}
        arguments = FLAGS([argv[0], *flags_from_card(FLAGS["from"].value), *argv[1:]])
        for name in set(FLAGS) - given:
            FLAGS[name].present = 0  # the card says it, nobody gave it
    kinds = (*PROBES, *TOKEN_PROBES)
    if arguments[1:2] != ["predict"] and FLAGS.probe is not None and FLAGS.probe not in kinds:
        raise FlagsError(f"flag --probe={FLAGS.probe}: value should be one of <{'|'.join(kinds)}>")
    return list(arguments[1:])


def _refuse_unused(argv: Sequence[str], arguments: Sequence[str]) -> None:
    """Refuses a flag that the command does not use: it would change nothing, without a word."""
    if not arguments or arguments[0] not in COMMANDS:
        return  # the caller says what is wrong
    for text in argv:
        found = re.match(r"--?(no)?(\w+)", text)
        names = (found[2], f"{found[1] or ''}{found[2]}") if found else ()
        for name in names:
            if arguments[0] not in _USED_BY.get(name, COMMANDS):
                raise FlagsError(f"{arguments[0]} does not use --{name}. It is a flag of {', '.join(_USED_BY[name])}.")


def _unique(loaded: list[Any], what: str, flag: str) -> list[Any]:
    names = [one.name for one in loaded]
    for name in names:
        if names.count(name) > 1:
            raise LitProbeError(f"Two {what}s are called {name!r}. Rename one of them, or start a run for each ({flag}).")
    if not names:
        raise LitProbeError(f"No {what} was named. Give at least one with {flag}.")
    return loaded


def as_flags(message: str) -> str:
    """A message of the library, whose options are flags on the command line.

    >>> as_flags("Say which one with the option text_column.")
    'Say which one with --text_column.'
    """
    return re.sub(r"[Tt]he options? (\w+)(?: and (\w+))?", _flag_words, message)


def _flag_words(found: re.Match[str]) -> str:
    names = [name for name in found.groups() if name]
    return " and ".join(f"--{name}" for name in names) if all(name in FLAGS for name in names) else found[0]


def help_text(about: str) -> str:
    """What each flag is for.

    Args:
      about: the paragraph above the flags.
    """
    listing = "\n".join(
        f"  --{flag.name}  {flag.help}" + ("" if flag.default in (None, [], "") else f" (default: {flag.default_as_str})")
        for flag in sorted(FLAGS.get_flags_for_module(FLAGS.find_module_defining_flag("model")), key=lambda flag: flag.name)
    )
    return f"{about}\n\nUsage: lit-probe {'|'.join(COMMANDS)} [flags], with a file for predict, a word for cache\n\n{listing}"

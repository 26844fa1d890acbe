"""The flags of the command line, and the encoders, data sets and cache that they name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import platformdirs
from absl import flags

from lit_probe.checks.battery import CHECKS
from lit_probe.checks.control_task import CONTROLS
from lit_probe.checks.provenance import flags_from_card
from lit_probe.data import DATASETS, load_dataset, parse_dataset_flag
from lit_probe.data.labelled_texts import Splits
from lit_probe.data.options import DatasetOptions
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.checkpoint import DEFAULT_MODEL
from lit_probe.encoder.encoder import Encoder, load_encoder
from lit_probe.encoder.pooling import POOLINGS
from lit_probe.encoder.tokens import KEEPS
from lit_probe.errors import LitProbeError
from lit_probe.neurons.rankings import RANKINGS
from lit_probe.probing.probes import PROBES
from lit_probe.probing.study import LayerStudy, probe_layers

# Asked of the data sets together; all other checks are asked of each.
TRANSFER = "transfer"

# What `parse` raises for a flag that does not exist or a value that does not fit.
FlagsError = flags.Error

# A set of its own: lit_nlp and others define flags with the same names on absl's global one.
FLAGS = flags.FlagValues()  # type: ignore[no-untyped-call]


def _define(kind: Callable[..., Any], name: str, default: Any, *args: Any, **kwargs: Any) -> None:
    kind(name, default, *args, flag_values=FLAGS, **kwargs)


_define(flags.DEFINE_list, "model", [DEFAULT_MODEL], "Encoders: Hugging Face ids or local folders, separated by commas.")
_define(flags.DEFINE_string, "revision", None, "Hub branch, tag or commit of the encoders.")
_define(
    flags.DEFINE_string,
    "datasets",
    "demo",
    f"Data sets, separated by commas: {', '.join(DATASETS)}. name=path reads a local copy: sst2=folder or "
    "csv=reviews.csv; the columns of one file may follow it: csv=a.csv[text=review,label=stars].",
)
_define(flags.DEFINE_string, "text_column", "text", "Column of a csv, tsv or jsonl file that holds the texts.")
_define(flags.DEFINE_string, "label_column", "label", "Column of a csv, tsv or jsonl file that holds the labels.")
_define(flags.DEFINE_string, "group_column", None, "Column whose equal values must stay in one split (an author, a film).")
_define(flags.DEFINE_list, "missing", [], "Words in the label column of a csv, tsv or jsonl file that stand for no label.")
_define(flags.DEFINE_integer, "max_examples", 5_000, "Rows per split, drawn by class and seed; 0 for all.", lower_bound=0)
_define(flags.DEFINE_enum, "pooling", "mean", list(POOLINGS), "How a text's tokens become one vector.")
_define(flags.DEFINE_enum, "probe", "logistic", list(PROBES), "Kind of probe.")
_define(
    flags.DEFINE_integer,
    "max_length",
    None,
    "Tokens kept per text, special ones included. Default: 256, or the model's limit.",
)
_define(flags.DEFINE_enum, "keep", "head", list(KEEPS), "Which part of a longer text is kept.")
_define(flags.DEFINE_string, "device", "auto", "auto, cpu, cuda or cuda:N.")
_define(flags.DEFINE_bool, "trust_remote_code", False, "Run Python code that comes with a checkpoint.")
_define(
    flags.DEFINE_integer,
    "seed",
    0,
    "Seed of splits, cross-validation, probes and bootstrap.",
    lower_bound=0,
    upper_bound=2**32 - 1,
)
_define(
    flags.DEFINE_string,
    "cache_dir",
    platformdirs.user_cache_dir("lit_probe"),
    "Where results are kept. Empty: nowhere.",
)
_define(
    flags.DEFINE_list,
    "checks",
    ["all"],
    f"layers: what is checked beside the scores: all, none, or some of {', '.join((*CHECKS, TRANSFER))}.",
)
_define(
    flags.DEFINE_string,
    "control",
    "word",
    f"layers: what decides the labels of selectivity's control task: {', '.join(CONTROLS)}; group:author names a column.",
)
_define(
    flags.DEFINE_string,
    "layer",
    "dev-chosen",
    "neurons: a layer's number, dev-chosen, or all for the neurons of all layers ranked together.",
)
_define(flags.DEFINE_enum, "ranking", "weight_mass", list(RANKINGS), "neurons: by what they are ranked.")
_define(flags.DEFINE_integer, "top", 20, "neurons: how many are printed.", lower_bound=1)
_define(flags.DEFINE_string, "out", "results", "layers, neurons, selftest: folder for the results.")
_define(
    flags.DEFINE_string,
    "from",
    None,
    "A layers.json, or a card: the same encoder, data and settings again. Refused if a file has changed since.",
)
_define(flags.DEFINE_string, "host", "127.0.0.1", "serve: address to listen on.")
_define(flags.DEFINE_integer, "port", 5432, "serve: port to listen on.", lower_bound=0, upper_bound=65_535)
_define(flags.DEFINE_list, "allowed_hosts", [], "serve: further Host names to answer to, as behind a proxy.")
_define(flags.DEFINE_integer, "show_train", 500, "serve: train rows shown in LIT.", lower_bound=0)
_define(flags.DEFINE_integer, "max_shown", 5_000, "serve: rows shown in LIT per data set.", lower_bound=1)
_define(
    flags.DEFINE_list,
    "head_layers",
    None,
    "serve: layers whose predictions LIT's own panels show. Default: all, if few rows.",
)
_define(flags.DEFINE_bool, "traceback", False, "Show where an unexpected error came from.")
_define(flags.DEFINE_bool, "help", False, "Show this text.", short_name="h")


def load_splits() -> list[Splits]:
    """The data sets that the flags name."""
    options = DatasetOptions(
        max_examples=FLAGS.max_examples,
        seed=FLAGS.seed,
        text_column=FLAGS.text_column,
        label_column=FLAGS.label_column,
        group_column=FLAGS.group_column,
        missing=tuple(FLAGS.missing),
    )
    wanted = parse_dataset_flag(FLAGS.datasets)
    loaded = [load_dataset(name, source, replace(options, **columns)) for name, source, columns in wanted]
    return _unique(loaded, "data set", "--datasets")


def load_encoders() -> list[Encoder]:
    """The encoders that the flags name."""
    loaded = [
        load_encoder(
            model_id,
            FLAGS.revision,
            max_length=FLAGS.max_length,
            keep=FLAGS.keep,
            device=FLAGS.device,
            trust_remote_code=FLAGS.trust_remote_code,
        )
        for model_id in FLAGS.model
    ]
    return _unique(loaded, "encoder", "--model")


def open_cache() -> Cache:
    """The cache that the flags name."""
    return Cache(Path(FLAGS.cache_dir).expanduser() if FLAGS.cache_dir else None)


def study(encoder: Encoder, splits: Splits, cache: Cache, progress: Any) -> LayerStudy:
    """The study of one encoder on one data set with the flags' settings."""
    return probe_layers(
        encoder, splits, pooling=FLAGS.pooling, probe=FLAGS.probe, seed=FLAGS.seed, cache=cache, progress=progress
    )


def parse(argv: Sequence[str]) -> list[str]:
    """Sets the flags, those of a card first so that what stands beside ``--from`` counts; returns the other arguments."""
    arguments = FLAGS(argv)
    if FLAGS["from"].value:
        arguments = FLAGS([argv[0], *flags_from_card(FLAGS["from"].value), *argv[1:]])
    return list(arguments[1:])


def _unique(loaded: list[Any], what: str, flag: str) -> list[Any]:
    names = [one.name for one in loaded]
    for name in names:
        if names.count(name) > 1:
            raise LitProbeError(f"Two {what}s are called {name!r}. Rename one of them, or start a run for each ({flag}).")
    if not names:
        raise LitProbeError(f"No {what} was named. Give at least one with {flag}.")
    return loaded


def help_text(about: str) -> str:
    """What each flag is for.

    Args:
      about: the paragraph above the flags.
    """
    listing = "\n".join(
        f"  --{flag.name}  {flag.help}" + ("" if flag.default in (None, [], "") else f" (default: {flag.default_as_str})")
        for flag in sorted(FLAGS.get_flags_for_module(FLAGS.find_module_defining_flag("model")), key=lambda flag: flag.name)
    )
    return f"{about}\n\nUsage: lit-probe serve|layers|neurons|selftest [flags]\n\n{listing}"

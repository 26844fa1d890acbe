"""The command line: ``serve`` opens LIT, ``layers`` and ``neurons`` give its numbers, ``selftest`` tests salience methods."""

from __future__ import annotations

import csv
import functools
import io
import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import platformdirs
from absl import flags

from lit_probe.activation_cache import Cache
from lit_probe.battery import CHECKS, check_table, layer_columns, run_battery, stored_near_duplicates
from lit_probe.checkpoint import DEFAULT_MODEL
from lit_probe.control_task import CONTROLS, find_control
from lit_probe.datasets import DATASETS, load_dataset, parse_dataset_flag
from lit_probe.datasets.options import DatasetOptions
from lit_probe.encoder import KEEPS, Encoder, load_encoder
from lit_probe.errors import LitProbeError
from lit_probe.examples import Splits
from lit_probe.leakage import circularity
from lit_probe.neuron_rankings import RANKINGS
from lit_probe.pooling import POOLINGS
from lit_probe.probes import PROBES
from lit_probe.progress_bars import tqdm_progress
from lit_probe.provenance import check_against_card, flags_from_card, read_card
from lit_probe.registry import lookup
from lit_probe.study import LayerStudy, StudyProgress, probe_layers
from lit_probe.transfer import transfer_table, transfer_within_groups

# Asked of the data sets together; all other checks are asked of each.
TRANSFER = "transfer"

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
    f"Data sets, separated by commas: {', '.join(DATASETS)}. name=path reads a local copy: sst2=folder or csv=reviews.csv.",
)
_define(flags.DEFINE_string, "text_column", "text", "Column of a csv, tsv or jsonl file that holds the texts.")
_define(flags.DEFINE_string, "label_column", "label", "Column of a csv, tsv or jsonl file that holds the labels.")
_define(flags.DEFINE_string, "group_column", None, "Column whose equal values must stay in one split (an author, a film).")
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


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code: 0, 1 for an error that is explained, 2 for a wrong call."""
    argv = list(sys.argv if argv is None else argv)
    # A terminal that cannot show a dash should not lose the table.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    commands = {"serve": serve, "layers": layers, "neurons": neurons, "selftest": selftest}
    try:
        arguments = _parse(argv)
    except flags.Error as error:
        print(f"lit-probe: {error}\nSee lit-probe --help.", file=sys.stderr)
        return 2
    except LitProbeError as error:
        print(f"lit-probe: {error}", file=sys.stderr)
        return 1
    if FLAGS.help or arguments == ["help"]:
        print(_help())
        return 0
    if not arguments:
        print(_help(), file=sys.stderr)
        return 2
    if len(arguments) != 1 or arguments[0] not in commands:
        print(
            f"lit-probe: unknown command {' '.join(arguments)!r}. Choose one of: {', '.join(sorted(commands))}.", file=sys.stderr
        )
        return 2
    try:
        commands[arguments[0]]()
    except LitProbeError as error:
        print(f"lit-probe: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if FLAGS.traceback:
            raise
        print(f"lit-probe: unexpected {type(error).__name__}: {error}", file=sys.stderr)
        print("Run again with --traceback to see where it came from, and please report it.", file=sys.stderr)
        return 70
    return 0


def layers() -> None:
    """Prints the table of layers and writes ``layers.json``, ``layers.csv`` and ``layers.svg``."""
    from lit_probe.figures import save_layer_curve

    checks, with_transfer = _checks()
    find_control(FLAGS.control)
    splits_list, encoders, cache = load_splits(), load_encoders(), open_cache()
    out = Path(FLAGS.out).expanduser()
    folders = [out if len(encoders) == 1 else out / encoder.name for encoder in encoders]
    for folder in folders:
        _check_writable(folder)
    _check_card(encoders, splits_list, control=FLAGS.control if "selectivity" in checks else None)
    for encoder, folder in zip(encoders, folders, strict=True):
        studies = {splits.name: study(encoder, splits, cache, tqdm_progress()) for splits in splits_list}
        variants = {"selectivity": FLAGS.control}
        batteries = {name: run_battery(one, cache, tqdm_progress(), checks, variants) for name, one in studies.items()}
        results = {name: _with_checks(one.to_json(), batteries[name]) for name, one in studies.items()}
        remarks = {name: _doubts(one, cache, results[name]) if checks else [] for name, one in studies.items()}
        written = {**next(iter(studies.values())).settings(), "control": FLAGS.control, "datasets": results}
        if with_transfer:
            written[TRANSFER] = transfer_within_groups(list(studies.values()))
        (folder / "layers.json").write_text(json.dumps(written, indent=1, allow_nan=False), "utf-8")
        _write_csv(folder / "layers.csv", results)
        pictures = {name: "layers.svg" if len(studies) == 1 else f"layers-{name}.svg" for name in studies}
        for name, one in studies.items():
            title = f"{encoder.name} on {name}: {FLAGS.probe} probe, {FLAGS.pooling} pooling"
            save_layer_curve(results[name], title, folder / pictures[name])
            print(f"\n{title}\n{one.table()}")
            if checks:
                print("\n".join(["", check_table(batteries[name], encoder.n_layers), *remarks[name]]))
        if with_transfer and len(studies) > 1:
            print(f"\n{transfer_table(written[TRANSFER])}")
        print(f"\nWritten to {folder}/: {', '.join(['layers.json', 'layers.csv', *pictures.values()])}{_cache_words(cache)}")


def neurons() -> None:
    """Prints the best neurons and writes ``neurons.json``, ``neurons.csv`` and ``neurons.svg`` for each data set."""
    from lit_probe.figures import save_neuron_curves
    from lit_probe.neuron_report import neuron_report, neuron_rows, neuron_table

    splits_list, encoders, cache = load_splits(), load_encoders(), open_cache()
    out = Path(FLAGS.out).expanduser()
    _check_writable(out)
    several = len(splits_list) * len(encoders) > 1
    for encoder in encoders:
        for splits in splits_list:
            one = study(encoder, splits, cache, tqdm_progress())
            layer = _asked_layer(one)
            report = neuron_report(one, FLAGS.ranking, layer, tqdm_progress())
            place = "all layers" if layer is None else f"layer {layer}"
            title = f"{encoder.name} on {splits.name}: neurons of {place}"
            folder = out / f"{encoder.name}-on-{splits.name}" if several else out
            folder.mkdir(parents=True, exist_ok=True)
            written = {**one.settings(), "dataset": splits.name, "layer": layer, **report}
            (folder / "neurons.json").write_text(json.dumps(written, indent=1, allow_nan=False), "utf-8")
            _write_rows(folder / "neurons.csv", neuron_rows(report))
            save_neuron_curves(report, title, folder / "neurons.svg")
            print(f"\n{title}\n{neuron_table(report, FLAGS.top)}")
            print(f"\nWritten to {folder}/: neurons.json, neurons.csv, neurons.svg{_cache_words(cache)}")


def _asked_layer(one: LayerStudy) -> int | None:
    """The layer that the flag names, or None for all of them.

    Raises:
      LitProbeError: there is no such layer.
    """
    if FLAGS.layer == "all":
        return None
    if FLAGS.layer == "dev-chosen":
        return one.best_layer
    layer = _layer_number(FLAGS.layer, "layer", "a layer's number, dev-chosen or all")
    one.encoder.check_layer(layer)
    return layer


def selftest() -> None:
    """Prints how often each salience method finds words that are known to decide, and writes ``selftest.json``."""
    from lit_probe.selftest import selftest_table, stored_selftest

    encoders, cache = load_encoders(), open_cache()
    out = Path(FLAGS.out).expanduser()
    _check_writable(out)
    results = {}
    for encoder in encoders:
        step = f"Self-test with {encoder.name}"
        progress = functools.partial(_show_maps, tqdm_progress(), step)
        results[encoder.name] = stored_selftest(encoder, FLAGS.seed, cache, progress)
        print(f"\n{step}, seed {FLAGS.seed}\n\n{selftest_table(results[encoder.name])}")
    (out / "selftest.json").write_text(json.dumps(results, indent=1, allow_nan=False), "utf-8")
    print(f"\nWritten to {out}/: selftest.json{_cache_words(cache)}")


def serve() -> None:
    """Opens LIT on the chosen encoders and data sets, and stays until interrupted."""
    from lit_probe.lit.app import serve_forever

    serve_forever(build_app(), FLAGS.host, FLAGS.port)


def get_wsgi_app(arguments: Sequence[str] = ()) -> Any:
    """The WSGI application for a deployment server such as gunicorn.

    Args:
      arguments: flags as on the command line, such as ``["--datasets=demo"]``.
    """
    _parse(["lit-probe", *arguments])
    return build_app()


def build_app() -> Any:
    """The WSGI application that the flags describe; studies go on in the background."""
    from lit_probe.lit.app import AppOptions, build

    splits_list, encoders, cache = load_splits(), load_encoders(), open_cache()
    _check_card(encoders, splits_list)
    print(f"lit_probe with {len(encoders)} encoder(s) and {len(splits_list)} data set(s){_cache_words(cache)}", file=sys.stderr)
    show = tqdm_progress()
    options = AppOptions(
        host=FLAGS.host,
        allowed_hosts=tuple(FLAGS.allowed_hosts),
        show_train=FLAGS.show_train,
        max_shown=FLAGS.max_shown,
        head_layers=None
        if FLAGS.head_layers is None
        else tuple(_layer_number(text, "head_layers", "layer numbers separated by commas") for text in FLAGS.head_layers),
        seed=FLAGS.seed,
    )

    def make_study(encoder: Encoder, splits: Splits, progress: Any) -> LayerStudy:
        def both(step: str, done: int, total: int, unit: str) -> None:
            show(step, done, total, unit)
            progress(step, done, total, unit)

        return study(encoder, splits, cache, both)

    return build(encoders, splits_list, options, make_study, cache)


def load_splits() -> list[Splits]:
    """The data sets that the flags name."""
    options = DatasetOptions(
        max_examples=FLAGS.max_examples,
        seed=FLAGS.seed,
        text_column=FLAGS.text_column,
        label_column=FLAGS.label_column,
        group_column=FLAGS.group_column,
    )
    loaded = [load_dataset(name, source, options) for name, source in parse_dataset_flag(FLAGS.datasets)]
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


def _show_maps(show: StudyProgress, step: str, done: int, total: int) -> None:
    show(step, done, total, "maps")


def _parse(argv: Sequence[str]) -> list[str]:
    """Sets the flags, those of a card first so that what stands beside ``--from`` counts; returns the other arguments."""
    arguments = FLAGS(argv)
    if FLAGS["from"].value:
        arguments = FLAGS([argv[0], *flags_from_card(FLAGS["from"].value), *argv[1:]])
    return list(arguments[1:])


def _check_card(encoders: Sequence[Encoder], splits_list: Sequence[Splits], control: str | None = None) -> None:
    """Before any hour of work: whether the card of ``--from`` fits every encoder and every data set."""
    if not FLAGS["from"].value:
        return
    card = read_card(FLAGS["from"].value)
    settings = {"pooling": FLAGS.pooling, "probe": FLAGS.probe, "seed": FLAGS.seed, "control": control}
    pairs = [(encoder, splits) for encoder in encoders for splits in splits_list]
    for note in dict.fromkeys(note for pair in pairs for note in check_against_card(card, *pair, **settings)):
        print(f"lit-probe: {note}", file=sys.stderr)


def _unique(loaded: list[Any], what: str, flag: str) -> list[Any]:
    names = [one.name for one in loaded]
    for name in names:
        if names.count(name) > 1:
            raise LitProbeError(f"Two {what}s are called {name!r}. Rename one of them, or start a run for each ({flag}).")
    if not names:
        raise LitProbeError(f"No {what} was named. Give at least one with {flag}.")
    return loaded


def _checks() -> tuple[list[str], bool]:
    """The checks of each data set that the flag names, in reading order, and whether transfer is among those named."""
    if FLAGS.checks == ["none"]:
        return [], False
    if FLAGS.checks == ["all"]:
        return list(CHECKS), True
    for name in FLAGS.checks:
        lookup({"all": None, "none": None, TRANSFER: None, **CHECKS}, name, "check")
    return [name for name in CHECKS if name in FLAGS.checks], TRANSFER in FLAGS.checks


def _doubts(one: LayerStudy, cache: Cache, result: dict[str, Any]) -> list[str]:
    """What may flatter the scores: copies across the splits, and a checkpoint fine-tuned on the same labels."""
    copies = stored_near_duplicates(one.splits, cache)
    result["near_duplicates"] = {key: value for key, value in copies.items() if key != "rows"}
    circular = circularity(one.encoder.checkpoint, one.splits.label_names, one.splits.name)
    result["circularity"] = circular
    return [*copies["notes"], *([circular] if circular else [])]


def _with_checks(result: dict[str, Any], battery: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The result with what the checks say, per layer and in full."""
    columns = layer_columns(battery, len(result["layers"]))
    layers = [{**row, **more} for row, more in zip(result["layers"], columns, strict=True)]
    return {**result, "layers": layers, "checks": battery}


def _check_writable(folder: Path) -> None:
    """Before hours of work rather than after them."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise LitProbeError(f"The folder {str(folder)!r} cannot be written: {error.strerror}. Change --out.") from None


def _layer_number(text: str, flag: str, choices: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise LitProbeError(f"--{flag} takes {choices}; {text!r} is none.") from None


def _write_csv(path: Path, results: dict[str, Any]) -> None:
    rows = [
        {"dataset": name, **row, **{f"baseline_{kind}": score for kind, score in row["baselines"].items()}}
        for name, result in results.items()
        for row in result["layers"]
    ]
    # Why a score is doubtful is told in layers.json; here it would be a column of text beside every number.
    columns = list(dict.fromkeys(column for row in rows for column in row if "_reason" not in column and column != "baselines"))
    _write_rows(path, rows, columns)


def _write_rows(path: Path, rows: list[dict[str, Any]], columns: Sequence[str] | None = None) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns or list(rows[0]), extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def _cache_words(cache: Cache) -> str:
    if cache.folder is None:
        return " (nothing was cached)"
    return f" (cache: {cache.folder}, {cache.size() / 2**20:,.0f} MiB)"


def _help() -> str:
    listing = "\n".join(
        f"  --{flag.name}  {flag.help}" + ("" if flag.default in (None, [], "") else f" (default: {flag.default_as_str})")
        for flag in sorted(FLAGS.get_flags_for_module(FLAGS.find_module_defining_flag("model")), key=lambda flag: flag.name)
    )
    return f"{__doc__}\n\nUsage: lit-probe serve|layers|neurons|selftest [flags]\n\n{listing}"


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    sys.exit(main())

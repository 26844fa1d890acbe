"""The command line: ``serve`` opens LIT, ``layers``, ``report`` and ``neurons`` give its numbers, ``extract`` its vectors,
``predict`` what kept probes say of texts; ``cache`` looks after what is kept, and ``doctor`` says what is missing.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from lit_probe.checks.baselines import BASELINES
from lit_probe.checks.battery import CHECKS, REPEATS
from lit_probe.checks.control_task import DEFAULT_CONTROLS, find_control
from lit_probe.checks.provenance import check_against_card, made_by, read_card
from lit_probe.checks.repeats import N_REPEATS
from lit_probe.data.asked import CLASSES, NUMBER, TEXT, WORD, check_served
from lit_probe.data.csv_cells import shielded
from lit_probe.data.labelled_texts import Splits, normalise_text
from lit_probe.data.rows import find_column
from lit_probe.data.text_pairs import segments
from lit_probe.data.unlabelled import read_texts
from lit_probe.encoder.activation_files import save_activations
from lit_probe.encoder.activations import split_into_blocks
from lit_probe.encoder.cache import Cache, library_versions
from lit_probe.encoder.dtypes import FLOAT32
from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.memory import MemoryBudget
from lit_probe.encoder.ray_layers import RayLayers
from lit_probe.encoder.site_search import module_tree, sites_of
from lit_probe.encoder.sites import FAMILIES, LAYERS
from lit_probe.errors import DatasetError, EncoderError, LitProbeError, NoRowsError, UnservedError
from lit_probe.flags import (
    ALL,
    FLAGS,
    QUICK,
    RAY,
    SETS_OF_CHECKS,
    TAKE_ONE,
    TRANSFER,
    FlagsError,
    as_flags,
    asked_targets,
    help_text,
    load_all,
    load_encoders,
    load_runs,
    load_splits,
    open_cache,
    parse,
    study,
    study_rules,
)
from lit_probe.probing.concept_map import ConceptMap
from lit_probe.probing.layerwise import Spread
from lit_probe.probing.memory_need import MemoryNeed, check_need, memory_need
from lit_probe.probing.predicted_rows import predict_rows
from lit_probe.probing.probe_file import ENDING, load_probe, save_probes
from lit_probe.probing.probes import TOKEN_PROBES
from lit_probe.probing.probes.storage import write_whole
from lit_probe.probing.runs import Run, parse_model_flag
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import of_step, tqdm_progress
from lit_probe.registry import lookup
from lit_probe.report.run_in_steps import AskedChecks, RunSoFar, run_in_steps
from lit_probe.views.layer_similarity import layer_similarity
from lit_probe.views.planes import WAYS
from lit_probe.views.projections import project
from lit_probe.views.similarity_measures import MEASURES
from lit_probe.views.similarity_series import similarity_series

_Compared = TypeVar("_Compared")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code: 0, 1 for an error that is explained, 2 for a wrong call."""
    argv = list(sys.argv if argv is None else argv)
    # A terminal that cannot show a dash should not lose the table.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    commands: dict[str, Callable[..., int | None]] = {
        "serve": serve,
        "layers": layers,
        "report": report,
        "neurons": neurons,
        "selftest": selftest,
        "extract": extract,
        "sites": sites,
        "predict": predict,
        "cache": look_after_cache,
        "doctor": doctor,
    }
    try:
        arguments = parse(argv)
    except FlagsError as error:
        print(f"lit-probe: {error}\nSee lit-probe --help.", file=sys.stderr)
        return 2
    except LitProbeError as error:
        print(f"lit-probe: {error}", file=sys.stderr)
        return 1
    if FLAGS.help or arguments == ["help"]:
        print(help_text(__doc__ or ""))
        return 0
    if not arguments:
        print(help_text(__doc__ or ""), file=sys.stderr)
        return 2
    command, *files = arguments
    takes_one = command in TAKE_ONE
    if takes_one and len(files) != 1:
        print(f"lit-probe: {command} takes {TAKE_ONE[command]}, and {len(files)} were named.", file=sys.stderr)
        return 2
    if command not in commands or (files and not takes_one):
        print(
            f"lit-probe: unknown command {' '.join(arguments)!r}. Choose one of: {', '.join(sorted(commands))}.", file=sys.stderr
        )
        return 2
    try:
        code = commands[command](*files)
    except LitProbeError as error:
        print(f"lit-probe: {as_flags(str(error))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as interrupted:
        print(f"\nlit-probe: {interrupted.args[0] if interrupted.args else 'interrupted.'}", file=sys.stderr)
        return 130
    except Exception as error:
        if FLAGS.traceback:
            raise
        print(f"lit-probe: unexpected {type(error).__name__}: {error}", file=sys.stderr)
        print("Run again with --traceback to see where it came from, and please report it.", file=sys.stderr)
        return 70
    return code or 0


def layers() -> None:
    """Prints the table of layers and writes ``layers.json``, ``layers.csv`` and the figure ``layers.svg``, or another file."""
    _check_asked()
    (splits_list, runs), cache = load_all(tokens=True), open_cache()
    _check_engine(runs, cache)
    splits_list, runs, unasked = asked_targets(splits_list, runs, tokens=True)
    asked = _asked_checks(splits_list, QUICK)
    out = Path(FLAGS.out).expanduser()
    folders = [out if len(runs) == 1 else out / run.encoder.name for run in runs]
    for folder in folders:
        _check_writable(folder)
    for splits in splits_list if FLAGS.save_probes else ():
        check_served("A file of probes", splits.unit, splits.target, (TEXT,), (CLASSES, NUMBER))
    for way in FLAGS.projections:
        lookup(WAYS, way, "projection")
    for measure in FLAGS.similarity:
        lookup(MEASURES, measure, "measure of similarity")
    series: dict[str, list[LayerStudy]] = {}
    kept = _kept_files([run.encoder.name for run in runs], [splits.name for splits in splits_list])
    _check_card(runs, splits_list, asked.control if "selectivity" in asked.names else None)
    show = tqdm_progress()
    _check_runs(runs, splits_list, cache)
    with _spread(cache) as spread:
        for number, (run, folder) in enumerate(zip(runs, folders, strict=True)):
            written = _Written(run, folder, [splits.name for splits in splits_list], kept)
            try:
                for done in run_in_steps(
                    splits_list, _study_of(run, cache, spread), asked, unasked=unasked, cache=cache, progress=show
                ):
                    written.add(done)
                    _tell_ahead(done)
                written.tell_unchecked(cache)
                files = [*written.finish(), *_write_projections(folder, done.studies), *_write_similarity(folder, done.studies)]
            except KeyboardInterrupt:
                others = [f"the run of {one.encoder.name}" for one in runs[number + 1 :]]
                raise KeyboardInterrupt(written.interrupted(others, cache)) from None
            print(f"\nWritten to {folder}/: {', '.join(files)}{_cache_words(cache)}", flush=True)
            for name, one in done.studies.items() if FLAGS.similarity else ():
                series.setdefault(name, []).append(one)
    if files := _write_series(out, series) if len(runs) > 1 else []:
        print(f"\nWritten to {out}/: {', '.join(files)}")


@dataclass
class _Written:
    """The files of a run in its folder, which hold what is done of it; what a step finds is printed when it is there.

    Attributes:
      run: the run.
      folder: where they are.
      names: of all its data sets.
      kept: the file of each encoder's probes on each data set, where they are kept.
      done: what is done; None as long as no curve is.
      maps: the names of the files of the maps of concepts.
      drawn: by data set, the checks that its picture may show.
    """

    run: Run
    folder: Path
    names: Sequence[str]
    kept: Mapping[tuple[str, str], Path]
    done: RunSoFar | None = None
    maps: Sequence[str] = ()
    drawn: dict[str, set[str]] = field(default_factory=dict)

    def add(self, done: RunSoFar) -> None:
        """Writes the tables again, and prints what a step has found."""
        self.done, name = done, done.about
        self._write_tables()
        if name is not None and (done.fitted or (done.said and len(self.names) > 1)):
            print(f"\n{self._title(name) if done.fitted else name}", end="")
        if done.said:
            print(f"\n{as_flags(done.said)}", flush=True)
        if done.maps and not self.maps:
            self.maps = _write_maps(self.folder, done.maps)
        if name is not None and done.fitted:
            self._draw(name)
            if file := self.kept.get((self.run.encoder.name, name)):
                print(f"Probes kept: {save_probes(done.studies[name], file)}", flush=True)

    def _write_tables(self) -> None:
        assert self.done is not None
        written = json.dumps(_run_json(self.run, self.done), indent=1, allow_nan=False)
        write_whole(self.folder / "layers.json", written.encode())
        _write_csv(self.folder / "layers.csv", {name: self.done.dataset_json(name) for name in self.done.studies})

    def finish(self) -> list[str]:
        """Draws again what the checks have added to; returns the names of all files."""
        assert self.done is not None
        for name in self.done.studies:
            if self.drawn.get(name) != self._drawable(name):
                self._draw(name)
        return ["layers.json", "layers.csv", *(self._picture(name) for name in self.done.studies), *self.maps]

    def tell_unchecked(self, cache: Cache) -> None:
        """Names the checks that nobody has asked for, and how long they would take as far as that is known."""
        assert self.done is not None
        names = [name for name in SETS_OF_CHECKS[ALL] if name in CHECKS and name not in self.done.asked.names]
        if FLAGS.checks is None and names:
            titles, measured = ", ".join(CHECKS[name].title for name in names), all(one.fit_s for one in self.done.paces.values())
            time = self.done.time_of(names, self.names, cache) if measured else ""
            told = f" ({time})" if time else ""
            print(f"\nNot checked, because it fits probes anew: {titles}. Add --checks={ALL}{told}.", flush=True)

    def interrupted(self, others: Sequence[str], cache: Cache) -> str:
        """What is there of a run that was interrupted, what is missing, and how it goes on.

        Args:
          others: what else was to be done after this run.
          cache: where results are kept.
        """
        goes_on = "The same command goes on where the cache ends." if cache.folder else "Nothing was cached."
        if self.done is None:
            return f"interrupted before a curve was there; nothing is written to {self.folder}/. {goes_on}"
        self._write_tables()  # the last ones may not have come so far
        files = self.finish()
        pictures = {"the projections": FLAGS.projections, "the similarity of layers": FLAGS.similarity}
        left = [*self.done.left, *(what for what, asked in pictures.items() if asked), *others]
        return f"interrupted. What is done stands in {self.folder}/: {', '.join(files)}. Not done: {', '.join(left)}. {goes_on}"

    def _title(self, name: str) -> str:
        assert self.done is not None
        one = self.done.studies[name]
        joined = "pooling" if one.splits.unit == TEXT else "token of each word"
        return f"{self.run.encoder.name} on {name}: {one.layerwise.kind} probe, {self.run.pooling} {joined}"

    def _picture(self, name: str) -> str:
        return _figure_file("layers" if len(self.names) == 1 else f"layers-{_in_files(self.names)[name]}")

    def _drawable(self, name: str) -> set[str]:
        assert self.done is not None
        return {check for check in self.done.checks.get(name, ()) if not CHECKS[check].quick}

    def _draw(self, name: str) -> None:
        from lit_probe.figures import save_layer_curve

        assert self.done is not None
        self.drawn[name] = self._drawable(name)
        save_layer_curve(self.done.dataset_json(name), self._title(name), self.folder / self._picture(name), BASELINES)


def _tell_ahead(done: RunSoFar) -> None:
    """Says on stderr how long the next step will take, before it begins."""
    if done.ahead:
        print(f"lit-probe: {done.ahead}", file=sys.stderr, flush=True)


def _study_of(run: Run, cache: Cache, spread: Spread | None = None) -> Callable[[Splits], LayerStudy]:
    return lambda splits: study(run, splits, cache, tqdm_progress(), spread)


def _spread(cache: Cache) -> AbstractContextManager[RayLayers | None]:
    """Where layers are fitted: on a cluster, which is left at the end, or here."""
    return RayLayers(cache, FLAGS.address) if FLAGS.engine == RAY else nullcontext()


def _run_json(run: Run, done: RunSoFar) -> dict[str, Any]:
    """What ``layers.json`` holds of what is done."""
    settings = next(iter(done.studies.values())).settings()
    # Of targets that it does not serve another kind is fitted, in its usual way.
    return done.to_json(replace(settings, probe=run.probe or settings.probe, probe_options=run.probe_options.or_none))


def _kept_files(encoders: Sequence[str], datasets: Sequence[str]) -> dict[tuple[str, str], Path]:
    """The file of each encoder's probes on each data set; nothing where they are not to be kept.

    Raises:
      LitProbeError: one file for several probes, or a place that cannot be written.
    """
    if not FLAGS.save_probes:
        return {}
    place = Path(FLAGS.save_probes).expanduser()
    pairs = [(encoder, dataset) for encoder in encoders for dataset in datasets]
    if place.suffix == ENDING and not place.is_dir():
        if len(pairs) > 1:
            raise LitProbeError(f"{len(pairs)} files of probes need a folder. Name one with --save_probes.")
        _check_writable(place.parent, "save_probes")
        return {pairs[0]: place}
    _check_writable(place, "save_probes")
    names = _in_files(["-on-".join(pair) for pair in pairs])
    return {pair: place / f"{name}{ENDING}" for pair, name in zip(pairs, names.values(), strict=True)}


def _figure_file(name: str) -> str:
    """What a figure's file is called, which says its format."""
    return f"{name}.{FLAGS.figure_format}"


def _in_files(names: Sequence[str]) -> dict[str, str]:
    """What each is called as a file: without what a shell would read (names of runs and targets hold blanks and brackets)."""
    found: dict[str, str] = {}
    for name in names:
        written = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.").replace("--", "-")
        while written in found.values():
            written += "-2"
        found[name] = written
    return found


def _write_maps(folder: Path, maps: Sequence[ConceptMap]) -> list[str]:
    """Prints the maps of concepts and writes ``concepts.csv`` and a picture of each; returns the files' names."""
    from lit_probe.figures import save_concept_map

    if not maps:
        return []
    for one in maps:
        print(f"\nConcepts of {one.dataset} by layers of {one.encoder}\n{one.table()}")
    _write_rows(folder / "concepts.csv", [{"dataset": one.dataset, **row} for one in maps for row in one.flat_rows()])
    names = _in_files([one.dataset for one in maps]).values()
    pictures = [_figure_file("concepts" if len(maps) == 1 else f"concepts-{name}") for name in names]
    for one, picture in zip(maps, pictures, strict=True):
        save_concept_map(one.to_json(), f"{one.encoder} on {one.dataset}", folder / picture)
    return ["concepts.csv", *pictures]


def _write_projections(folder: Path, studies: Mapping[str, LayerStudy]) -> list[str]:
    """Writes the pictures of all layers that were asked for, one figure for each study; returns the files' names."""
    from lit_probe.figures import save_projections

    if not FLAGS.projections:
        return []
    names = _in_files(list(studies))
    files = []
    for name, one in studies.items():
        file = _figure_file("projections" if len(studies) == 1 else f"projections-{names[name]}")
        made = [
            project(
                one,
                way,
                rows={"dev": range(len(one.splits.dev))},
                seed=one.seed,
                progress=of_step(tqdm_progress(), f"{WAYS[way].title} of {name}", "%"),
            ).to_json()
            for way in dict.fromkeys(FLAGS.projections)
        ]
        save_projections(made, f"{one.encoder.name} on {name}: dev, fitted to train", folder / file)
        files.append(file)
    return files


def _write_similarity(folder: Path, studies: Mapping[str, LayerStudy]) -> list[str]:
    """Writes how alike the layers of one encoder are, a figure for each study; returns the files' names."""
    from lit_probe.figures import save_layer_similarity

    found = {name: _by_measure(name, partial(layer_similarity, one)) for name, one in studies.items()}
    rows = {name: [row for made in of for row in made.flat_rows()] for name, of in found.items()}

    def draw(name: str, picture: Path) -> None:
        one = studies[name]
        save_layer_similarity([made.to_json() for made in found[name]], f"{one.encoder.name} on {name}", picture)

    return _write_compared(folder, "similarity", rows, draw)


def _write_series(folder: Path, studies: Mapping[str, Sequence[LayerStudy]]) -> list[str]:
    """Prints and writes how the layers of a series of encoders come to be those of the last; returns the files' names."""
    from lit_probe.figures import save_similarity_series

    # Encoders of other depths, which are no series, may well be asked for together.
    found = {name: _by_measure(f"the series on {name}", partial(similarity_series, of)) for name, of in studies.items()}
    for name, of_measures in found.items():
        for made in of_measures:
            print(f"\nSeries on {name}\n{made.table()}")
    rows = {name: [row for made in of for row in made.flat_rows()] for name, of in found.items()}

    def draw(name: str, picture: Path) -> None:
        save_similarity_series([made.to_json() for made in found[name]], f"The series on {name}", picture)

    return _write_compared(folder, "similarity-series", rows, draw)


def _by_measure(name: str, compare: Callable[..., _Compared]) -> list[_Compared]:
    """What each measure that was asked for makes of ``name``, without those that it has too little for, which is told."""
    found = []
    for measure in dict.fromkeys(FLAGS.similarity):
        progress = of_step(tqdm_progress(), f"{MEASURES[measure].title} of layers on {name}", "passes")
        try:
            found.append(compare(measure=measure, progress=progress))
        except (DatasetError, EncoderError, UnservedError) as error:
            print(f"lit-probe: no {measure} of {name}. {as_flags(str(error))}", file=sys.stderr)
    return found


def _write_compared(
    folder: Path, name: str, rows: Mapping[str, list[dict[str, Any]]], draw: Callable[[str, Path], None]
) -> list[str]:
    """Writes one table of all data sets and a figure of each; returns the files' names: none where there are no rows."""
    rows = {dataset: of for dataset, of in rows.items() if of}
    if not rows:
        return []
    _write_rows(folder / f"{name}.csv", [{"dataset": dataset, **row} for dataset, of in rows.items() for row in of])
    written = _in_files(list(rows))
    pictures = {dataset: _figure_file(name if len(rows) == 1 else f"{name}-{written[dataset]}") for dataset in rows}
    for dataset, picture in pictures.items():
        draw(dataset, folder / picture)
    return [f"{name}.csv", *pictures.values()]


def predict(texts: str) -> None:
    """Writes a table of what kept probes say of the texts in a file, as CSV; everything else goes to stderr."""
    if not FLAGS["probe"].present or not FLAGS.probe:
        raise LitProbeError("Name the file with the probes: --probe=probes.safetensors.")
    kept, path = load_probe(FLAGS.probe), Path(texts).expanduser()
    layer = None if FLAGS.layer == "dev-chosen" else _layer_number(FLAGS.layer, "layer", "a layer's number or dev-chosen")
    kept.fitted(layer)
    # Pairs are looked for in the columns that they were trained on.
    columns = kept.facts.pair if kept.facts.pair and not FLAGS["text_column"].present else FLAGS.text_column
    table, said = read_texts(path, columns)
    label_column = None
    if FLAGS["label_column"].present:
        label_column = find_column(table, [FLAGS.label_column], repr(str(path)), "label_column")
    out = Path(FLAGS.out).expanduser() if FLAGS["out"].present else None
    if out is not None:
        _check_writable(out.parent)
        for read in (path, Path(FLAGS.probe).expanduser()):
            if out.exists() and out.samefile(read):
                raise LitProbeError(f"{str(out)!r} is read here, and would be written over. Change --out.")
        _check_page(out)
    model = FLAGS.model if FLAGS["model"].present else None
    encoder = kept.load_encoder(model, FLAGS.revision, device=FLAGS.device, trust_remote_code=FLAGS.trust_remote_code)
    cache = open_cache().keeping(kept.facts.cache_dtype or FLOAT32)
    _check_memory([(encoder, kept.facts.pooling)], len(next(iter(table.values()), ())), cache, 1)
    step = of_step(tqdm_progress(), f"Encoding {path.name} with {encoder.name}", "texts")
    found = predict_rows(kept, encoder, table, said, layer=layer, label_column=label_column, cache=cache, progress=step)
    rows = io.StringIO()
    table_rows = [list(found.columns), *zip(*found.columns.values(), strict=True)]
    csv.writer(rows).writerows([[shielded(cell) for cell in row] for row in table_rows])
    if out is None:
        sys.stdout.write(rows.getvalue())
    else:
        write_whole(out, rows.getvalue().encode("utf-8", "replace"))
    for note in (*found.notes, *([] if out is None else [f"Written: {out}"])):
        print(note, file=sys.stderr)


def report() -> None:
    """Writes the page about a run: that of ``--results``, or the one that the flags of ``layers`` describe."""
    from lit_probe.report.page import report_html
    from lit_probe.report.run_file import read_run, run_of

    compared = read_run(FLAGS.compare) if FLAGS.compare else None
    if FLAGS.results:
        _refuse_beside_results()
        [page] = _pages([""])
        text = report_html(read_run(FLAGS.results), compared)
        page.write_text(text, "utf-8")
        print(f"Written: {page}")
        return
    _check_asked()
    (splits_list, runs), cache = load_all(tokens=True), open_cache()
    splits_list, runs, unasked = asked_targets(splits_list, runs, tokens=True)
    asked = _asked_checks(splits_list, ALL)
    pages = _pages([run.encoder.name for run in runs])
    _check_card(runs, splits_list, asked.control if "selectivity" in asked.names else None)
    _check_runs(runs, splits_list, cache)
    for run, page in zip(runs, pages, strict=True):
        making = run_in_steps(splits_list, _study_of(run, cache), asked, unasked=unasked, cache=cache, progress=tqdm_progress())
        for done in making:
            _tell_ahead(done)
        # As from the file, so that the page is the same to the last byte.
        written = json.loads(json.dumps(_run_json(run, done), allow_nan=False))
        page.write_text(report_html(run_of(written), compared), "utf-8")
        print(f"Written: {page}{_cache_words(cache)}")


def _refuse_beside_results() -> None:
    """Refuses flags of a study that is not made."""
    used = {"results", "compare", "out", "traceback", "help"}
    others = sorted(name for name in set(FLAGS) - used if FLAGS[name].present)
    if others:
        raise LitProbeError(
            f"A report with --results reads that file and makes no study, so --{others[0]} would change nothing. "
            "Leave out one of the two."
        )


def _pages(names: Sequence[str]) -> list[Path]:
    """The file of each run's report.

    Raises:
      LitProbeError: one file for several runs, or a place that cannot be written.
    """
    out = Path(FLAGS.out).expanduser()
    if out.suffix.lower() not in (".html", ".htm"):
        folders = [out if len(names) == 1 else out / name for name in names]
        for folder in folders:
            _check_writable(folder)
        return [_check_page(folder / "report.html") for folder in folders]
    if len(names) > 1:
        raise LitProbeError(f"{len(names)} encoders have a report each. Name a folder with --out, or one encoder.")
    if not out.parent.is_dir():
        raise LitProbeError(f"The folder {str(out.parent)!r} does not exist. Make it, or change --out.")
    _check_writable(out.parent)
    return [_check_page(out)]


def _check_page(page: Path) -> Path:
    """The page, unless something else has its name."""
    if page.exists() and not (page.is_file() and os.access(page, os.W_OK)):
        raise LitProbeError(f"{str(page)!r} cannot be written. Change --out.")
    return page


def _asked_checks(splits_list: Sequence[Splits], usual: str) -> AskedChecks:
    """Which checks the flags ask for, with the usual control of such rows where nobody has named one.

    Args:
      splits_list: the data sets.
      usual: which checks are meant where the flags name none.
    """
    names, transfer = _checks(usual)
    named = FLAGS["control"].present or FLAGS.control != DEFAULT_CONTROLS[TEXT]
    control = FLAGS.control if named or "selectivity" not in names else DEFAULT_CONTROLS[splits_list[0].unit]
    return AskedChecks(names, transfer, (FLAGS.repeat or N_REPEATS) if REPEATS in names else 0, control)


def neurons() -> None:
    """Prints the best neurons and writes ``neurons.json``, ``neurons.csv`` and a figure for each data set."""
    from lit_probe.figures import save_neuron_curves
    from lit_probe.neurons.neuron_report import neuron_report, neuron_rows, neuron_table

    (splits_list, runs), cache = load_all(), open_cache()
    splits_list, runs, unasked = asked_targets(splits_list, runs)
    for left in unasked:
        print(f"lit-probe: {left.dataset} is not asked for {left.target}. {left.error}", file=sys.stderr)
    out = Path(FLAGS.out).expanduser()
    _check_writable(out)
    _check_card(runs, splits_list)
    _check_runs(runs, splits_list, cache)
    several = len(splits_list) * len(runs) > 1
    names = _in_files([splits.name for splits in splits_list])
    for run in runs:
        encoder = run.encoder
        for splits in splits_list:
            one = study(run, splits, cache, tqdm_progress())
            layer = _asked_layer(one)
            report = neuron_report(one, FLAGS.ranking, layer, tqdm_progress())
            place = "all layers" if layer is None else f"layer {layer}"
            title = f"{encoder.name} on {splits.name}: neurons of {place}"
            folder = out / f"{encoder.name}-on-{names[splits.name]}" if several else out
            folder.mkdir(parents=True, exist_ok=True)
            scored = {"headline": one.headline, "decision": one.decision.to_json(), "choice": one.choice.to_json()}
            about = {
                **one.settings().to_json(),
                "made_by": made_by(None, splits.target, probe=one.layerwise.kind),
                "dataset": splits.name,
                "layer": layer,
            }
            written = {**about, **scored, **report.to_json()}
            (folder / "neurons.json").write_text(json.dumps(written, indent=1, allow_nan=False), "utf-8")
            _write_rows(folder / "neurons.csv", neuron_rows(report))
            save_neuron_curves(written, title, folder / _figure_file("neurons"))
            print(f"\n{title}\n{neuron_table(report, FLAGS.top)}")
            print(f"\nWritten to {folder}/: neurons.json, neurons.csv, {_figure_file('neurons')}{_cache_words(cache)}")


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
    from lit_probe.salience.selftest.selftest import selftest_table, stored_selftest

    encoders, cache = load_encoders(), open_cache()
    out = Path(FLAGS.out).expanduser()
    _check_writable(out)
    _check_memory([(encoder, encoder.default_pooling) for encoder in encoders], 0, cache)
    results = {}
    for encoder in encoders:
        step = f"Self-test with {encoder.name}"
        result = stored_selftest(encoder, FLAGS.seed, cache, of_step(tqdm_progress(), step, "maps"))
        results[encoder.name] = result.to_json()
        print(f"\n{step}, seed {FLAGS.seed}\n\n{selftest_table(result)}")
    (out / "selftest.json").write_text(json.dumps(results, indent=1, allow_nan=False), "utf-8")
    print(f"\nWritten to {out}/: selftest.json{_cache_words(cache)}")


def extract() -> None:
    """Writes the pooled activations of each encoder on each data set, a safetensors file with a manifest of its rows.

    Sites of another kind than layers get a file of their own for each kind. With ``--engine=ray`` many machines write blocks for
    the cache instead.
    """
    if FLAGS.engine == RAY:
        _extract_blocks()
        return
    _refuse_of_ray("address", "cores_per_encoder", "shards")
    splits_list, runs, cache = load_splits(), load_runs(), open_cache()
    for splits in splits_list:
        check_served("A file of activations", splits.unit, splits.target, (TEXT,), (CLASSES,))
        _check_one_value(splits, "A file of activations")
    out = Path(FLAGS.out).expanduser()
    _check_writable(out)
    _check_runs(runs, splits_list, cache)
    for run in runs:
        names = _by_file(run.encoder, cache)
        for splits in splits_list:
            step = of_step(tqdm_progress(), f"Encoding {splits.name} with {run.encoder.name}", "splits")
            pooled, parts = [], dict(splits.items())
            for done, rows in enumerate(parts.values()):
                step(done, len(parts))
                pooled.append(cache.activations(run.encoder, rows.texts, run.pooling))
            step(len(parts), len(parts))
            for wanted, places in names.items():
                vectors = {name: np.concatenate([one.layer(place) for one in pooled]) for name, place in places.items()}
                _write_vectors(out, run, splits, wanted, vectors, cache)


def _refuse_of_ray(*names: str) -> None:
    """Refuses flags that are of many machines."""
    for name in names:
        if FLAGS[name].present:
            raise LitProbeError(f"--{name} is of many machines. Add --engine=ray, or leave it out.")


def _check_engine(runs: Sequence[Run], cache: Cache) -> None:
    """That fits can be done where the flags say, before any text is encoded.

    Raises:
      LitProbeError: they cannot.
    """
    if FLAGS.engine != RAY:
        _refuse_of_ray("address")
        return
    RayLayers(cache).check_folder()
    if kinds := [run.probe for run in runs if run.probe in TOKEN_PROBES]:
        raise UnservedError(
            f"--engine=ray spreads fits to pooled vectors, and the probe {kinds[0]!r} reads tokens. Leave it out."
        )


def _extract_blocks() -> None:
    """Has a Ray cluster compute the activations that are missing in a folder or bucket of blocks."""
    from lit_probe.encoder.block_places import Folder, Place, bucket, without_secrets
    from lit_probe.encoder.ray_extraction import Extraction, extract_blocks

    if FLAGS.float16:
        raise LitProbeError("--float16 is of files of vectors, and --engine=ray writes blocks. Give --cache_dtype=bfloat16.")
    if FLAGS.shards and FLAGS["datasets"].present:
        raise LitProbeError("--shards stand in place of data sets: leave out --datasets, or make a run of each.")
    splits_list = [] if FLAGS.shards else load_splits()
    for splits in splits_list:
        check_served("A block of activations", splits.unit, splits.target, (TEXT,), (CLASSES, NUMBER))
    shards, runs = _shard_files(), load_runs()
    place: Place
    if "://" in FLAGS.out:
        place, cache = bucket(FLAGS.out), Cache(None, FLAGS.cache_dtype)
    else:
        folder = Path(FLAGS.out).expanduser().absolute()
        _check_writable(folder, mode=0o700)
        cache = Cache(folder, FLAGS.cache_dtype, shared=FLAGS.shared_cache)
        place = Folder(folder)
    n_texts = None if shards else sum(len(rows) for splits in splits_list for _, rows in splits.items())

    def tell(found: Extraction) -> None:
        print(f"lit-probe: {found.sentence}{'' if n_texts is None else f', of {n_texts:,} texts'}", file=sys.stderr)

    for run in runs:
        found = extract_blocks(
            run.encoder,
            run.pooling,
            _blocks_of(splits_list, shards),
            place,
            cache,
            address=FLAGS.address,
            device=FLAGS.device,
            cores=FLAGS.cores_per_encoder,
            trust_remote_code=FLAGS.trust_remote_code,
            tell=tell,
        )
        for worker in found.workers:
            print(f"An encoder was on {worker}")
        print(f"{run.encoder.name}, {run.pooling}: {found.sentence}\nWritten to {without_secrets(FLAGS.out)}")


def _shard_files() -> list[Path]:
    """The files that the flag names, by name.

    Raises:
      LitProbeError: there is none of such a name.
    """
    files: dict[Path, None] = {}
    for pattern in FLAGS.shards:
        whole = Path(pattern).expanduser().absolute()
        # A name may hold what would be a pattern otherwise.
        found = [whole] if whole.exists() else sorted(Path(whole.anchor).glob(str(whole.relative_to(whole.anchor))))
        if not found:
            raise LitProbeError(f"No file is called {pattern!r}. A pattern with * may need quotation marks.")
        files |= dict.fromkeys(found)
    return list(files)


def _blocks_of(splits_list: Sequence[Splits], shards: Sequence[Path]) -> Iterator[Sequence[str]]:
    """The texts of each block: of the splits as studies read them, of shards as `predict` does."""
    lists = (rows.texts for splits in splits_list for _, rows in splits.items())
    for texts in itertools.chain(lists, filter(None, map(_texts_in_shard, shards))):
        yield from (part for part, _ in split_into_blocks(texts))


def _texts_in_shard(path: Path) -> list[str]:
    """Its texts that are not empty; none of a file without rows, as what writes shards leaves some."""
    try:
        _, said = read_texts(path, FLAGS.text_column)
    except NoRowsError:
        said = []
    texts = [text for text in said if normalise_text(text)]
    if not texts:
        print(f"lit-probe: {str(path)!r} has no texts, and is passed over.", file=sys.stderr)
    return texts


def _by_file(encoder: Encoder, cache: Cache) -> dict[str, dict[str, int]]:
    """The numbers of the places of each file by their names: a file for each kind that was asked for."""
    number = {name: place for place, name in enumerate(encoder.layer_names)}
    if not encoder.at_sites:
        return {LAYERS: number}
    found = {}
    for wanted in dict.fromkeys(FLAGS.sites):
        names = [site.name for site in cache.sites(encoder.at_layers, [wanted])]
        found[wanted] = {name: number[name] for name in names if name in number}
    return found


def _write_vectors(
    out: Path, run: Run, splits: Splits, wanted: str, vectors: Mapping[str, NDArray[np.float32]], cache: Cache
) -> None:
    about: dict[str, Any] = {"name": run.encoder.name, "dataset": splits.name, "pooling": run.pooling, "sites": wanted}
    about |= {"sha256_of": run.encoder.hashes, "max_length": run.encoder.max_length, "keep": run.encoder.keep}
    about |= {} if run.encoder.dtype == FLOAT32 else {"computed_in": run.encoder.dtype}
    about |= cache.facts()
    about |= {name: one for name in ("template", "chat") if (one := getattr(run.encoder, name)) is not None}
    about |= {"versions": library_versions()}
    if splits.pair is not None:
        about["pair"] = list(splits.pair)
    kind = "" if wanted == LAYERS else "-" + re.sub(r"[^A-Za-z0-9._]+", "-", wanted).strip("-")
    if kind:
        about["name"] += kind
    file = out / f"{run.encoder.name}-on-{splits.name}{kind}.safetensors"
    written = save_activations(file, vectors, _rows_of(splits), about, half=FLAGS.float16)
    n_rows, width = next(iter(vectors.values())).shape
    what = LAYERS if wanted == LAYERS else "sites"
    print(f"{run.encoder.name} on {splits.name}: {len(vectors)} {what} of [{n_rows:,}, {width}]")
    print(f"Written: {', '.join(map(str, written))}{_cache_words(cache)}")


def sites() -> None:
    """Prints where activations can be read: the modules of each encoder with their shapes, and what of them are sites."""
    encoders = load_encoders()
    _check_memory([(encoder, encoder.default_pooling) for encoder in encoders], 0, open_cache())
    for encoder in encoders:
        print(f"{encoder.name}\n{module_tree(encoder)}\n")
        for family, what in FAMILIES.items():
            try:
                found = sites_of(encoder, [family])
            except EncoderError as error:
                print(f"--sites={family}: {error}")
                continue
            print(f"--sites={family}: {what}: {found[0].name} to {found[-1].name}, {found[0].width} units each")
        print("--sites=module:PATH: what a module above gives for each token; * is one step of a path, :input what it is given")


def _rows_of(splits: Splits) -> dict[str, list[Any]]:
    """What each row is, for the manifest of its activations; a pair is a list of its two texts."""
    parts = dict(splits.items())
    names = splits.label_names
    rows: dict[str, list[Any]] = {
        "text": [text if splits.pair is None else list(segments(text)) for part in parts.values() for text in part.texts],
        "label": [names[one] if names else one for part in parts.values() for one in part.labels.tolist()],
        "split": [str(name) for name, part in parts.items() for _ in part.texts],
    }
    if groups := [part.groups for part in parts.values() if part.groups is not None]:
        rows["group"] = [str(group) for of_part in groups for group in of_part]
    return rows


def serve() -> None:
    """Opens LIT on the chosen encoders and data sets, and stays until interrupted."""
    from lit_probe.lit.server.access import AUTO, Access, check_reach, chosen_token
    from lit_probe.lit.server.ending import end_on_signal, wait_for_end
    from lit_probe.lit.server.opening import Opening
    from lit_probe.lit.server.serving import serve as listen

    given = _given_token()
    token = chosen_token(given)
    if FLAGS.unix_socket is None:
        check_reach(FLAGS.host, token)
    elif FLAGS["host"].present or FLAGS["port"].present:
        raise LitProbeError("--unix_socket stands in place of an address: leave out --host and --port.")
    # Who opens the page before LIT is there is told so, and is on it once it is.
    opening = Opening(FLAGS.host, FLAGS.allowed_hosts, Access(token, only_here=True))
    server = listen(opening, FLAGS.host, FLAGS.port, unix_socket=FLAGS.unix_socket).start()
    end_on_signal(server, opening.stop)
    # A token of somebody's own is theirs to tell.
    link = f"{server.url}?token={token}" if given == AUTO else server.url
    try:
        # Without a token: what goes to stderr may be kept in a log.
        print(f"lit_probe: {server.url} answers, and shows LIT once it is loaded", file=sys.stderr)
        opening.open(build_app(token))
    except BaseException:
        server.close()
        raise
    print(f"LIT is open at {link} (stop it with Ctrl-C)", flush=True)
    wait_for_end()


def look_after_cache(word: str) -> int:
    """Lists, measures, checks and clears what is kept; returns the exit code."""
    from lit_probe.care.cache_command import cache_command

    def confirm(question: str) -> bool:
        if FLAGS.yes:
            return True
        if not sys.stdin.isatty():
            raise LitProbeError("Nobody is there to be asked. Add --yes to clear the cache.")
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")

    said, code = cache_command(
        word,
        Path(FLAGS.cache_dir).expanduser() if FLAGS.cache_dir else None,
        shared=FLAGS.shared_cache,
        as_json=FLAGS.json,
        dry_run=FLAGS.dry_run,
        older_than=FLAGS.older_than,
        max_size=FLAGS.max_size,
        untrusted=FLAGS.untrusted,
        confirm=confirm,
    )
    print(said)
    return code


def doctor() -> int:
    """Says what the installation needs and has, a line each; returns the exit code."""
    from lit_probe.care.doctor import Asked, examine, findings_table, is_well

    folder = Path(FLAGS.cache_dir).expanduser() if FLAGS.cache_dir else None
    models = tuple(name for name, _ in parse_model_flag(FLAGS.model))
    found = examine(Asked(folder, FLAGS.shared_cache, models, FLAGS.revision, FLAGS.host, FLAGS.port, _given_token()))
    print(json.dumps([one.to_json() for one in found], indent=1) if FLAGS.json else findings_table(found))
    return 0 if is_well(found) else 1


def get_wsgi_app(arguments: Sequence[str] = ()) -> Any:
    """The WSGI application for a deployment server such as gunicorn.

    Args:
      arguments: flags as on the command line, such as ``["--datasets=demo"]``.
    """
    from lit_probe.lit.server.access import AUTO, chosen_token

    parse(["lit-probe", *arguments])
    if (given := _given_token()) == AUTO:
        raise LitProbeError(
            "A deployment server prints no link: set the environment variable LIT_PROBE_TOKEN to a token of yours."
        )
    return build_app(chosen_token(given))


def _given_token() -> str | None:
    """The token of the flag or, where it is not there, of the environment."""
    return os.environ.get("LIT_PROBE_TOKEN") if FLAGS.token is None else FLAGS.token


def build_app(token: str | None = None) -> Any:
    """The WSGI application that the flags describe; studies go on in the background.

    Args:
      token: what has to be shown to it; where it is None other machines are not answered.
    """
    print("lit_probe: loading LIT and the data sets", file=sys.stderr)
    from lit_probe.lit.late_imports import import_late

    import_late()
    from lit_probe.lit.app import AppOptions, build
    from lit_probe.lit.server.access import Access
    from lit_probe.lit.server.limits import DEFAULT_LIMITS
    from lit_probe.lit.server.logs import set_up_logs

    set_up_logs(as_json=FLAGS.log_json, texts=FLAGS.log_texts)

    (splits_list, runs), cache = load_all(), open_cache()
    for splits in splits_list:
        _check_one_value(splits, "The page")
    _check_card(runs, splits_list)
    need = _check_runs(runs, splits_list, cache)
    run_of = {run.encoder.name: run for run in runs}
    print(f"lit_probe with {len(runs)} encoder(s) and {len(splits_list)} data set(s){_cache_words(cache)}", file=sys.stderr)
    show = tqdm_progress()
    options = AppOptions(
        host=FLAGS.host,
        allowed_hosts=tuple(FLAGS.allowed_hosts),
        access=Access(token, only_here=True),
        read_only=FLAGS.read_only,
        show_train=FLAGS.show_train,
        max_shown=FLAGS.max_shown,
        head_layers=None
        if FLAGS.head_layers is None
        else tuple(_layer_number(text, "head_layers", "layer numbers separated by commas") for text in FLAGS.head_layers),
        seed=FLAGS.seed,
        rules=study_rules(),
        token_fields=FLAGS.token_fields,
        memory_budget=FLAGS.memory_budget,
        held=need.held,
        balanced=tuple(name for name, run in run_of.items() if run.probe_options.class_weight is not None),
        limits=replace(DEFAULT_LIMITS, request_s=FLAGS.request_timeout),
    )

    def make_study(encoder: Encoder, splits: Splits, progress: Any) -> LayerStudy:
        def both(step: str, done: int, total: int, unit: str) -> None:
            show(step, done, total, unit)
            progress(step, done, total, unit)

        return study(run_of[encoder.name], splits, cache, both)

    return build([run.encoder for run in runs], splits_list, options, make_study, cache, show)


def _check_memory(
    runs: Sequence[tuple[Encoder, str]], n_texts: int, cache: Cache, n_splits: int = 3, rows: str = "texts"
) -> MemoryNeed:
    """Tells on stderr what is needed of the memory, before any weight is loaded.

    Args:
      runs: the encoders, each with its pooling.
      n_texts: how many texts are encoded.
      cache: where activations are kept.
      n_splits: how many splits these texts are in.
      rows: what has a vector each: texts, or words.

    Raises:
      LitProbeError: it is more than the flag allows, or than there is.
    """
    budget, networks = MemoryBudget.of(FLAGS.memory_budget), [(encoder, name) for encoder, name in runs if encoder.has_network]
    need = memory_need(networks, n_texts, cache, rows)
    if networks:
        print(f"lit-probe: {as_flags(need.told(budget))}", file=sys.stderr)
        check_need(need, [encoder for encoder, _ in networks], budget, n_splits)
    return need


def _check_runs(runs: Sequence[Run], splits_list: Sequence[Splits], cache: Cache) -> MemoryNeed:
    """`_check_memory` of runs on all rows of data sets; those of which several targets are asked are read once."""
    whole = {one.name: one for one in (splits.asked_of.splits if splits.asked_of else splits for splits in splits_list)}
    sizes = [len(rows) for splits in whole.values() for _, rows in splits.items()]
    what = "words" if any(splits.unit == WORD for splits in whole.values()) else "texts"
    return _check_memory([(run.encoder, run.pooling) for run in runs], sum(sizes), cache, len(sizes), what)


def _check_one_value(splits: Splits, what: str) -> None:
    """Refuses labels of several values where rows have one label.

    Raises:
      UnservedError: the data set has them.
    """
    if splits.several:
        raise UnservedError(
            f"{what} has one label for each row, and that of {splits.name} has several values. lit-probe layers, report and "
            "neurons ask for each."
        )


def _check_card(runs: Sequence[Run], splits_list: Sequence[Splits], control: str | None = None) -> None:
    """Before any hour of work: whether the card of ``--from`` fits every run and every data set."""
    if not FLAGS["from"].value:
        return
    card = read_card(FLAGS["from"].value)
    settings = {"seed": FLAGS.seed, "rules": study_rules(), "control": control, "cache_dtype": FLAGS.cache_dtype}
    notes = [
        note
        for run in runs
        for splits in splits_list
        for note in check_against_card(
            card, run.encoder, splits, pooling=run.pooling, probe=run.probe, probe_options=run.probe_options, **settings
        )
    ]
    for note in dict.fromkeys(notes):
        print(f"lit-probe: {note}", file=sys.stderr)


def _checks(usual: str) -> tuple[list[str], bool]:
    """The checks of each data set that the flags name, in reading order, and whether transfer is among those named.

    Args:
      usual: what is meant where they name none.
    """
    written = [usual] if FLAGS.checks is None else FLAGS.checks
    for name in written:
        lookup({**SETS_OF_CHECKS, TRANSFER: (), **CHECKS}, name, "check")
        if len(written) > 1 and not SETS_OF_CHECKS.get(name, (name,)):
            raise LitProbeError(f"--checks={','.join(written)} asks for {name} and for others. Leave one of them out.")
    named = [one for name in written for one in SETS_OF_CHECKS.get(name, (name,))]
    # Whoever says how a check is made wants it.
    named += [REPEATS] if FLAGS.repeat else []
    named += ["selectivity"] if FLAGS.checks is None and FLAGS["control"].present else []
    return [name for name in CHECKS if name in named], TRANSFER in named


def _check_asked() -> None:
    """Before any text is read: whether there are such checks and such a control."""
    _checks(ALL)
    find_control(FLAGS.control)


def _check_writable(folder: Path, flag: str = "out", mode: int = 0o777) -> None:
    """Before hours of work rather than after them. A folder that is made has the rights ``mode``, less the umask."""
    try:
        folder.mkdir(mode, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise LitProbeError(f"The folder {str(folder)!r} cannot be written: {error.strerror}. Change --{flag}.") from None


def _layer_number(text: str, flag: str, choices: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise LitProbeError(f"--{flag} takes {choices}; {text!r} is none.") from None


def _write_csv(path: Path, results: dict[str, Any]) -> None:
    rows = [
        {
            "dataset": name,
            **row,
            **_place(result, row["layer"]),
            **{f"baseline_{kind}": score for kind, score in row["baselines"].items()},
        }
        for name, result in results.items()
        for row in result["layers"]
    ]
    # Why a score is doubtful is told in layers.json; here it would be a column of text beside every number.
    columns = list(dict.fromkeys(column for row in rows for column in row if "_reason" not in column and column != "baselines"))
    _write_rows(path, rows, columns)


def _place(result: dict[str, Any], number: int) -> dict[str, Any]:
    """What a layer is called and where it stands, where it is not one of all the layers of an encoder."""
    if "sites" not in result:
        return {}
    site = result["sites"][number]
    return {"name": site["name"], "family": site["family"], "depth": site["depth"]}


def _write_rows(path: Path, rows: list[dict[str, Any]], columns: Sequence[str] | None = None) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        columns = columns or list(rows[0])
        writer = csv.writer(file)
        writer.writerow([shielded(name) for name in columns])
        writer.writerows([[shielded(row.get(name, "")) for name in columns] for row in rows])


def _cache_words(cache: Cache) -> str:
    if cache.folder is None:
        return " (nothing was cached)"
    return f" (cache: {cache.folder}, {cache.size() / 2**20:,.0f} MiB)"


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    sys.exit(main())

"""Puts encoders, data sets and panels together into one LIT application, and computes the probes behind it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lit_nlp
from lit_nlp import app as lit_app
from lit_nlp import dev_server
from lit_nlp.api import components
from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model

from lit_probe.data.asked import CLASSES, TEXT, WORD, UnitKind, check_on_page, check_served
from lit_probe.data.labelled_texts import Splits
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.memory import MemoryBudget
from lit_probe.layouts import DEFAULT_LAYOUT, LAYOUTS
from lit_probe.lit.generators import generators_for
from lit_probe.lit.host import fields, specs
from lit_probe.lit.host.copies import Copies
from lit_probe.lit.host.dataset import DEFAULT_MAX_SHOWN, DEFAULT_SHOW_TRAIN, ProbeDataset
from lit_probe.lit.host.kept_predictions import keep_last
from lit_probe.lit.host.labels import asks_the_same
from lit_probe.lit.host.made_probes import MadeProbes, Parts
from lit_probe.lit.host.metrics import LIT_METRICS
from lit_probe.lit.host.model import ProbeModel
from lit_probe.lit.host.pending_checks import PendingChecks
from lit_probe.lit.host.pending_study import PendingStudy, compute_in_background
from lit_probe.lit.host.pooled_texts import PooledTexts, text_memo
from lit_probe.lit.host.read_only import ReadOnlyChecks, short_generators, short_interpreters
from lit_probe.lit.host.stock_interpreters import OF_TOKEN_FIELDS, STOCK_INTERPRETERS
from lit_probe.lit.host.token_fields import check_memory
from lit_probe.lit.host.unread import unread_by_any
from lit_probe.lit.host.word_dataset import WordDataset
from lit_probe.lit.host.word_model import WordModel
from lit_probe.lit.interpreters import INTERPRETERS
from lit_probe.lit.interpreters.new_probe import NEW_PROBE, NewProbeInterpreter
from lit_probe.lit.interpreters.salience import salience_rows
from lit_probe.lit.interpreters.train_geometries import prepare_geometries
from lit_probe.lit.server import web
from lit_probe.lit.server.access import Access
from lit_probe.lit.server.guide import reading_guide
from lit_probe.lit.server.health import StudyCounts
from lit_probe.lit.server.limits import DEFAULT_LIMITS, Limits
from lit_probe.probing.rules import StudyRules
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import StudyProgress, of_step
from lit_probe.registry import lookup

# What LIT shows of a data set, by what its rows stand for.
DATASETS: dict[UnitKind, type[ProbeDataset]] = {TEXT: ProbeDataset, WORD: WordDataset}
MODELS: dict[UnitKind, type[ProbeModel]] = {TEXT: ProbeModel, WORD: WordModel}

MakeStudy = Callable[[Encoder, Splits, StudyProgress], LayerStudy]


@dataclass(frozen=True)
class AppOptions:
    """How the application is shown and served.

    Attributes:
      host: the address it listens on.
      allowed_hosts: further host names to answer to, as behind a proxy.
      access: who may ask.
      read_only: whether nothing long is computed and nothing changed by those who ask.
      show_train: train rows shown per data set.
      max_shown: rows shown per data set.
      head_layers: layers whose probe predictions LIT's own panels show; None for all of them while rows are few.
      seed: the seed of the samples on the screen.
      rules: how studies are scored, and how their layers are chosen; the usual way when None.
      layout: the layout that the page opens with.
      frame_ancestors: who may show the page in a frame; see ``web.wrap``.
      sync_state: whether the page tells what is selected, for a program in the same process (notebooks).
      token_fields: whether models have token embeddings and gradients as fields, for LIT's own gradient maps and TCAV.
      memory_budget: how much memory may be held in GB (10^9 bytes), by encoders, activations and these fields; None for what the
        machine has free.
      held: how many bytes of it encoders and activations take.
      balanced: the names of the encoders whose probes are fitted with classes that count alike.
      limits: how much a request may hold, and how long it may take.
    """

    host: str = "127.0.0.1"
    allowed_hosts: tuple[str, ...] = ()
    access: Access = field(default_factory=Access)
    read_only: bool = False
    show_train: int = DEFAULT_SHOW_TRAIN
    max_shown: int = DEFAULT_MAX_SHOWN
    head_layers: tuple[int, ...] | None = None
    seed: int = 0
    rules: StudyRules | None = None
    layout: str = DEFAULT_LAYOUT
    frame_ancestors: tuple[str, ...] = ("'self'",)
    sync_state: bool = False
    token_fields: bool = False
    memory_budget: float | None = None
    held: int = 0
    balanced: tuple[str, ...] = ()
    limits: Limits = DEFAULT_LIMITS


def build(
    encoders: Sequence[Encoder],
    splits_list: Sequence[Splits],
    options: AppOptions,
    make_study: MakeStudy,
    cache: Cache | None = None,
    progress: StudyProgress | None = None,
) -> web.WebApp:
    """The WSGI application. It answers at once; the studies run one after another in the background.

    Args:
      encoders: the encoders with different names.
      splits_list: the data sets, with different names.
      options: what is shown, and to whom.
      make_study: fits the probes of one encoder on one data set.
      cache: where what panels ask for is kept.
      progress: hears how many data sets are prepared.

    Raises:
      UnknownNameError: ``options.head_layers`` names a layer that an encoder does not have.
      EncoderError: a tokenizer cannot be loaded.
    """
    checks = ReadOnlyChecks(cache) if options.read_only else PendingChecks(cache)
    assembled = assemble(encoders, splits_list, options, checks, progress)
    page = guarded(assembled, options, checks)
    start(assembled.studies, make_study)
    return page


@dataclass(frozen=True)
class Assembled:
    """LIT's application, and what it waits for.

    Attributes:
      application: LIT's.
      studies: those that its models wait for, in the order in which they should be computed, and those made on its pages.
      made: the probes that are made on its pages.
    """

    application: lit_app.LitApp
    studies: list[PendingStudy]
    made: MadeProbes


def guarded(assembled: Assembled, options: AppOptions, checks: PendingChecks) -> web.WebApp:
    """The application with our page, our files and the guard around it.

    Args:
      assembled: LIT's application.
      options: who may ask.
      checks: what is computed for its panels; it hears which pages have been left.
    """
    studies = assembled.studies
    page = web.wrap(
        assembled.application,
        host=options.host,
        allowed_hosts=options.allowed_hosts,
        frame_ancestors=options.frame_ancestors,
        limits=options.limits,
        not_ready=lambda asked: _not_ready(studies, asked),
        leave=checks.leave,
        access=options.access,
    )
    assembled.made.changed = page.read_names

    def stop() -> None:
        checks.cancel_all()
        for study in studies:
            study.end()

    page.stop = stop
    # Without those that are made on the page: who makes one does not close the server to others.
    first = tuple(studies)
    page.studies = lambda: StudyCounts.of(first)
    return page


def start(studies: Sequence[PendingStudy], make_study: MakeStudy) -> None:
    """Computes the studies one after another in the background."""

    def job(study: PendingStudy) -> Callable[[StudyProgress], LayerStudy]:
        return lambda progress: make_study(study.encoder, study.splits, progress)

    compute_in_background([(study, job(study)) for study in studies])


def assemble(
    encoders: Sequence[Encoder],
    splits_list: Sequence[Splits],
    options: AppOptions,
    checks: PendingChecks | None = None,
    progress: StudyProgress | None = None,
) -> Assembled:
    """LIT's application, and the studies that its models wait for.

    Args:
      encoders: the encoders with different names.
      splits_list: the data sets, with different names.
      options: what is shown.
      checks: computes what panels ask for, and says where it is kept.
      progress: hears how many data sets are prepared: their near copies and long texts are looked for.

    Raises:
      UnknownNameError: ``options.head_layers`` names a layer that an encoder does not have, or there is no such layout.
      LitProbeError: token fields would take more memory than allowed, or are asked of vectors.
    """
    for splits in splits_list:
        check_on_page(splits.name, splits.unit, splits.target)
        if options.token_fields:
            check_served("The option token_fields", splits.unit, splits.target, (TEXT,), (CLASSES,))
    for encoder in encoders:
        for layer in options.head_layers or ():
            encoder.check_layer(layer)
    checks = checks or PendingChecks()
    # Runs of one checkpoint read a text alike.
    readers = list({_reading(one): one for one in encoders if one.has_network}.values())

    def shown(splits: Splits) -> ProbeDataset:
        others = [one for one in splits_list if one is not splits and asks_the_same(one, splits)]
        return DATASETS[splits.unit](
            splits,
            show_train=options.show_train,
            max_shown=options.max_shown,
            seed=options.seed,
            not_read=lambda texts: unread_by_any(readers, texts, checks.cache),
            copies=Copies(splits, checks.cache),
            others=others,
        )

    datasets, step = [], of_step(progress, "Looking for near copies and long texts", "data sets")
    for done, splits in enumerate(splits_list):
        step(done, len(splits_list))
        datasets.append(shown(splits))
    step(len(splits_list), len(splits_list))
    if options.token_fields:
        networks = [encoder for encoder in encoders if encoder.has_network]
        kept = [(encoder, _kept_texts(mine, datasets)) for mine in datasets for encoder in networks]
        check_memory(kept, MemoryBudget.of(options.memory_budget), options.held)
    # Data set by data set: encoders are compared on one, and LIT opens with the first model.
    studies = [
        PendingStudy(
            encoder,
            dataset.splits,
            options.rules,
            checks.cache,
            balanced=encoder.name in options.balanced,
            on_request=not options.read_only,
        )
        for dataset in datasets
        for encoder in encoders
    ]
    memos = {_numbers(encoder): text_memo() for encoder in encoders}
    texts = {
        (encoder.name, unit): PooledTexts(
            encoder,
            [one for one in studies if one.encoder is encoder and one.splits.unit == unit],
            memos[_numbers(encoder)],
        )
        for encoder in encoders
        for unit in MODELS
    }
    peers: dict[str, dict[str, PendingStudy]] = {}

    def model_of(study: PendingStudy, dataset: ProbeDataset) -> ProbeModel:
        unit = study.splits.unit
        if unit == TEXT:
            prepare_geometries([study])
        alike = peers.setdefault(dataset.name, {})
        alike[fields.model_name(study.encoder.name, study.splits.name)] = study
        return MODELS[unit](
            study,
            dataset,
            texts[study.encoder.name, unit] if study in studies else PooledTexts(study.encoder, [study]),
            _class_layers(study, [*datasets, dataset]) if options.head_layers is None else options.head_layers,
            checks,
            alike,
            token_fields=options.token_fields,
        )

    dataset_of = {dataset.splits.name: dataset for dataset in datasets}
    models = [model_of(study, dataset_of[study.splits.name]) for study in studies]
    made = MadeProbes(studies)
    interpreters = {
        **INTERPRETERS,
        NEW_PROBE: NewProbeInterpreter(made),
        **_rows(models),
        **STOCK_INTERPRETERS,
        **(OF_TOKEN_FIELDS if options.token_fields else {}),
    }
    application = lit_application(
        {model.name: model for model in models},
        {fields.safe_name(dataset.name): dataset for dataset in datasets},
        options,
        interpreters=short_interpreters(interpreters) if options.read_only else interpreters,
        generators=short_generators(_generators(models)) if options.read_only else _generators(models),
        metrics=LIT_METRICS,
        inline_doc=reading_guide(),
    )

    def budget() -> MemoryBudget:
        return MemoryBudget.of(options.memory_budget).less(options.held)

    made.serve(application, Parts(shown, model_of, _rows, _generators, budget))
    return Assembled(application, studies, made)


def _rows(models: Sequence[ProbeModel]) -> dict[str, components.Interpreter]:
    """The rows of LIT's salience panel."""
    return dict(salience_rows(_with_texts(models)))


def _generators(models: Sequence[ProbeModel]) -> dict[str, components.Generator]:
    return generators_for(_with_texts(models))


def _with_texts(models: Sequence[ProbeModel]) -> list[ProbeModel]:
    """Those whose rows are texts, read by a network."""
    return [one for one in models if one.unit == TEXT and one.encoder.has_network]


def lit_application(
    models: Mapping[str, lit_model.Model], datasets: Mapping[str, lit_dataset.Dataset], options: AppOptions, **components: Any
) -> lit_app.LitApp:
    """LIT's WSGI application, with our layouts.

    Args:
      models: the models by name.
      datasets: the data sets by name.
      options: what is shown.
      components: further arguments of ``LitApp``; its interpreters, generators and metrics are LIT's own unless they are given.

    Raises:
      UnknownNameError: there is no such layout.
    """
    lookup(LAYOUTS, options.layout, "layout")
    server = dev_server.Server(
        models,
        datasets,
        layouts=LAYOUTS,
        default_layout=options.layout,
        page_title="lit_probe",
        client_root=str(Path(lit_nlp.__file__).parent / "client" / "build" / "default"),
        # Nothing is loaded, saved or constructed from the browser, and no cached prediction answers for another text.
        demo_mode=True,
        model_loaders={},
        dataset_loaders={},
        strict_cache_id_validation=True,
        sync_state=options.sync_state,
        server_type="external",
        **components,
    )
    application = server.serve()
    for model in application._models.values():
        keep_last(model, sum(map(len, datasets.values())))
    return application


def _not_ready(studies: Sequence[PendingStudy], asked: Mapping[str, str]) -> str | None:
    """What a request would have to wait for: the model's own study, or the one of the shown data set. Else None.

    Our panels ask without LIT's predictions, and their interpreters themselves say how far the studies are.

    Args:
      studies: all of the server; none where it shows ready models.
      asked: the request's URL parameters.
    """
    if (
        not studies
        or "model" not in asked
        or (asked.get("interpreter") in (*INTERPRETERS, NEW_PROBE) and asked.get("do_predict") == "0")
    ):
        return None
    own = next(one for one in studies if fields.model_name(one.encoder.name, one.splits.name) == asked["model"])
    shown = [one for one in studies if one.encoder is own.encoder and fields.safe_name(one.splits.name) == asked["dataset_name"]]
    return next((study.not_ready for study in (own, *shown) if not study.future.done()), None)


def _class_layers(study: PendingStudy, datasets: Sequence[ProbeDataset]) -> tuple[int, ...]:
    """The layers whose predictions are fields, for the largest data set that can be shown with the study's probes."""
    n_shown = max(len(dataset) for dataset in datasets if asks_the_same(dataset.splits, study.splits))
    return specs.shown_layers(study.encoder.n_layers, n_shown)


def _kept_texts(mine: ProbeDataset, datasets: Sequence[ProbeDataset]) -> list[str]:
    """The shown texts of all data sets on which LIT can show a model of the first: those of the same classes and fields."""
    of_mine = mine.splits.label_names, mine.text_fields
    alike = [one for one in datasets if (one.splits.label_names, one.text_fields) == of_mine]
    return [fields.text_of(fields.with_text(example, one.text_fields)) for one in alike for example in one.examples]


def _reading(encoder: Encoder) -> tuple[Hashable, ...]:
    """What decides the tokens that an encoder makes of a text."""
    return encoder.checkpoint.identity, encoder.max_length, encoder.keep, encoder.template, encoder.chat


def _numbers(encoder: Encoder) -> tuple[Hashable, ...]:
    """What decides the numbers that an encoder makes of a text."""
    return _reading(encoder), encoder.random_seed, encoder.dtype

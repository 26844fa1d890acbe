"""lit_probe in somebody else's LIT: a model of ours and our layouts for any server, our panels on its page.

ours = {**core.default_interpreters(models), **interpreters()}
server = dev_server.Server(models, datasets, interpreters=ours, layouts=layouts(), default_layout="decodability", client_root=…)
serve(attach(server), "127.0.0.1", 5432).run()
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import platformdirs
from lit_nlp import app as lit_app
from lit_nlp import dev_server
from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import layout as lit_layout
from lit_nlp.api import types

from lit_probe.data import asked
from lit_probe.data.labelled_texts import Splits
from lit_probe.data.seeds import checked_seed
from lit_probe.encoder.activations import check_pooling
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.dtypes import AUTO
from lit_probe.encoder.encoder import Encoder, as_encoder
from lit_probe.encoder.memory import MemoryBudget
from lit_probe.encoder.pooling import POOLINGS
from lit_probe.encoder.vector_encoder import NO_POOLING
from lit_probe.errors import LitProbeError
from lit_probe.layouts import LAYOUTS, STOCK
from lit_probe.lit.host import specs
from lit_probe.lit.host.copies import Copies
from lit_probe.lit.host.dataset import DEFAULT_MAX_SHOWN, DEFAULT_SHOW_TRAIN, ProbeDataset
from lit_probe.lit.host.fields import TEXT, TOKENS
from lit_probe.lit.host.model import ProbeModel as HostModel
from lit_probe.lit.host.model import is_probe_model, probe_model
from lit_probe.lit.host.pending_checks import PendingChecks
from lit_probe.lit.host.pending_study import PendingStudy, compute_in_background
from lit_probe.lit.host.pooled_texts import PooledTexts
from lit_probe.lit.host.reader import FieldNames, Reader
from lit_probe.lit.host.token_fields import TOKEN_EMBEDDINGS, TokenFields, check_memory
from lit_probe.lit.interpreters import INTERPRETERS
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
from lit_probe.lit.interpreters.train_geometries import prepare_geometries
from lit_probe.lit.server import web
from lit_probe.lit.server.access import Access
from lit_probe.lit.server.health import StudyCounts
from lit_probe.probing.layerwise import check_probe
from lit_probe.probing.memory_need import check_need, memory_need
from lit_probe.probing.probes import DEFAULT_PROBES, PROBES, ProbeOptions
from lit_probe.probing.rules import StudyRules
from lit_probe.probing.study import LayerStudy, probe_layers
from lit_probe.progress import StudyProgress
from lit_probe.registry import lookup

_PAIR = 2


class ProbeModel(HostModel):
    """An encoder with a probe at each layer, as a LIT model for any LIT server or widget, on one data set.

    Its fields are named as those of the data set: a text field of the data set is a field of its input, the label is optional,
    and what it predicts is compared with that label. Examples may be edited in LIT and are then read anew; they are never scored.

    Args:
      encoder: a Hugging Face hub id, a folder, a pair (model, tokenizer) of transformers that is in memory, or an `Encoder`.
      data: a LIT data set with a text and a label, or `Splits`, for which ``dataset`` is the LIT data set to be shown.
      text: the name of the data set's field of text, where it has several; the names of two make pairs, which the encoder reads
        as its tokenizer joins two texts. See `FieldNames`.
      label: the name of its field of classes, where it has several.
      group: the name of its field that says what must not be split across train and test.
      split: the name of its field that says train, dev or test, where it is not called ``split``.
      name: what the data set is called; by default as its class, or as the splits are.
      pooling: how a text's tokens become one vector; by default their mean, for a decoder the last one.
      probe: the kind of probe; by default ``logistic``, for a number ``ridge``.
      dtype: ``float32``, ``bfloat16`` or ``float16``, in which the encoder's weights are read; ``auto`` is float32. An `Encoder`
        has its own.
      seed: the seed of splits, cross-validation and probes.
      rules: how the study is scored, and how its layer is chosen; the usual way when None.
      cache: where activations and results are kept; by default in the folder of the command line.
      background: whether the probes are fitted while the server runs, and panels tell how far they are; else they are ready, or
        the error is raised, when this returns.
      token_fields: whether token embeddings and gradients are fields too, for LIT's own gradient maps, TCAV and HotFlip; LIT
        keeps them of every example.
      memory_budget: how much memory the encoder, its activations, these fields and fits may take, in GB (10^9 bytes); what the
        machine has free when None, and of that 4 GB for the fields.

    Attributes:
      dataset: the data set as our panels see it; of `Splits`, the one to be given to LIT.

    Raises:
      LitProbeError: the encoder cannot be loaded, the fields are not there or not clear, or the rows cannot be divided or probed;
        the encoder or the token fields would take more memory than allowed, or their names are those of fields of the data set.
    """

    def __init__(
        self,
        encoder: str | Path | tuple[Any, Any] | Encoder,
        data: lit_dataset.Dataset | Splits,
        *,
        text: str | Sequence[str] | None = None,
        label: str | None = None,
        group: str | None = None,
        split: str | None = None,
        name: str | None = None,
        pooling: str | None = None,
        probe: str | None = None,
        probe_options: ProbeOptions | None = None,
        dtype: str = AUTO,
        seed: int = 0,
        rules: StudyRules | None = None,
        cache: Cache | None = None,
        background: bool = True,
        token_fields: bool = False,
        memory_budget: float | None = None,
    ):
        target = data.target if isinstance(data, Splits) else asked.CLASSES
        check_probe(probe or DEFAULT_PROBES[target], target, probe_options)
        seed = checked_seed(seed)
        if pooling is not None:
            lookup({**POOLINGS, NO_POOLING: None}, pooling, "pooling")
        encoder = as_encoder(encoder, dtype)
        pooling = pooling or encoder.default_pooling
        check_pooling(encoder, pooling)
        cache = cache or Cache(platformdirs.user_cache_path("lit_probe"))
        reader, self._source = None, None
        if isinstance(data, lit_dataset.Dataset):
            reader = Reader.of(name or type(data).__name__, data.spec(), FieldNames(text, label, group, split))
            if encoder.has_network and len(reader.texts) == _PAIR:
                reader = replace(reader, as_pair=True)
            splits, self._source, n_shown = reader.splits(data.examples, seed), data, len(data)
        elif isinstance(data, Splits):
            splits, n_shown = data, 0
        else:
            raise LitProbeError(f"Data of type {type(data).__name__} cannot be read. Give a LIT data set, or Splits.")
        asked.check_served("A model for a LIT server of your own", splits.unit, splits.target, (asked.TEXT,), (splits.target,))
        budget = MemoryBudget.of(memory_budget)
        need = memory_need([(encoder, pooling)], sum(len(rows) for _, rows in splits.items()), cache)
        check_need(need, [encoder], budget)
        balanced = probe_options is not None and probe_options.class_weight is not None
        study = PendingStudy(encoder, splits, rules, cache, balanced)
        # Of a LIT data set all rows are shown already.
        n_train, n_rows = (n_shown, 10 * n_shown) if n_shown else (DEFAULT_SHOW_TRAIN, DEFAULT_MAX_SHOWN)
        shown = ProbeDataset(splits, show_train=n_train, max_shown=n_rows, copies=Copies(splits, cache))
        layers = specs.shown_layers(encoder.n_layers, len(shown))
        texts, checks = PooledTexts(encoder, [study]), PendingChecks(cache)
        super().__init__(study, shown, texts, layers, checks, None, reader, token_fields)
        if token_fields:
            self._check_token_fields(budget, need.held)
        prepare_geometries([study])

        def make_study(progress: StudyProgress) -> LayerStudy:
            return probe_layers(
                encoder,
                splits,
                pooling=pooling,
                probe=probe,
                probe_options=probe_options,
                seed=seed,
                rules=rules,
                cache=cache,
                budget=budget.less(need.held) if budget.given else None,
                progress=progress,
            )

        if background:
            compute_in_background([(study, make_study)])
        else:
            study.compute(make_study)
            study.result()

    @classmethod
    def init_spec(cls) -> types.Spec:
        """What LIT's form for new models asks: the encoder, and how it is probed. The data set has to be bound, see the docs."""
        return {
            "encoder": types.String(),
            "pooling": types.CategoryLabel(vocab=list(POOLINGS)),
            "probe": types.CategoryLabel(vocab=list(PROBES)),
            "seed": types.Integer(default=0, min_val=0, max_val=2**31 - 1),
        }

    def _check_token_fields(self, budget: MemoryBudget, held: int) -> None:
        """Refuses token fields that do not fit beside the data set's own, or not into memory."""
        source, reader = self._source, self.reader
        if source is None or reader is None:
            return check_memory([(self.encoder, [example[TEXT] for example in self.dataset.examples])], budget, held)
        for name in (TOKENS, TOKEN_EMBEDDINGS):
            if name in source.spec():
                raise LitProbeError(f"{reader.dataset} has a field {name!r} of its own, which token_fields needs. Rename it.")
        return check_memory([(self.encoder, [reader.text(example) for example in source.examples])], budget, held)

    @cached_property
    def token_fields(self) -> TokenFields | None:
        """The fields of tokens, under the data set's names of text and label, or None where they were not asked for."""
        if self.reader is None or not self._with_token_fields:
            return super().token_fields
        texts = self.reader.texts
        return TokenFields(self.study, texts[0] if len(texts) == 1 else None, self.reader.label, self._written_labels)

    def input_spec(self) -> types.Spec:
        """The data set's fields of text and label. The label is optional: an edited text may have none."""
        if self.reader is None or self._source is None:
            return super().input_spec()
        spec = self._source.spec()
        label = types.CategoryLabel(vocab=spec[self.reader.label].vocab, required=False)
        own = {**{name: spec[name] for name in self.reader.texts}, self.reader.label: label}
        return own if self.token_fields is None else own | self.token_fields.input_spec()

    def output_spec(self) -> types.Spec:
        """Tokens, the vectors of each layer, class probabilities of the probes: see ``specs.model_output_spec``."""
        if self.reader is None:
            return super().output_spec()
        texts, label = self.reader.texts, self.reader.label
        spec = specs.model_output_spec(
            self.vector_fields,
            self._written_labels,
            self.head_label_names,
            self._layers,
            self.study.decision,
            text=texts[0] if len(texts) == 1 else None,
            label=label,
            with_tokens=self.encoder.has_network,
        )
        return spec if self.token_fields is None else spec | self.token_fields.output_spec()

    @cached_property
    def _written_labels(self) -> tuple[str, ...]:
        """The classes as the data set writes them, which LIT compares with its labels word by word."""
        reader, source = self.reader, self._source
        if reader is None or source is None:
            return self.label_names
        written: dict[str, str] = {}
        for example in source.examples:
            written.setdefault(self._class_of(reader.class_word(example)), str(example.get(reader.label)))
        return tuple(written.get(name, name) for name in self.label_names)

    def shown(self, dataset: lit_dataset.Dataset) -> lit_dataset.Dataset:
        """The data set with our fields: its own in place of the one that it was made of, which LIT hands over in a copy."""
        current: Any = dataset
        while current is not None and current is not self._source:
            current = getattr(current, "_base", None)
        return dataset if current is None else self.dataset


def layouts() -> dict[str, lit_layout.LitCanonicalLayout]:
    """Our layouts by name, for the ``layouts`` of a LIT server. Their panels are on the page that `attach` serves."""
    return {name: layout for name, layout in LAYOUTS.items() if name not in STOCK}


def attach(
    server: lit_app.LitApp | dev_server.Server,
    *,
    guard: bool = True,
    host: str = "127.0.0.1",
    allowed_hosts: Sequence[str] = (),
    frame_ancestors: Sequence[str] = ("'self'",),
    access: Access | None = None,
) -> web.WebApp:
    """A LIT server's WSGI application with our panels, fonts and script on its page.

    Args:
      server: LIT's server, before ``serve()``, or the application that ``Server(…, server_type="external").serve()`` gives.
      guard: whether requests are checked, as in our own server: other hosts and origins are refused, and so are requests that
        save, load or construct; see the page on security. Without it everything but our own files is LIT's.
      host: the address that the application will be bound to; requests may name it.
      allowed_hosts: further names under which people reach it.
      frame_ancestors: who may show the page in a frame.
      access: who may ask: ``Access("a token of yours")``; everybody where it is None.

    Raises:
      LitProbeError: another lit-nlp is installed, or it is no LIT server.
    """
    if isinstance(server, dev_server.Server):
        server = lit_app.LitApp(*server._app_args, **server._app_kw)
    if not isinstance(server, lit_app.LitApp):
        raise LitProbeError(f"A {type(server).__name__} is no LIT server. Give lit_nlp's dev_server.Server, or its application.")
    application, everyone = server, set[PendingChecks]()
    for one in application._interpreters.values():
        if isinstance(one, ProbeInterpreter) and one.foreign is not None:
            one.foreign.call(application._models)
            one.foreign.call(application._datasets)
            everyone.add(one.foreign.checks)
    ours = {name: model for name, model in application._models.items() if is_probe_model(model)}
    everyone |= {probe_model(model).checks for model in ours.values()}
    _introduce({name: probe_model(model) for name, model in ours.items()})

    def leave(page: str, question: int | None) -> None:
        for checks in everyone:
            checks.leave(page, question)

    page = web.wrap(
        application,
        host=host,
        allowed_hosts=allowed_hosts,
        frame_ancestors=frame_ancestors,
        not_ready=lambda asked: _not_ready(application, asked),
        leave=leave,
        guarded=guard,
        access=access,
    )
    # Of models of ours alone: probes of others are fitted once somebody asks for them.
    page.studies = lambda: StudyCounts.of(model.study for model in _ours(application))
    return page


def _ours(application: lit_app.LitApp) -> list[HostModel]:
    """The models of ours that a LIT server has now: its page may have added some."""
    return [probe_model(model) for model in list(application._models.values()) if is_probe_model(model)]


def _introduce(models: Mapping[str, HostModel]) -> None:
    """Tells models on one data set of each other, so that they can be compared."""
    for model in models.values():
        mine = model.study.splits
        model.peers = {
            name: other.study
            for name, other in models.items()
            if (other.study.splits.label_names, other.study.splits.dev.texts) == (mine.label_names, mine.dev.texts)
        }


def _not_ready(application: lit_app.LitApp, asked: Mapping[str, str]) -> str | None:
    """What a request would have to wait for: the probes of a model of ours. Our interpreters say themselves how far they are."""
    model = application._models.get(asked.get("model", ""))
    if (
        model is None
        or not is_probe_model(model)
        or (asked.get("interpreter") in INTERPRETERS and asked.get("do_predict") == "0")
    ):
        return None
    study = probe_model(model).study
    return None if study.future.done() else study.not_ready

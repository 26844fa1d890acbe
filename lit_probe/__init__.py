"""lit_probe: at which layer of a text encoder is a concept decodable?

The core works without LIT: texts in, a table of layers out.

Axes everywhere: ``n_examples``, ``n_layers``, ``n_tokens``, ``n_classes``, ``d_model``. Layers are numbered as in Hugging Face:
0 is the embedding output, i the output of block i, so ``n_layers`` is the number of blocks plus one.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from lit_probe.data import DatasetOptions as DatasetOptions
    from lit_probe.data import annotate as annotate
    from lit_probe.data import load_dataset as load_dataset
    from lit_probe.data import split_texts as split_texts
    from lit_probe.data import split_words as split_words
    from lit_probe.data.labelled_texts import LabelledTexts as LabelledTexts
    from lit_probe.data.labelled_texts import Splits as Splits
    from lit_probe.encoder.activations import Activations as Activations
    from lit_probe.encoder.activations import extract_activations as extract_activations
    from lit_probe.encoder.attention import attention as attention
    from lit_probe.encoder.cache import Cache as Cache
    from lit_probe.encoder.encoder import Encoder as Encoder
    from lit_probe.encoder.encoder import encoder_of as encoder_of
    from lit_probe.encoder.encoder import load_encoder as load_encoder
    from lit_probe.encoder.queries_keys import queries_and_keys as queries_and_keys
    from lit_probe.encoder.site_activations import extract_sites as extract_sites
    from lit_probe.encoder.site_search import sites_of as sites_of
    from lit_probe.errors import LitProbeError as LitProbeError
    from lit_probe.neurons.effects.ablation import Ablation as Ablation
    from lit_probe.neurons.effects.ablation import ablate as ablate
    from lit_probe.neurons.rankings import rank_neurons as rank_neurons
    from lit_probe.probing.attention_study import probe_attention as probe_attention
    from lit_probe.probing.concept_map import probe_values as probe_values
    from lit_probe.probing.given_activations import probe_activations as probe_activations
    from lit_probe.probing.kept_probe import KeptProbe as KeptProbe
    from lit_probe.probing.layerwise import LayerwiseProbe as LayerwiseProbe
    from lit_probe.probing.probe_file import load_probe as load_probe
    from lit_probe.probing.probe_file import save_probes as save_probes
    from lit_probe.probing.probe_forward import Target as Target
    from lit_probe.probing.probe_forward import forward_of_model as forward_of_model
    from lit_probe.probing.probe_forward import forward_of_probe as forward_of_probe
    from lit_probe.probing.probes.options import ProbeOptions as ProbeOptions
    from lit_probe.probing.rules import StudyRules as StudyRules
    from lit_probe.probing.study import LayerStudy as LayerStudy
    from lit_probe.probing.study import probe_layers as probe_layers
    from lit_probe.salience import explain as explain
    from lit_probe.salience.trust.other_baselines import compare_baselines as compare_baselines
    from lit_probe.views.class_lens import class_lens as class_lens
    from lit_probe.views.layer_similarity import layer_similarity as layer_similarity
    from lit_probe.views.lens import lens as lens
    from lit_probe.views.projections import project as project
    from lit_probe.views.similarity_series import similarity_series as similarity_series

# Public names and where they live. They are looked up at first use, so that `import lit_probe` is quick and asking the cache
# for a finished result never loads torch.
_PUBLIC = {
    "Ablation": "neurons.effects.ablation",
    "Activations": "encoder.activations",
    "Cache": "encoder.cache",
    "DatasetOptions": "data",
    "Encoder": "encoder.encoder",
    "KeptProbe": "probing.kept_probe",
    "LabelledTexts": "data.labelled_texts",
    "LayerStudy": "probing.study",
    "LayerwiseProbe": "probing.layerwise",
    "LitProbeError": "errors",
    "ProbeOptions": "probing.probes.options",
    "Splits": "data.labelled_texts",
    "StudyRules": "probing.rules",
    "Target": "probing.probe_forward",
    "ablate": "neurons.effects.ablation",
    "annotate": "data",
    "attention": "encoder.attention",
    "class_lens": "views.class_lens",
    "compare_baselines": "salience.trust.other_baselines",
    "encoder_of": "encoder.encoder",
    "explain": "salience",
    "extract_activations": "encoder.activations",
    "extract_sites": "encoder.site_activations",
    "layer_similarity": "views.layer_similarity",
    "lens": "views.lens",
    "load_dataset": "data",
    "load_encoder": "encoder.encoder",
    "load_probe": "probing.probe_file",
    "forward_of_model": "probing.probe_forward",
    "forward_of_probe": "probing.probe_forward",
    "probe_activations": "probing.given_activations",
    "probe_attention": "probing.attention_study",
    "probe_layers": "probing.study",
    "probe_values": "probing.concept_map",
    "queries_and_keys": "encoder.queries_keys",
    "project": "views.projections",
    "rank_neurons": "neurons.rankings",
    "save_probes": "probing.probe_file",
    "similarity_series": "views.similarity_series",
    "sites_of": "encoder.site_search",
    "split_texts": "data",
    "split_words": "data",
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'lit_probe' has no attribute {name!r}")
    return getattr(import_module(f"lit_probe.{_PUBLIC[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)

"""Runs of one encoder with other poolings, probes and weights: how they are named, what they share, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from counted import count_forwards
from tiny_probing import tiny_splits

from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import Encoder, load_encoder
from lit_probe.errors import LitProbeError, UnknownNameError
from lit_probe.probing.runs import Run, load_runs, parse_model_flag
from lit_probe.probing.study import LayerStudy, probe_layers


@pytest.fixture
def loaded() -> list[str]:
    """The checkpoints that were opened."""
    return []


def runs_of(flag: str, loaded: list[str] | None = None, **settings) -> list[Run]:
    def load(model_id: str) -> Encoder:
        if loaded is not None:
            loaded.append(model_id)
        return load_encoder(model_id)

    return load_runs(parse_model_flag(flag), load, **{"pooling": "mean", "probe": "logistic", "seed": 3, **settings})


def studied(run: Run, cache: Cache) -> LayerStudy:
    return probe_layers(run.encoder, tiny_splits(), pooling=run.pooling, probe=run.probe, cache=cache)


def test_every_run_has_a_name_that_says_what_is_its_own(tiny_folder, loaded):
    bert, electra = tiny_folder(), tiny_folder("electra")
    runs = runs_of(
        f"{bert}, {bert}[pooling=cls],{bert}[probe=mlp],{bert}[pooling=cls, probe=mlp],{bert}[weights=random],{electra}", loaded
    )
    names = ["", " (cls)", " (mlp)", " (cls mlp)", " (random weights)"]
    assert [run.encoder.name for run in runs] == [*(f"tiny-bert{name}" for name in names), "tiny-electra"]
    assert [run.pooling for run in runs] == ["mean", "cls", "mean", "cls", "mean", "mean"]
    assert [run.probe for run in runs] == ["logistic", "logistic", "mlp", "mlp", "logistic", "logistic"]
    assert loaded == [str(bert), str(electra)], "each checkpoint once"


def test_what_is_not_in_the_brackets_is_as_for_all(tiny_folder):
    one, other = runs_of(f"{tiny_folder()},{tiny_folder()}[pooling=mean]", pooling="max", probe="mlp")
    assert (one.pooling, one.probe) == ("max", "mlp")
    assert (other.pooling, other.probe) == ("mean", "mlp")


def test_runs_of_one_checkpoint_share_its_weights_and_random_ones_share_theirs(tiny_folder):
    folder = tiny_folder()
    flag = f"{folder},{folder}[pooling=cls],{folder}[weights=random],{folder}[weights=random,pooling=cls]"
    one, cls, drawn, drawn_cls = (run.encoder for run in runs_of(flag))
    assert one.model is cls.model and one.tokenizer is cls.tokenizer
    assert drawn.model is drawn_cls.model is not one.model
    assert (one.random_seed, drawn.random_seed) == (None, 3)
    assert one.fingerprint == cls.fingerprint != drawn.fingerprint == load_encoder(str(folder)).randomised(3).fingerprint


def test_random_weights_may_be_drawn_by_seeds_of_their_own(tiny_folder):
    folder = tiny_folder()
    runs = runs_of(f"{folder}[weights=random],{folder}[weights=random:1],{folder}[weights=random:2,pooling=cls]")
    names = ["random weights", "random weights 1", "random weights 2 cls"]
    assert [run.encoder.name for run in runs] == [f"tiny-bert ({name})" for name in names]
    assert [run.encoder.random_seed for run in runs] == [3, 1, 2]
    with pytest.raises(LitProbeError, match="is named twice"):
        runs_of(f"{folder}[weights=random],{folder}[weights=random:3]")


@pytest.mark.parametrize("on_disk", [True, False])
def test_another_probe_on_the_same_activations_costs_no_second_pass(tiny_folder, tmp_path, on_disk):
    folder, cache = tiny_folder(), Cache(tmp_path if on_disk else None)
    logistic, mlp, cls = runs_of(f"{folder},{folder}[probe=mlp],{folder}[pooling=cls]")
    first = studied(logistic, cache)
    passes = count_forwards(mlp.encoder)
    second = studied(mlp, cache)
    assert passes == [] and second.layerwise.kind == "mlp"
    assert np.array_equal(first.activations["dev"].values, second.activations["dev"].values)
    studied(cls, cache)
    assert passes, "another pooling reads the texts again"


def test_each_run_gives_the_numbers_that_it_gives_alone(tiny_folder):
    folder = tiny_folder()
    for run in runs_of(f"{folder},{folder}[pooling=cls],{folder}[weights=random]"):
        alone = load_encoder(str(folder))
        alone = alone if run.encoder.random_seed is None else alone.randomised(3)
        expected = probe_layers(alone, tiny_splits(), pooling=run.pooling)
        assert np.array_equal(studied(run, Cache(None)).probabilities("dev"), expected.probabilities("dev"))


def test_a_run_that_names_no_pooling_has_that_of_its_kind_of_model(tiny_folder, decoder_folder):
    flag = f"{tiny_folder()},{decoder_folder('gpt2')},{decoder_folder('gpt2')}[pooling=mean_after_first]"
    assert [run.pooling for run in runs_of(flag, pooling=None)] == ["mean", "last", "mean_after_first"]
    assert [run.pooling for run in runs_of(f"{tiny_folder()},{decoder_folder('gpt2')}", pooling="max")] == ["max", "max"]


@pytest.mark.parametrize(
    ("brackets", "error", "message"),
    [
        ("[colour=red]", LitProbeError, r"\[colour=red\] names 'colour', which is none of them\. In brackets stand options of"),
        ("[colour=red]", LitProbeError, r"options of that run: pooling=NAME, probe=NAME, weights=random or random:SEED\."),
        ("[hidden_units]", LitProbeError, "names 'hidden_units', without a value"),
        ("[hidden_units=8,hidden_units=9]", LitProbeError, "names 'hidden_units', twice"),
        ("[hidden_units=many]", LitProbeError, "The option hidden_units is the sizes of hidden layers, such as 64"),
        ("[regularisation=0]", LitProbeError, "The option regularisation is a number above 0; got 0"),
        ("[pooling]", LitProbeError, "names 'pooling', without a value"),
        ("[pooling=cls,pooling=max]", LitProbeError, "names 'pooling', twice"),
        ("[]", LitProbeError, "names '', which is none of them"),
        (
            "[pooling=avg]",
            UnknownNameError,
            r"Unknown pooling 'avg'\. Choose one of: cls, first, last, max, mean, mean_after_first, mean_all\.",
        ),
        (
            "[probe=tree]",
            UnknownNameError,
            r"Unknown probe 'tree'\. Choose one of: attention, elastic_net, l1, lda, logistic, majority, mean_",
        ),
        ("[weights=random:x]", LitProbeError, r"named random, or random:2 to draw them by seed 2, not 'random:x'\."),
        ("[weights=trained:1]", UnknownNameError, r"Unknown weights 'trained:1'"),
        ("[weights=none]", UnknownNameError, r"Unknown weights 'none'\. Choose one of: random, trained\."),
    ],
)
def test_brackets_that_say_something_else_are_refused(brackets, error, message):
    with pytest.raises(error, match=message):
        parse_model_flag(f"bert{brackets}")


@pytest.mark.parametrize("again", ["", "[pooling=mean]", "[probe=logistic,weights=trained]"])
def test_the_same_run_twice_is_refused(tiny_folder, again):
    with pytest.raises(LitProbeError, match="is named twice with mean pooling, logistic probes and trained weights"):
        runs_of(f"{tiny_folder()},{tiny_folder()}{again}")


def test_a_folder_whose_own_name_holds_brackets_or_commas_is_read(tmp_path):
    for name in ("a[pooling=cls]", "a,b", "plain"):
        (tmp_path / name).mkdir()
    folders = [str(tmp_path / name) for name in ("a[pooling=cls]", "a,b")]
    assert [tuple(one) for one in parse_model_flag(",".join([*folders, f"{tmp_path}/plain[pooling=cls]"]))] == [
        (folders[0], {}),
        (folders[1], {}),
        (f"{tmp_path}/plain", {"pooling": "cls"}),
    ]

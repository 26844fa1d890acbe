"""``layers --projections``: one figure with the pictures of all layers."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.image import imread
from test_cli import flags as flags
from test_cli import run, six_class_table

from lit_probe.errors import LitProbeError
from lit_probe.figures import save_projections
from lit_probe.probing.given_activations import probe_activations
from lit_probe.views.projections import project


def test_one_figure_holds_the_pictures_of_all_layers(flags, tmp_path, capsys):
    table = six_class_table(tmp_path / "six.csv")
    asked = ["layers", *flags, f"--datasets=csv={table}", "--text_column=review", "--label_column=feeling", "--checks=none"]
    asked.append("--projections=pca,probe,pca")
    assert run(*asked) == 0
    assert "layers.svg, projections.svg" in capsys.readouterr().out
    drawn = (tmp_path / "out" / "projections.svg").read_text("utf-8")
    assert drawn.count("<image") == 2 * 4
    assert ">PCA, fitted to" in drawn and ">Probe’s plane, fitted to" in drawn and "dev, fitted to train" in drawn
    assert run(*asked) == 0
    assert (tmp_path / "out" / "projections.svg").read_text("utf-8") == drawn


def test_an_unknown_way_is_refused_before_any_work(flags, capsys):
    assert run("layers", *flags, "--projections=pca,tnse") == 1
    assert "Unknown projection 'tnse'. Choose one of: nmf, pca, probe, tsne, umap." in capsys.readouterr().err


@pytest.mark.parametrize("n_classes", [2, 40, 0])
def test_figures_of_few_and_many_classes_of_a_number_and_of_a_layer_without_a_picture(tmp_path, n_classes):
    values = np.random.default_rng(0).normal(size=(400, 3, 5))
    values[:, 1] = 1.0
    labels = (np.arange(400) % n_classes).astype(str).tolist() if n_classes else values[:, 0, 0].tolist()
    study = probe_activations(values, labels, target="classes" if n_classes else "number")
    save_projections([project(study, rows={"dev": [0, 1, 2]}).to_json()], "a title", tmp_path / "figure.svg")
    drawn = (tmp_path / "figure.svg").read_text("utf-8")
    assert "a title" in drawn and "the same vector here, so" in drawn


@pytest.fixture(scope="module")
def pictures() -> dict:
    values = np.random.default_rng(0).normal(size=(40, 2, 5))
    study = probe_activations(values, (np.arange(40) % 2).astype(str).tolist())
    return project(study, rows={"dev": [0, 1, 2]}).to_json()


@pytest.mark.parametrize(
    ("ending", "begins"), [("svg", b"<?xml"), ("png", b"\x89PNG\r\n"), ("PNG", b"\x89PNG\r\n"), ("pdf", b"%PDF")]
)
def test_a_figure_is_what_the_ending_of_its_file_says_and_the_same_twice(tmp_path, pictures, ending, begins):
    files = [tmp_path / f"{name}.{ending}" for name in ("one", "two")]
    for file in files:
        save_projections([pictures], "a title", file)
    one, two = (file.read_bytes() for file in files)
    assert one == two and one.startswith(begins)
    if begins.startswith(b"\x89"):
        pixels = imread(files[0])
        assert min(pixels.shape[:2]) > 300 and (pixels[0, 0] == 1).all() and (pixels[..., :3].min(axis=-1) < 0.6).mean() > 0.001


@pytest.mark.parametrize("name", ["figure.xyz", "figure", "figure.svg.zip"])
def test_a_figure_of_another_ending_is_refused(tmp_path, pictures, name):
    with pytest.raises(LitProbeError, match=r"has to end in one of: \.svg, \.png, \.pdf"):
        save_projections([pictures], "a title", tmp_path / name)
    assert not any(tmp_path.iterdir())


def test_figures_of_a_run_are_written_in_the_format_that_was_asked_for(flags, tmp_path, capsys):
    table = six_class_table(tmp_path / "six.csv")
    asked = ["layers", *flags, f"--datasets=csv={table}", "--text_column=review", "--label_column=feeling", "--checks=none"]
    assert run(*asked, "--projections=pca", "--figure_format=png") == 0
    assert "layers.png, projections.png" in capsys.readouterr().out
    out = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert not any(name.endswith(".svg") for name in out)
    assert all(out[name].startswith(b"\x89PNG") for name in ("layers.png", "projections.png"))

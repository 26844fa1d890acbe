"""Runs of tiny encoders, made once."""

from __future__ import annotations

import json

import pytest
from reported_runs import made_run

from lit_probe.encoder.encoder import load_encoder
from lit_probe.encoder.site_search import sites_of


def _as_read(run: dict) -> dict:
    return json.loads(json.dumps(run, allow_nan=False))


@pytest.fixture(scope="session")
def run(tiny_folder) -> dict:
    """A run with all checks."""
    return _as_read(made_run(load_encoder(str(tiny_folder()))))


@pytest.fixture(scope="session")
def other_run(tiny_folder) -> dict:
    """Another pooling of the same encoder on the same rows, and no checks."""
    return _as_read(made_run(load_encoder(str(tiny_folder())), checks=(), pooling="cls"))


@pytest.fixture(scope="session")
def run_on_two(tiny_folder) -> dict:
    """A run on two data sets with the same classes, and few checks."""
    return _as_read(made_run(load_encoder(str(tiny_folder())), names=("films", "more films"), checks=("calibration",)))


@pytest.fixture(scope="session")
def run_at_places(tiny_folder) -> dict:
    """A run that reads layers, what attention adds and heads; few checks."""
    encoder = load_encoder(str(tiny_folder()))
    encoder = encoder.at(sites_of(encoder, ["attention", "layers", "heads"]))
    checks = ("layer_comparison", "calibration", "learning_curve", "baselines")
    return _as_read(made_run(encoder, checks=checks))

"""LIT keeps the predictions of a data set's rows and of the last edits, however many edits are made."""

from __future__ import annotations

import numpy as np
import pytest

from lit_probe.lit.app import AppOptions, lit_application
from lit_probe.lit.host import kept_predictions

N_EDITS = 5


@pytest.fixture
def wrapped(model, monkeypatch):
    """A model as LIT holds it in a server of ours that keeps five edits."""
    monkeypatch.setattr(kept_predictions, "N_EDITS", N_EDITS)
    application = lit_application({model.name: model}, {"tiny": model.dataset}, AppOptions())
    return application._models[model.name]


def edits(n: int, start: int = 0) -> list[dict[str, str]]:
    return [{"text": f"the film was edited {i} times", "_id": f"edit {i}"} for i in range(start, start + n)]


def asked(wrapped, inputs):
    """The vectors of the chosen layer; ids are not checked here."""
    wrapped._strict_id_validation = False
    return [one["chosen_layer"] for one in wrapped.predict(inputs)]


def kept(wrapped) -> list[str]:
    return [example for _, example in wrapped._cache._d]


def test_rows_that_are_asked_for_stay_and_the_oldest_edits_go(wrapped, dataset):
    rows = dataset.examples
    for start in range(0, 30, 3):
        asked(wrapped, [*rows, *edits(3, start)])
    assert set(kept(wrapped)) == {row["_id"] for row in rows} | {f"edit {i}" for i in range(25, 30)}


def test_an_edit_that_was_forgotten_is_predicted_anew(wrapped, dataset):
    [before] = asked(wrapped, edits(1))
    asked(wrapped, [*dataset.examples, *edits(20, start=1)])
    assert "edit 0" not in kept(wrapped)
    np.testing.assert_allclose(asked(wrapped, edits(1))[0], before, atol=1e-6)


def test_more_edits_at_once_than_are_kept_are_all_answered(wrapped, dataset):
    many = edits(len(dataset.examples) + 5 * N_EDITS)
    assert len(asked(wrapped, many)) == len(many)
    assert len(kept(wrapped)) == len(dataset.examples) + N_EDITS

"""Counts what is expensive: fits of all layers and the memory that they may take, and forward passes."""

from __future__ import annotations

from lit_probe.encoder.memory import MemoryBudget
from lit_probe.probing import layerwise
from lit_probe.probing.layerwise import LayerwiseProbe


def count_fits(monkeypatch) -> list[int]:
    """A list that grows by the number of rows at each fit of all layers."""
    fits: list[int] = []
    fit = LayerwiseProbe.fit.__func__

    def counted(cls, activations, *args, **options):
        fits.append(len(activations))
        return fit(cls, activations, *args, **options)

    monkeypatch.setattr(LayerwiseProbe, "fit", classmethod(counted))
    return fits


def count_forwards(encoder) -> list[int]:
    """A list that grows by one entry, the batch size, at every forward pass of the encoder."""
    passes: list[int] = []
    encoder.model.register_forward_pre_hook(
        lambda module, args, kwargs: passes.append(len(kwargs["input_ids"])), with_kwargs=True
    )
    return passes


def note_budgets(monkeypatch) -> list[MemoryBudget | None]:
    """A list that grows by the memory that each fit of all layers may take."""
    budgets: list[MemoryBudget | None] = []
    choose = layerwise.layers_at_a_time

    def noted(activations, budget=None):
        budgets.append(budget)
        return choose(activations, budget)

    monkeypatch.setattr(layerwise, "layers_at_a_time", noted)
    return budgets

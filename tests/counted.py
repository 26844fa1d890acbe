"""Counts what is expensive: fits of all layers, and forward passes."""

from __future__ import annotations

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

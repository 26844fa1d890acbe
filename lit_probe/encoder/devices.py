"""The graphics processors that torch can compute on."""

from __future__ import annotations


def cuda_devices() -> list[str]:
    """Their names; empty where there is none, or none that this torch is built for."""
    import torch

    return (
        [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    )

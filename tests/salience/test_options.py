"""Settings of salience methods are checked at the door."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from lit_probe.errors import LitProbeError, UnknownNameError
from lit_probe.salience import SALIENCE_METHODS, SalienceOptions
from lit_probe.salience.methods.baselines import INPUT_BASELINES
from lit_probe.salience.options import BASELINE_CHOICES


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, "steps is 0; give a whole number, 1 or more"),
        ({"steps": 2.5}, "steps is 2.5"),
        ({"steps": True}, "steps is True"),
        ({"samples": 1}, "samples is 1; give a whole number, 2 or more"),
        ({"noise_samples": 0}, "noise_samples is 0"),
        ({"growth": 0}, "growth is 0; give a whole number, 1 or more"),
        ({"noise": -0.1}, "noise is -0.1"),
        ({"noise": float("nan")}, "noise is nan"),
        ({"seed": -1}, "not -1"),
        ({"seed": 2**32}, "seed must be a whole number from 0 to 4294967295, not 4294967296"),
        ({"kernel_width": 0.0}, "kernel_width is 0.0"),
        ({"kernel_width": float("inf")}, "kernel_width is inf"),
    ],
)
def test_numbers_out_of_range_are_refused_with_the_range(settings, message):
    with pytest.raises(LitProbeError) as error:
        SalienceOptions(**settings)
    assert message in str(error.value)


@pytest.mark.parametrize("value", ["0.25", None, [1], {}, b"pad", object(), 1j, True])
@pytest.mark.parametrize("name", [field.name for field in fields(SalienceOptions)])
def test_a_value_of_another_kind_is_refused_with_its_field(name, value):
    with pytest.raises(LitProbeError) as error:
        SalienceOptions(**{name: value})
    assert name in str(error.value) or "Unknown" in str(error.value)


@pytest.mark.parametrize("name", ["noise", "kernel_width"])
def test_a_number_that_no_float_can_hold_is_refused_and_numpys_numbers_are_taken(name):
    with pytest.raises(LitProbeError, match=f"{name} is 1000"):
        SalienceOptions(**{name: 10**400})
    for value in (1, np.float32(0.5), np.float64(0.5)):
        assert getattr(SalienceOptions(**{name: value}), name) == value


@pytest.mark.parametrize("name", ["baseline", "replace", "unit", "kernel"])
def test_unknown_names_are_refused_with_the_choices(name):
    with pytest.raises(UnknownNameError, match=r"'nonsense'\. Choose one of"):
        SalienceOptions(**{name: "nonsense"})


def test_every_baseline_that_can_be_chosen_can_be_made():
    assert list(BASELINE_CHOICES) == list(INPUT_BASELINES)


def test_methods_name_only_options_that_there_are():
    for method in SALIENCE_METHODS.values():
        assert set(method.uses) <= set(SalienceOptions.__dataclass_fields__), method.name
        assert method.baseline in ("", *method.uses), method.name
        assert method.deterministic == ("seed" not in method.uses), method.name

"""Fits that do not see units that are constant but for rounding."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike

from lit_probe.probing.probes.fitted import FittedProbe
from lit_probe.probing.probes.training_data import alive_only, standardisation

F = TypeVar("F", bound=Callable[..., FittedProbe])


def fitted_to_living_units(fit: F) -> F:
    """A fit that does not see dead units: it gives the bits that it would give without them, and weight 0 to them.

    ``fit`` itself meets dead units only where no other is there.
    """

    @wraps(fit)
    def fit_living(x: ArrayLike, *args: Any, **options: Any) -> FittedProbe:
        values = np.asarray(x)
        # What cannot be fitted at all is refused by the fit, in words.
        if values.ndim != 2 or not values.size or not np.isfinite(values.sum(dtype=np.float64)):
            return fit(values, *args, **options)
        alive = np.isfinite(standardisation(values)[1])
        if alive.all() or not alive.any():
            return fit(values, *args, **options)
        if hear := options.get("after_epoch"):
            options["after_epoch"] = lambda probe: hear(probe.among(alive))
        return fit(alive_only(values, alive), *args, **options).among(alive)

    return cast(F, fit_living)

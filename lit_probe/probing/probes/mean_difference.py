"""The probe whose directions are the class means themselves: nothing is fitted but one number, how sure it is."""

import numpy as np
from numpy.typing import ArrayLike

from lit_probe.probing.probes.fitted import FittedProbe
from lit_probe.probing.probes.fitting_scope import fitting_scope
from lit_probe.probing.probes.living_units import fitted_to_living_units
from lit_probe.probing.probes.training_data import check_training_data, standardisation, standardised

# The range of the one number. Classes that never overlap would want an infinite one.
_SMALLEST, _LARGEST = 1e-6, 1e3
_TOLERANCE = 1e-9


@fitted_to_living_units
def fit_mean_difference(
    x: ArrayLike, labels: ArrayLike, n_classes: int, groups: ArrayLike | None = None, seed: int = 0
) -> FittedProbe:
    """Scores each class by the nearness of its mean, on standardised activations.

    Two classes are told apart along the difference of their means (the mass-mean probe without its covariance, Marks & Tegmark
    2023, https://arxiv.org/abs/2310.06824); more classes by the nearest mean. The logit of class c is ``sharpness · (m_c·x -
    |m_c|²/2) + log share of c``: Gaussians of one spherical variance. The sharpness, one over that variance, is the number
    between 10^-6 and 10^3 with the lowest log-loss on train, so that the probabilities can be read as such.

    Args:
      x: ``[n_examples, d_model]`` activations of the train split.
      labels: ``[n_examples]`` class indices in 0..n_classes-1.
      n_classes: the number of classes; each needs 2 examples or more.
      groups: not used, because nothing is held out.
      seed: recorded; nothing is random here.

    Raises:
      ProbeError: a class has fewer than 2 examples, or the activations are not finite.
    """
    from scipy.optimize import minimize_scalar  # slow to import

    values, classes = check_training_data(x, labels, n_classes)
    mean, scale = standardisation(values)
    scaled = standardised(values, mean, scale)
    centres = np.stack([scaled[classes == label].mean(axis=0) for label in range(n_classes)])
    halves = (centres**2).sum(axis=1) / 2
    prior = np.log(np.bincount(classes, minlength=n_classes) / len(classes))
    with fitting_scope:
        nearness = scaled @ centres.T - halves

    def log_loss(log_sharpness: float) -> float:
        logits = np.exp(log_sharpness) * nearness + prior
        return float((np.logaddexp.reduce(logits, axis=1) - logits[np.arange(len(classes)), classes]).mean())

    bounds = (np.log(_SMALLEST), np.log(_LARGEST))
    found = minimize_scalar(log_loss, bounds=bounds, method="bounded", options={"xatol": _TOLERANCE})
    sharpness = float(np.exp(found.x))
    return FittedProbe(
        kind="mean_difference",
        classes_=np.arange(n_classes),
        mean=mean,
        scale=scale,
        layers=((sharpness * centres, prior - sharpness * halves),),
        converged=bool(found.success),
        settings={"sharpness": sharpness, "train_log_loss": float(found.fun), "seed": seed, "n_train": len(classes)},
    )

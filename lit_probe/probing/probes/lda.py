"""Linear discriminant analysis: classes as Gaussians of one covariance, which is shrunk, so that no optimiser is needed."""

import numpy as np
from numpy.typing import ArrayLike

from lit_probe.probing.probes.fitted import FittedProbe
from lit_probe.probing.probes.fitting_scope import fitting_scope
from lit_probe.probing.probes.living_units import fitted_to_living_units
from lit_probe.probing.probes.training_data import check_training_data, standardisation, standardised


@fitted_to_living_units
def fit_lda(x: ArrayLike, labels: ArrayLike, n_classes: int, groups: ArrayLike | None = None, seed: int = 0) -> FittedProbe:
    """Fits scikit-learn's LinearDiscriminantAnalysis (``lsqr``) on standardised activations.

    The covariance within classes is shrunk by the rule of Ledoit & Wolf 2004 (https://doi.org/10.3905/jpm.2004.110), which needs
    no search. The probabilities are those of the classes' Gaussians, with the shares of train as priors.

    Args:
      x: ``[n_examples, d_model]`` activations of the train split.
      labels: ``[n_examples]`` class indices in 0..n_classes-1.
      n_classes: the number of classes; each needs 2 examples or more.
      groups: not used, because nothing is held out.
      seed: recorded; nothing is random here.

    Raises:
      ProbeError: a class has fewer than 2 examples, or the activations are not finite.
    """
    # scikit-learn takes a second to import, and a start from the cache fits nothing.
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    values, classes = check_training_data(x, labels, n_classes)
    mean, scale = standardisation(values)
    if np.isfinite(scale).any():
        with fitting_scope:
            model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(standardised(values, mean, scale), classes)
        weight, bias = model.coef_, model.intercept_
        if n_classes == 2:
            weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    else:  # no covariance to speak of: what is left are the priors
        weight, bias = np.zeros((n_classes, len(mean))), np.log(np.bincount(classes, minlength=n_classes) / len(classes))
    return FittedProbe(
        kind="lda",
        classes_=np.arange(n_classes),
        mean=mean,
        scale=scale,
        layers=((weight, bias),),
        converged=True,
        settings={"shrinkage": "ledoit_wolf", "seed": seed, "n_train": len(classes)},
    )

"""A fitted probe: plain arrays that numpy, torch and a file on disk all read alike."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lit_probe.errors import ProbeError
from lit_probe.probing.probes.storage import read_arrays, write_arrays
from lit_probe.probing.probes.training_data import standardised

# What the one output of a probe is called that is asked for a number.
NUMBER_NAME = "number"

_FORMAT = "lit_probe fitted probe 1"
_CHUNK_ROWS = 4096
# Numbers of the widest layer that one chunk of rows may have.
_CHUNK_NUMBERS = 2**22


@dataclass(frozen=True, eq=False)
class FittedProbe:
    """A probe of one layer: standardisation, then linear maps with ReLU between them, then softmax; of a number no softmax.

    One pair in ``layers`` makes a linear probe. A binary logistic probe stores the rows ``-w/2`` and ``+w/2``, so that the
    softmax of its two logits equals scikit-learn's sigmoid. The probe knows no layer number and no text.

    Attributes:
      kind: the name in `PROBES` it was fitted by, such as ``"logistic"`` or ``"ridge"``.
      classes_: ``[n_classes]`` int64, the label indices 0..n_classes-1 in the order of the probabilities; empty for a number.
      mean: ``[d_model]`` float64, subtracted first.
      scale: ``[d_model]`` float64, divided by next; infinite for a unit that does not vary on train, of which nothing is left.
      layers: pairs of weight ``[d_out, d_in]`` and bias ``[d_out]``, float64; the last ``d_out`` is ``n_classes``,
        or 1 for a number.
      converged: whether the optimiser reached its tolerance.
      settings: what reproduces the fit, JSON-ready: ``C``, ``cv``, ``seed``, ``n_iter``, …

    Raises:
      ProbeError: the arrays do not fit together or hold NaN or infinity.

    >>> probe = FittedProbe("logistic", [0, 1], [0.0, 1.0], [1.0, 2.0], (([[-1.0, 0.0], [1.0, 0.0]], [0.0, 0.0]),), True)
    >>> probe.predict_proba([[0.0, 5.0], [1.0, 5.0]]).round(3)
    array([[0.5  , 0.5  ],
           [0.119, 0.881]])
    >>> probe.coef_, probe.intercept_
    (array([[2., 0.]]), array([0.]))
    """

    kind: str
    classes_: NDArray[np.int64]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    layers: tuple[tuple[NDArray[np.float64], NDArray[np.float64]], ...]
    converged: bool
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        arrays = {
            "classes_": np.ascontiguousarray(self.classes_, dtype=np.int64),
            "mean": np.ascontiguousarray(self.mean, dtype=np.float64),
            "scale": np.ascontiguousarray(self.scale, dtype=np.float64),
        }
        layers = tuple(
            (np.ascontiguousarray(weight, dtype=np.float64), np.ascontiguousarray(bias, dtype=np.float64))
            for weight, bias in self.layers
        )
        for name, value in {**arrays, "layers": layers}.items():
            object.__setattr__(self, name, value)
        self._check()

    def _check(self) -> None:
        if self.n_classes == 1 or not np.array_equal(self.classes_, np.arange(self.n_classes)):
            raise ProbeError(
                f"A probe's classes_ must be 0, 1, … in order, two or more, or none for a number; got {self.classes_.tolist()}."
            )
        width = self.d_model
        if self.mean.shape != (width,) or self.scale.shape != (width,) or not self.layers:
            raise ProbeError(
                f"A probe needs mean and scale of one shape [d_model] and at least one (weight, bias); got {self.mean.shape}, "
                f"{self.scale.shape} and {len(self.layers)} pairs."
            )
        for weight, bias in self.layers:
            if weight.ndim != 2 or weight.shape[1] != width or bias.shape != (weight.shape[0],):
                raise ProbeError(
                    f"A weight [d_out, {width}] with a bias [d_out] should follow; got {weight.shape} and {bias.shape}."
                )
            width = weight.shape[0]
        if width != self.n_outputs:
            what = f"logits for {self.n_classes} classes" if self.n_classes else "outputs for one number"
            raise ProbeError(f"The last weight gives {width} {what}.")
        numbers = (self.mean, *(array for pair in self.layers for array in pair))
        if not all(np.isfinite(array).all() for array in numbers) or not (self.scale > 0).all():
            raise ProbeError(
                "A probe's arrays must be finite and its scale positive, or infinite for units that it does not read."
            )

    @property
    def n_classes(self) -> int:
        """How many classes the probe tells apart; 0 where it gives a number."""
        return self.classes_.size

    @property
    def n_outputs(self) -> int:
        """How many numbers it gives for a row: one for each class, or the one that is asked for."""
        return self.n_classes or 1

    @property
    def d_model(self) -> int:
        """The width of the activations it reads."""
        return self.mean.size

    def logits(self, x: ArrayLike) -> NDArray[np.float64]:
        """``[n_examples, n_outputs]`` float64: the scores before the softmax, for ``x`` ``[n_examples, d_model]``; or the number.

        A row gets the same digits alone as among others.

        Raises:
          ProbeError: ``x`` has another width than the probe.
        """
        rows = np.asarray(x)
        if rows.ndim != 2 or rows.shape[1] != self.d_model:
            raise ProbeError(f"This probe reads activations of shape [n_examples, {self.d_model}]; got {list(rows.shape)}.")
        read = slice(None) if self.living.all() else np.flatnonzero(self.living)
        # Chunks bound the memory of the float64 copies and of hidden layers, which a file from anybody may make very wide.
        widest = max(self.d_model, *(bias.size for _, bias in self.layers))
        n_rows = max(1, min(_CHUNK_ROWS, _CHUNK_NUMBERS // widest))
        chunks = [self._logits(rows[start : start + n_rows], read) for start in range(0, len(rows), n_rows)]
        return np.concatenate(chunks) if chunks else np.empty((0, self.n_outputs))

    def _logits(self, rows: NDArray[Any], read: NDArray[np.int64] | slice) -> NDArray[np.float64]:
        values = standardised(np.ascontiguousarray(rows[:, read]), self.mean[read], self.scale[read])
        for index, (weight, bias) in enumerate(self.layers):
            if index:
                values = np.maximum(values, 0.0)
            else:
                weight = np.ascontiguousarray(weight[:, read])
            # einsum, unlike matmul, adds in an order that depends neither on the number of rows nor on threads.
            values = np.einsum("ni,oi->no", values, weight) + bias
        return values

    def predictions(self, x: ArrayLike) -> NDArray[np.float64]:
        """``[n_examples, n_outputs]`` float64: the probabilities of the classes, or ``[n_examples, 1]`` the number."""
        return self.predict_proba(x) if self.n_classes else self.logits(x)

    def predict_proba(self, x: ArrayLike) -> NDArray[np.float64]:
        """``[n_examples, n_classes]`` float64 probabilities for ``x`` ``[n_examples, d_model]``; each row sums to 1.

        Raises:
          ProbeError: the probe gives a number, which has no probabilities.
        """
        if not self.n_classes:
            raise ProbeError(f"A probe of kind {self.kind!r} gives a number and no probabilities. Ask it for predictions.")
        logits = self.logits(x)
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities: NDArray[np.float64] = exponentials / exponentials.sum(axis=1, keepdims=True)
        return probabilities

    def predict(self, x: ArrayLike) -> NDArray[Any]:
        """``[n_examples]`` int64: the most probable class, the lower index on a tie, where a study may decide otherwise.

        Of a number it is ``[n_examples]`` float64, the number itself.
        """
        if not self.n_classes:
            return self.logits(x)[:, 0]
        predicted: NDArray[np.int64] = np.argmax(self.predict_proba(x), axis=1)
        return predicted

    @property
    def living(self) -> NDArray[np.bool_]:
        """``[d_model]`` which units varied on train; the probe reads no others."""
        living: NDArray[np.bool_] = np.isfinite(self.scale)
        return living

    @property
    def dead_units(self) -> list[int]:
        """The units that did not vary on train: the probe has weight 0 for them and does not read them."""
        return [int(unit) for unit in np.flatnonzero(~self.living)]

    def among(self, alive: NDArray[np.bool_]) -> FittedProbe:
        """The same probe for activations ``[n_examples, len(alive)]`` of which it was fitted to those that are ``alive``."""

        def spread(values: NDArray[np.float64], rest: float) -> NDArray[np.float64]:
            wide = np.full((*values.shape[:-1], len(alive)), rest)
            wide[..., alive] = values
            return wide

        (weight, bias), *others = self.layers
        return replace(
            self,
            mean=spread(self.mean, 0.0),
            scale=spread(self.scale, np.inf),
            layers=((spread(weight, 0.0), bias), *others),
        )

    @property
    def coef_(self) -> NDArray[np.float64]:
        """Weights on the *standardised* features, as in scikit-learn: ``[n_classes, d_model]``, or ``[1, d_model]``
        if binary or of a number.

        Raises:
          ProbeError: the probe is not linear.
        """
        weight, _ = self._linear()
        return weight[1:] - weight[:1] if self.n_classes == 2 else weight

    @property
    def intercept_(self) -> NDArray[np.float64]:
        """Intercepts in scikit-learn's shape: ``[1]`` if binary, else ``[n_classes]``.

        Raises:
          ProbeError: the probe is not linear.
        """
        _, bias = self._linear()
        return bias[1:] - bias[:1] if self.n_classes == 2 else bias

    def _linear(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if len(self.layers) != 1:
            raise ProbeError(
                f"A probe of kind {self.kind!r} has {len(self.layers)} layers of weights and no coef_ or intercept_."
            )
        return self.layers[0]

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name, as they are stored."""
        arrays: dict[str, NDArray[Any]] = {"classes": self.classes_, "mean": self.mean, "scale": self.scale}
        for index, (weight, bias) in enumerate(self.layers):
            arrays |= {f"weight_{index}": weight, f"bias_{index}": bias}
        return arrays

    def to_header(self) -> dict[str, Any]:
        """Everything but the arrays, JSON-ready."""
        return {"kind": self.kind, "converged": self.converged, "settings": dict(self.settings)}

    @classmethod
    def from_parts(cls, arrays: Mapping[str, NDArray[Any]], header: Mapping[str, Any]) -> FittedProbe:
        """The probe that `to_arrays` and `to_header` described."""
        n_pairs = sum(name.startswith("weight_") for name in arrays)
        return cls(
            kind=header["kind"],
            classes_=arrays["classes"],
            mean=arrays["mean"],
            scale=arrays["scale"],
            layers=tuple((arrays[f"weight_{index}"], arrays[f"bias_{index}"]) for index in range(n_pairs)),
            converged=header["converged"],
            settings=header["settings"],
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes ``<path>.safetensors`` and ``<path>.json``.

        Raises:
          OSError: the files cannot be written.
        """
        write_arrays(path, self.to_arrays(), {"format": _FORMAT, **self.to_header()})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> FittedProbe:
        """The probe that `save` wrote at ``path``: the same numbers to the last digit.

        Raises:
          CacheError: a file is missing, torn, foreign or changed.
        """
        arrays, header = read_arrays(path, _FORMAT)
        return cls.from_parts(arrays, header)

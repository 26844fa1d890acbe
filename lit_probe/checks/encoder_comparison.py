"""How far two encoders are apart on the same rows: a layer of one against a layer of the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lit_probe.checks.layer_comparison import ComparedPair, PairedScores
from lit_probe.errors import DatasetError
from lit_probe.probing.study import LayerStudy


@dataclass(frozen=True)
class EncoderComparison(ComparedPair):
    """The answer of `compare_encoders`: ``layer`` of the one study, ``other`` of the other, and what `ComparedPair` says of them.

    Attributes:
      n: the number of dev rows.
    """

    n: int


def compare_encoders(one: LayerStudy, layer: int, other: LayerStudy, other_layer: int) -> EncoderComparison:
    """Compares two studies of the same rows by the headline metric on dev: ``layer`` of one less ``other_layer`` of the other.

    The tests and the interval are those of `compare_two_layers`. They hold for two layers that were named beforehand; the best
    layer of each encoder was chosen on these rows, which flatters the encoder with more layers a little.

    Raises:
      UnknownNameError: a study has no such layer.
      DatasetError: the studies are of different rows or are scored by different rules, or one has no score on dev.
    """
    one.check_layer(layer)
    other.check_layer(other_layer)
    dev = one.splits.dev
    if tuple(dev.texts) != tuple(other.splits.dev.texts) or not np.array_equal(dev.labels, other.splits.dev.labels):
        raise DatasetError(
            f"The dev rows of {one.splits.name} and {other.splits.name} differ, so scores cannot be compared row by row."
        )
    if (one.headline, one.decision) != (other.headline, other.decision):
        raise DatasetError(
            f"{one.encoder.name} and {other.encoder.name} are scored by different rules or with other train rows on "
            f"{one.splits.name}, so their scores cannot be compared."
        )
    both = np.stack([one.probabilities("dev")[:, layer], other.probabilities("dev")[:, other_layer]], axis=1)
    scores = PairedScores.of_rows(one.headline, one.dev_rows(both))
    return EncoderComparison(layer, other_layer, one.headline, *scores.compare(0, 1), not scores.doubt, scores.doubt, len(dev))

"""The errors that lit_probe raises on purpose: each says what came, what is allowed and what to do."""


class LitProbeError(Exception):
    """Base of every error whose message is meant for the person at the keyboard."""


class UnknownNameError(LitProbeError):
    """A name that is in no registry (pooling, probe, metric, data set, layer, …)."""


class DatasetError(LitProbeError):
    """A data set that cannot be read, split or probed as asked."""


class NoRowsError(DatasetError):
    """A file that can be read and has no rows."""


class UnservedError(LitProbeError):
    """A question that is not defined for this unit or target, such as the calibration of a number."""


class EncoderError(LitProbeError):
    """A checkpoint that cannot be found, trusted, loaded or used as a text encoder."""


class ProbeError(LitProbeError):
    """A probe that cannot be fitted, saved or loaded."""


class CancelledError(LitProbeError):
    """A long computation that was no longer wanted."""


class CacheError(LitProbeError):
    """A cache entry that is torn, foreign or corrupted. Callers recompute; it is never trusted."""

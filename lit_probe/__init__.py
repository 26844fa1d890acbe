"""lit_probe: layer-wise probing of text encoders, inside LIT and without it."""

__version__ = "0.1.0"

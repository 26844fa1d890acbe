"""The border to LIT: with ``lit_probe.layouts``, the only Python that imports lit_nlp."""

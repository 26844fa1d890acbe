"""The tags of lit_probe's own panels."""

PROBE_BY_LAYER = "layer-metrics-module"

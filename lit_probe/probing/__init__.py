"""Probes on the activations of every layer: arrays and labels in, fitted probes and their numbers out."""

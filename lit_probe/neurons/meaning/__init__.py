"""On what a neuron fires: classes, words, tokens, and the neurons that do the same."""

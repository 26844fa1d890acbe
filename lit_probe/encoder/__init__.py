"""The frozen transformer: texts in, arrays out. Checkpoint, tokens, thread, calls of the model, pooling, activations, cache."""

"""Which neurons carry a concept: rankings, what neurons mean, and what changes without them."""

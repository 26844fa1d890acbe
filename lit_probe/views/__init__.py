"""Pictures of activations: projections to a plane, similarity of layers, attention, and what a model's head makes of layers."""

"""How good predictions are: metrics with their intervals, and the rows that they are measured on. No text, no model."""

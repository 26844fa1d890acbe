"""What LIT is told: data sets, models, fields and metrics in LIT's terms, and what is computed behind them."""

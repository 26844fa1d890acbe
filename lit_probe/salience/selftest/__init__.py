"""Whether salience methods find the words that are known to decide."""

"""What looks after an installation: the entries of the cache, and a doctor that says what is missing."""

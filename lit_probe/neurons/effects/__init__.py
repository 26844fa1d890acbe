"""What changes when neurons are switched off, or a concept is erased."""

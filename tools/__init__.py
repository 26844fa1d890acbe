"""Scripts for the repository itself: pictures for the docs, a check before the installation."""

"""What an edit of a text changes, layer by layer, and how texts are edited."""

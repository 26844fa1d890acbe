"""What a reviewer asks of a layer curve."""

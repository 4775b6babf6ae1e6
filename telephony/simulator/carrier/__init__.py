"""What the carrier knows and does. Nothing here answers an HTTP request; `exchange` puts the parts together."""

"""Measures the product as it runs in production: how many texts it takes, how fast its pages are. See README.md."""

"""Composition root and the polku command; alone imports several services."""

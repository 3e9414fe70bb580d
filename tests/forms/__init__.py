"""Tests of shared/forms."""

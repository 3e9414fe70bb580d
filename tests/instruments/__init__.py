"""Tests of shared/instruments."""

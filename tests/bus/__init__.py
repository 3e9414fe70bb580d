"""Tests of shared/bus."""

"""Tests of services/measurement."""

"""Tests of services/intake."""

"""Tests of services/pathways."""

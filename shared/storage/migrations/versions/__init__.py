"""The revisions, a branch per service."""

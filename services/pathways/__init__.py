"""The workflow: programme definitions on a node."""

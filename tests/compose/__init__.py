"""The whole way in containers: ``python -m tests.compose``, or ``make compose-test``."""

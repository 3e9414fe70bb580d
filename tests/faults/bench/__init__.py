"""The fault bench: real homes under a seeded plan of faults, and a ledger outside them that judges (see README.md)."""

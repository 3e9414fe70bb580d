"""The services: each owns its tables, and none imports another (services.node alone composes them)."""

"""A deterministic simulator of nodes, couriers, carrier, receiver and lead; see README.md in this folder."""

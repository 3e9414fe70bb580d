"""Who comes in: registration, standing, participation; the vault of identities."""

"""Settings, logging, metrics, health and clock: what every process has from its first day."""

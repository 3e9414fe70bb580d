"""From the first release's databases to this one's."""

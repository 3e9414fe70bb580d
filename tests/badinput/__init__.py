"""Bad input at every edge: every command, every CSV column, every `polku` command, every form (README.md here)."""

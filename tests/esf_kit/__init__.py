"""The record rules of the European Social Fund as cases that any program can be tried on."""

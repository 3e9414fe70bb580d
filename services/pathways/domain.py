"""Rules of pathways. Programme definitions have their rules in `shared.programmes`; steps, tasks and outcomes come
with the next release and their rules belong here."""

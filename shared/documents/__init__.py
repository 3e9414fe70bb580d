"""Files that people write and that programmes and instruments are read from: YAML, a JSON Schema, our own rules.

``reading``   bytes to plain data, with the line of every value
``checking``  what a schema and rules find wrong, in words
``problems``  one thing to mend: line, place, reason
``values``    a document's address (digest), names by language

Needs PyYAML and jsonschema only; what a programme or an instrument is, is told by their own packages.
"""

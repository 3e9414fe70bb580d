"""Everything that crosses a process, declared once: facts, commands and errors. Needs marshmallow only.

``fields``   the closed set of types a fact may be made of; none of them can hold typed text
``facts``    what a fact is: wire name, version, reach, subject, body
``catalogue`` every fact of the house, by service
``commands`` the bodies of the RPC commands
``partners`` more of them: the other nodes of a programme, the tag key
``talks``    more of them: free text, conversations, registers, counters
``errors``   every error that a caller may be told
"""

"""What touches nameko and kombu: entrypoints, RPC client, wake-ups, the embedded transport, the runner.

Plain processes (portal under waitress, command line) import only `shared.bus.client` and `shared.bus.wakeups`: neither
imports eventlet. `shared.bus.entrypoints`, `containers`, `guard` and `runner` belong to eventlet processes.
`shared/bus/README.md` shows how a service is wired.
"""

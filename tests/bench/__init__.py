"""Benchmarks: ``python -m tests.bench.bench_rpc`` and so on; results in ``build/bench/*.json``."""

"""Ratios to something run beside us. One command: ``python -m benchmarks`` (see docs/performance.md)."""

"""The command line: ``gateway-server``, the same as ``python -m gateway_server``."""

from gateway_server.cli.program import call, main

__all__ = ["call", "main"]

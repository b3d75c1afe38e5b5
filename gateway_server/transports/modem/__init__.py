"""Modems: ports, their life, and what is said to them."""

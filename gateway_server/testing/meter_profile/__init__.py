"""Simulated meters that speak any meter profile."""

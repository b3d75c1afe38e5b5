"""Fakes and simulated meters: typed, tested, public."""

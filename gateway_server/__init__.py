"""An open head-end for gas volume correctors: meters are reached, identified and read, and every byte is on record."""

__version__ = "0.1.0"

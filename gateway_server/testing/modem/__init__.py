"""The parts of simulated modems: what they obey, say and suffer, and where they hang."""

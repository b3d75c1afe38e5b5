"""The parts of a simulated LIS-200 corrector: what it measured, how it files and sends it."""

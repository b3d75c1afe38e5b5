"""Simulated Modbus devices that hold what a register map says."""

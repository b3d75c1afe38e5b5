"""What gas meters measure, by one name each, with its OBIS code."""

"""Ways to a meter: Twisted endpoints and lines, none of which knows a protocol."""

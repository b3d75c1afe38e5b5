"""Sessions: one conversation with one meter over one line, its bytes on record before anything looks at them."""

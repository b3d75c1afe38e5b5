"""Orders and what carries them out."""

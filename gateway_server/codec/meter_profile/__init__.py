"""Declarative meter profiles: the language (`form`, `parse`), and what runs it (`codec`)."""

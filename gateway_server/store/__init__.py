"""The store: everything received and everything known, durable."""

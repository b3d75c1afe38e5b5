"""What we measure ourselves against: small servers and schemas that do the least that would do."""

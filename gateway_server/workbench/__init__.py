"""What is done with stored bytes: replay, compare, export."""

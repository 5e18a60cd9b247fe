"""What happened, put together from what was recorded."""

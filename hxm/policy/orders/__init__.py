"""What each order comes to: a plan, a refusal, or that it is so already."""

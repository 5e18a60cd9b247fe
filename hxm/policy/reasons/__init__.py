"""Why a domU runs where it does, and why it does not."""

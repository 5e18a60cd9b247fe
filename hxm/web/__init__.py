"""The status page, and what else `hxm serve` answers: JSON, metrics, a word on its own health."""

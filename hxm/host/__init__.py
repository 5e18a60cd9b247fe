"""Programs and files of a host: this one, or the node of a cluster that ssh leads to.

Part of the ground: everything may import it, and it imports nothing of hxm but errors.
"""

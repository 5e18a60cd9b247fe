"""A domU's configuration file, its disks and what they lie on.

May use the model alone; reads this host's files and never executes them.
"""

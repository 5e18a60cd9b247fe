"""What is kept: the journal, the backups, and who left what.

May use `cluster` and everything below it.
"""

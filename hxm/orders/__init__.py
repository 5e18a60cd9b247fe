"""The one pipeline of every change: read, plan, simulate, confirm, execute, report.

May use `records`, `cluster` and everything below them.
"""

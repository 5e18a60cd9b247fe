"""The command line: what each command takes, how it is parsed and described.

May use `catalog` and `output`; only `parse` loads Typer.
"""

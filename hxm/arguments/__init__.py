"""The command line: what each command takes, declared as data, and what reads it.

`options` and `backups` declare, `signatures` looks up what a function takes; `parse` hands it to
Typer, and `describe` to the man page, the completions and `hxm shell`. May use `catalog` and
`output`; only `parse` loads Typer.
"""

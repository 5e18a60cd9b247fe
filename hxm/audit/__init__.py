"""`hxm check`: gathers from all nodes what `policy.audit` judges.

May use everything below it, down to the tools; nothing but `commands` uses it.
"""

"""Everything that is printed: tables, formats, JSON, diagrams, progress.

May use the model and the policy; knows no command.
"""

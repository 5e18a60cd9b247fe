"""Programs that own a whole terminal: the shell, the watch, a console.

May use `orders` and everything below it.
"""

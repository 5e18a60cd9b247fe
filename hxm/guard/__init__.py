"""xl, xm and virsh: the wrapper script, its installation, and the judgement of a raw command line.

May use `orders` and everything below it.
"""

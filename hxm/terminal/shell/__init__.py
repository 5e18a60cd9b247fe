"""The interactive shell: a prompt that knows the cluster, and command lines from a file.

Every line is a command line of hxm, carried out by a hxm of its own: what it is, what it may do and
how it ends is the same as in any other shell, and a Ctrl-C ends it and not this one.
"""

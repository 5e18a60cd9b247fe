"""hxm: the xm/xl-compatible shell for Xen domUs that a Pacemaker cluster manages."""

__version__ = "0.1.0"

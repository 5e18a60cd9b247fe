"""What HXM_LOG asks for: what ran, and what it cost."""

from __future__ import annotations

import os

from hxm.host.safe_files import append_line
from hxm.printable import printable


def log(text: str) -> None:
    """Add a line to HXM_LOG (`stderr`, or a file), if it is set."""
    target = os.environ.get("HXM_LOG")
    if not target:
        return
    line = printable(f"hxm: {text}").encode()
    try:
        if target == "stderr":
            os.write(2, line + b"\n")
        else:
            append_line(target, line)
    except OSError:  # a log must not stop an order
        pass

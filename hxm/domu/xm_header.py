"""The Python at the head of Xen's own xmexample.hvm and xmexample.vti, read as what it comes to.

Files made from these examples of Xen 3.0.2 to 4.1 find the folder of qemu-dm by the architecture of
the host. Nothing but device_model depends on it. Only this text is known, word for word; other
Python stays where it is, and the reader refuses it.
"""

from __future__ import annotations

import os
import re

_NEXT = r"[ \t]*\r?\n(?:[ \t]*(?:#[^\n]*)?\n|[ \t]*\r\n)*"
"""The end of a line, and blank lines and comments behind it."""
_LIB, _LIB64 = (rf"arch_libdir = ['\"]{folder}['\"]" for folder in ("lib", "lib64"))
_IMPORT = r"import os, re"
_ARCH = r"arch = os\.uname\(\)\[4\]"
_IS_64 = r"re\.search\(['\"]64['\"], arch\):"
_IS_LINUX_64 = rf"os\.uname\(\)\[0\] == ['\"]Linux['\"] and {_IS_64}"
_HEADERS = (
    (_IMPORT, _ARCH, f"if {_IS_64}", rf"[ \t]+{_LIB64}", "else:", rf"[ \t]+{_LIB}"),
    (_IMPORT, _LIB, _ARCH, f"if {_IS_LINUX_64}", rf"[ \t]+{_LIB64}"),
    (_IMPORT, _ARCH, _LIB),
    (_IMPORT, _LIB, _ARCH),
)
_ASKING = 2
"""So many of these ask for the architecture; the others, for IA-64, do not."""
_PATTERNS = tuple(
    re.compile(rf"\A(?:[ \t]*(?:#[^\n]*)?\r?\n)*({_NEXT.join(lines)}){_NEXT}(?![ \t])")
    for lines in _HEADERS
)
_MODEL = re.compile(r"(?m)^(device_model = )'/usr/' \+ arch_libdir \+ '/xen/bin/qemu-dm'")


def as_data(text: str) -> str:
    """The text with that header replaced by blank lines, and device_model by its value here."""
    for number, pattern in enumerate(_PATTERNS):
        header = pattern.match(text)
        if not header:
            continue
        start, end = header.span(1)
        if text.count("arch_libdir", end) != len(_MODEL.findall(text, end)):
            return text
        folder = "lib64" if number < _ASKING and "64" in os.uname().machine else "lib"
        blank = "\n" * text.count("\n", start, end)
        rest = _MODEL.sub(rf"\g<1>'/usr/{folder}/xen/bin/qemu-dm'", text[end:])
        return text[:start] + blank + rest
    return text

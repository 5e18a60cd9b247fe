"""Answers each line with what xlu_disk_parse makes of it: libxlu.py FOLDER-OF-LIBRARIES.

A line is a list of words in JSON, the answer libxl's own JSON or null.
"""

from __future__ import annotations

import ctypes
import sys
from json import loads

_BYTES = 4096
"""More than any libxl_device_disk has."""


def main(folder: str) -> None:
    util, xenlight, log = (
        ctypes.CDLL(f"{folder}/{name}")
        for name in ("libxlutil.so.4.17", "libxenlight.so.4.17", "libxentoollog.so.1")
    )
    libc = ctypes.CDLL(None)
    for call in (libc.fopen, util.xlu_cfg_init, log.xtl_createlogger_stdiostream):
        call.restype = ctypes.c_void_p
    xenlight.libxl_device_disk_to_json.restype = ctypes.c_void_p
    nowhere = ctypes.c_void_p(libc.fopen(b"/dev/null", b"w"))
    config = ctypes.c_void_p(util.xlu_cfg_init(nowhere, b""))
    logger = ctypes.c_void_p(log.xtl_createlogger_stdiostream(nowhere, 0, 0))
    context = ctypes.c_void_p()
    assert xenlight.libxl_ctx_alloc(ctypes.byref(context), 0, 0, logger) == 0
    disk = ctypes.create_string_buffer(_BYTES)
    for line in sys.stdin:
        xenlight.libxl_device_disk_init(disk)
        words = [word.encode("utf-8", "surrogateescape") for word in loads(line)]
        specs = (ctypes.c_char_p * len(words))(*words)
        answer = "null"
        if util.xlu_disk_parse(config, len(words), specs, disk) == 0:
            text = ctypes.c_void_p(xenlight.libxl_device_disk_to_json(context, disk))
            answer = ctypes.string_at(text).decode("utf-8", "replace").replace("\n", " ")
            libc.free(text)
        xenlight.libxl_device_disk_dispose(disk)
        print(answer, flush=True)


main(sys.argv[1])

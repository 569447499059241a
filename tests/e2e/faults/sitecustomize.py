"""Lets a test have OpenVINO fail, in any process that imports it first.

The file that ``FAULT_FILE`` names says how; it is taken away by the run that fails, unless its
second word is ``always``. With ``on N`` behind it, only a batch that holds the token N fails.
"""

import ctypes
import os
import sys
import time
from pathlib import Path
from typing import Any

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # as the program has it

from openvino import InferRequest  # noqa: E402 - its telemetry would be imported with it

FILE = Path(os.environ["FAULT_FILE"])
FAULTS: dict[str, BaseException] = {
    "raise": RuntimeError("the device is lost"),
    "memory": MemoryError(),
    "exit": SystemExit(3),
    "interrupt": KeyboardInterrupt(),
}

_infer = InferRequest.infer


def _holds(arguments: tuple[Any, ...], token: int) -> bool:
    return bool((arguments[0]["input_ids"] == token).any())


def _fail(fault: str) -> None:
    match fault:
        case "abort":
            os.abort()
        case "segv":
            ctypes.string_at(0)
        case "hang":
            time.sleep(3600)
        case "deaf":  # with the interpreter's lock held, as native code may do
            ctypes.PyDLL(None).sleep(3600)
        case "leave":
            os._exit(0)
        case _:
            raise FAULTS[fault]


def _failing(self: InferRequest, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever it takes
    try:
        fault, *how = FILE.read_text("utf-8").split()
        if how[:1] == ["on"] and not _holds(arguments, int(how[1])):
            return _infer(self, *arguments, **named)
        if not how:
            FILE.unlink()
    except (OSError, ValueError):
        return _infer(self, *arguments, **named)
    _fail(fault)
    return _infer(self, *arguments, **named)


InferRequest.infer = _failing

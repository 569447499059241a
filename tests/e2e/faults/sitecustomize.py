"""Lets a test have OpenVINO fail, in any process that imports it first.

The file that ``FAULT_FILE`` names says how; it is taken away by the run that fails, unless its
second word is ``always``.
"""

import os
import sys
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


def _failing(self: InferRequest, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever it takes
    try:
        fault, *always = FILE.read_text("utf-8").split()
        if not always:
            FILE.unlink()
    except (OSError, ValueError):
        return _infer(self, *arguments, **named)
    raise FAULTS[fault]


InferRequest.infer = _failing

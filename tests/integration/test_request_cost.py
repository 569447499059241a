"""What one request asks of the server, counted while it is answered."""

import asyncio
import sys
from collections import Counter
from types import FrameType
from typing import Any, Final

import msgspec
from support.http_app import asking

from earmark.checkpoint.ref import BundledRef
from earmark.engine.load import EngineOptions, load_engine

_MOST_FUNCTIONS: Final = 131
"""As many as there are today: the path of a request may become shorter, not longer."""

_TASK: Final = "ResultCache._run"
"""Runs texts that later requests may join, which no request owns."""


class _Count:
    """Counts calls, as a profiler of Python's.

    Attributes:
        functions: of earmark, by file and first line, with their names.
        of_models: of these, the calls into `earmark.models`, by name.
        parses: how often JSON was decoded.
    """

    def __init__(self) -> None:
        self.functions: dict[tuple[str, int], str] = {}
        self.of_models: Counter[str] = Counter()
        self.parses = 0

    def __call__(self, frame: FrameType, event: str, called: Any) -> None:  # noqa: ANN401 - a function or a result
        code = frame.f_code
        _, ours, place = code.co_filename.replace("\\", "/").partition("/src/earmark/")
        if event == "c_call" and ours:
            decodes = isinstance(getattr(called, "__self__", None), msgspec.json.Decoder)
            self.parses += decodes and called.__name__ == "decode"
        elif event == "call" and ours and not code.co_name.startswith("<"):
            self.functions[code.co_filename, code.co_firstlineno] = code.co_qualname
            if place.startswith("models/"):
                self.of_models[code.co_qualname] += 1


def test_one_request_calls_few_functions_and_starts_one_task() -> None:
    """A short text that was not asked before: one look-up, one parse of the body, one task."""
    count = _Count()
    tasks: list[str] = []

    def note_task(loop: Any, work: Any, **named: Any) -> "asyncio.Task[Any]":  # noqa: ANN401 - as asyncio calls it
        tasks.append(work.__qualname__)
        return asyncio.Task(work, loop=loop, **named)

    async def scenario() -> None:
        engine = load_engine(BundledRef("earmark/sentiment"), options=EngineOptions(threads=1))
        async with asking(engine, alive=True) as client:
            await client.post("/models/earmark/sentiment", json={"inputs": "The first one."})
            asyncio.get_running_loop().set_task_factory(note_task)
            sys.setprofile(count)
            try:
                answer = await client.post("/models/earmark/sentiment", json={"inputs": "Good."})
            finally:
                sys.setprofile(None)
                asyncio.get_running_loop().set_task_factory(None)
        assert answer.status_code == 200

    asyncio.run(scenario())
    assert tasks == [_TASK]
    assert count.of_models == {"Registry.find": 1}
    assert count.parses == 1
    assert 50 < len(count.functions) <= _MOST_FUNCTIONS, sorted(count.functions.values())

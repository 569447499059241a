"""What one request asks of the server, counted while it is answered."""

import asyncio
import sys
from types import FrameType
from typing import Any, Final

from support.http_app import asking

from earmark.checkpoint.ref import BundledRef
from earmark.engine.load import EngineOptions, load_engine

_MOST_FUNCTIONS: Final = 200
"""About as many as there are today: the path of a request may become shorter, not longer."""

_TASKS: Final = ("while_connected.<locals>.watch", "ResultCache._run.<locals>.run")
"""One sees the client leave; one runs texts that later requests may join, which no request owns."""


def test_one_request_calls_few_functions_and_starts_two_tasks() -> None:
    """A text that was not asked before: no cached result shortens the way."""
    functions: set[tuple[str, int]] = set()
    tasks: list[str] = []

    def note_call(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if (
            event == "call"
            and "/src/earmark/" in code.co_filename.replace("\\", "/")
            and not code.co_name.startswith("<")
        ):
            functions.add((code.co_filename, code.co_firstlineno))

    def note_task(loop: Any, work: Any, **named: Any) -> "asyncio.Task[Any]":  # noqa: ANN401 - as asyncio calls it
        tasks.append(work.__qualname__)
        return asyncio.Task(work, loop=loop, **named)

    async def scenario() -> None:
        engine = load_engine(BundledRef("earmark/sentiment"), options=EngineOptions(threads=1))
        async with asking(engine, alive=True) as client:
            await client.post("/models/earmark/sentiment", json={"inputs": "The first one."})
            asyncio.get_running_loop().set_task_factory(note_task)
            sys.setprofile(note_call)
            try:
                answer = await client.post("/models/earmark/sentiment", json={"inputs": "Good."})
            finally:
                sys.setprofile(None)
                asyncio.get_running_loop().set_task_factory(None)
        assert answer.status_code == 200

    asyncio.run(scenario())
    assert tuple(tasks) == _TASKS
    assert 100 < len(functions) <= _MOST_FUNCTIONS

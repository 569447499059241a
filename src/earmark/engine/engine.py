"""The engine: a loaded model that answers requests."""

import asyncio
import threading
import time
from contextlib import suppress
from functools import partial
from typing import Final, TypeVar

from earmark.batching.queue import too_late
from earmark.batching.ticket import Submission
from earmark.domain.head import HeadKind, ModelHead
from earmark.engine.beside import beside
from earmark.engine.handle import EngineHandle
from earmark.engine.info import EngineInfo, QueueState
from earmark.engine.plan import Plan, make_plan
from earmark.engine.reply import Reply
from earmark.engine.streaming import EntityStream
from earmark.tasks.task import TaskRequest
from earmark.tasks.token_classification import TokenClassification
from earmark.tokenizing.bounds import MOST_REQUEST_TOKENS
from earmark.tokenizing.tokenizer import TextTokenizer

Result = TypeVar("Result")

INLINE_CHARACTERS = 4000
"""Up to so many characters are encoded in the event loop's own thread: about half a millisecond,
less than moving the work to another thread costs under load."""
INLINE_ALIGNED_CHARACTERS = 500
"""The same for texts whose tokens are found in the text again, which takes eight times as long."""
INLINE_TOKENS = 1000
"""Up to so many labelled tokens are read in the event loop's own thread."""


class Engine:
    """A loaded model that answers requests from any number of threads and event loops.

    Attributes:
        info: facts that hold from load to close.
    """

    def __init__(
        self, info: EngineInfo, tokenizer: TextTokenizer, handle: EngineHandle, *, head: HeadKind
    ) -> None:
        """Assemble an engine; `engine.load.load_engine` does so from files.

        Args:
            info: facts about the model.
            tokenizer: its tokenizer.
            handle: runs its encodings; closed by `close`.
            head: what its logits mean.
        """
        self.info: Final = info
        self._tokenizer, self._handle = tokenizer, handle
        self._head = ModelHead(head, info.labels, tokenizer.pieces)

    def queue_state(self) -> QueueState:
        """Return the state of the engine and its queue at this moment."""
        return self._handle.state()

    def memory_bytes(self) -> int | None:
        """Return the memory that the model takes; None where that cannot be measured."""
        return self._handle.memory_bytes()

    async def answer(
        self, request: TaskRequest[Result], *, deadline_s: float | None = None
    ) -> Reply[Result]:
        """Answer a request; cancelling the call drops queued texts that have not run.

        Args:
            request: the texts and what to do with their logits.
            deadline_s: when the caller stops waiting, on `time.monotonic`.

        Returns:
            An outcome per input; one input's failure does not affect the others.

        Raises:
            InvalidInput: a text is not well-formed Unicode, or the request is malformed.
            UnsupportedTask: the model cannot do this task.
            QueueFull: too much is waiting.
            ShuttingDown: the engine is closed.
        """
        plan = await self._planned(request)
        submission = self._handle.submit(plan.accepted, deadline_s=deadline_s)
        try:
            await _done(submission, deadline_s)
            answers = submission.answers()
        except asyncio.CancelledError:
            submission.abandon()
            raise
        finally:
            submission.let_go()
        # Reading the logits of a thousand tokens takes some milliseconds, as encoding them does.
        tokens = sum(map(len, plan.accepted))
        if request.head == "token" and tokens > INLINE_TOKENS:
            return await beside(tokens, plan.reply, answers, self._head)
        return plan.reply(answers, self._head)

    async def stream(
        self, request: TokenClassification, *, deadline_s: float | None = None
    ) -> EntityStream:
        """Answer a request window by window; close the stream if it is not read to its end.

        Arguments and errors are those of `answer`. When this returns, the request is queued.
        """
        plan = await self._planned(request)
        submission = self._handle.submit(plan.accepted, deadline_s=deadline_s)
        return EntityStream(request, plan, submission, self._head, deadline_s=deadline_s)

    def answer_blocking(
        self, request: TaskRequest[Result], *, timeout_s: float | None = None
    ) -> Reply[Result]:
        """Do as `answer`, and block the calling thread.

        Args:
            request: the texts and what to do with their logits.
            timeout_s: how long to wait at most.

        Raises:
            InvalidInput: a text is not well-formed Unicode.
            QueueFull: too much is waiting.
            ShuttingDown: the engine is closed.
        """
        deadline_s = None if timeout_s is None else time.monotonic() + timeout_s
        plan = make_plan(request, self._tokenizer, self.info, self._head.kind)
        submission = self._handle.submit(plan.accepted, deadline_s=deadline_s)
        done = threading.Event()
        submission.when_done(done.set)
        try:
            if not done.wait(timeout_s):
                submission.give_up(too_late(timeout_s or 0.0))
            answers = submission.answers()
        except BaseException:  # such as KeyboardInterrupt: the caller no longer waits
            submission.abandon()
            raise
        finally:
            submission.let_go()
        return plan.reply(answers, self._head)

    def close(self) -> None:
        """Answer what waits with `ShuttingDown`, accept no more work, and free the memory."""
        self._handle.close()

    async def _planned(self, request: TaskRequest[Result]) -> Plan[Result]:
        """Encode short texts in the event loop, and long ones beside it."""
        plan = partial(
            make_plan, request, self._tokenizer, self.info, self._head.kind, MOST_REQUEST_TOKENS
        )
        aligned = request.head == "token"
        if request.characters <= (INLINE_ALIGNED_CHARACTERS if aligned else INLINE_CHARACTERS):
            return plan()
        return await beside(request.characters, plan)


async def _done(submission: Submission, deadline_s: float | None) -> None:
    """Wait until every ticket is answered, or answer the open ones at the deadline."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def wake() -> None:
        with suppress(RuntimeError):  # the caller's loop has closed, so nothing waits
            loop.call_soon_threadsafe(done.set)

    submission.when_done(wake)
    left_s = None if deadline_s is None else max(deadline_s - time.monotonic(), 0.0)
    try:
        async with asyncio.timeout(left_s):
            await done.wait()
    except TimeoutError:
        submission.give_up(too_late(left_s or 0.0))

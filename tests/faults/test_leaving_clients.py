"""Clients that leave without their answer, in waves of some hundreds, beside one that stays."""

import asyncio
import json
import socket
import struct
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from faults.figures import Figures
from faults.served import Served, assert_clean, member, neighbour, serving, until

_CLIENTS = 10_000
_WAVE = 300
_TEXTS = 4
"""In a request, so that a wave keeps the model busy for longer than its clients stay."""
_MOST_SMALL = 16
"""Texts of the largest request that counts as small: `serving.admission`."""
_STAYS_S = 0.05
_NEIGHBOUR_S = 3.0
"""The longest answer of the client that stays; the clients of a wave share the server's cores."""
_MEMORY_MB = 48.0
"""What may be left of a crowd: one wave's connections and the allocator's own."""
_ABORT = struct.pack("ii", 1, 0)
"""For SO_LINGER: the connection is reset."""

_IDLE_CORES = 0.2
"""What a server takes at most that has nothing to do."""
_STREAM: Final = "in the middle of the stream"
_BODY: Final = "in the middle of the body"
_MOMENTS: Final = (_BODY, "before the answer", _STREAM)


@dataclass(frozen=True, slots=True)
class _Crowd:
    """Clients of one kind.

    Attributes:
        served: whom they ask.
        moment: when they leave.
    """

    served: Served
    moment: str

    async def come_and_go(self, clients: int) -> int:
        """Let clients come in waves; return how many had an answer's first bytes."""
        begun = 0
        for first in range(0, clients, _WAVE):
            wave = range(first, min(first + _WAVE, clients))
            begun += sum(await asyncio.gather(*map(self._one, wave)))
            await asyncio.to_thread(self.served.health)  # the next wave comes when it is answered
        return begun

    async def _one(self, number: int) -> bool:
        reader, writer = await asyncio.open_connection(*self.served.place)
        writer.write(self._sent(number))
        await writer.drain()
        begun = False
        if self.moment == _STREAM:
            begun = bool(await reader.read(1))
        else:
            await asyncio.sleep(_STAYS_S)
        if number % 2:
            raw: socket.socket = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        return begun

    def _sent(self, number: int) -> bytes:
        if self.moment == _STREAM:
            text = f"the good film of New York {number}, " * 40
            asked: dict[str, object] = {
                "inputs": text,
                "stream": True,
                "parameters": {"stride": 8, "ignore_labels": []},
            }
            return _request("/models/tagger", asked)
        texts = [f"a good text {number} of {place}, " * 8 for place in range(_TEXTS)]
        whole = _request("/models/tiny", {"inputs": texts})
        return whole[: len(whole) // 2] if self.moment == _BODY else whole


def _request(path: str, body: object) -> bytes:
    written = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {len(written)}\r\n\r\n"
    return head.encode() + written


def test_clients_that_leave_leave_nothing_behind(
    *,
    tiny: str,
    tagger: str,
    tmp_path: Path,
    full_size: bool,
    slowness: float,
    figures: Figures,
) -> None:
    """Neighbours are answered, and permits, queue, descriptors and memory are as they were."""
    clients = (_CLIENTS if full_size else _CLIENTS // 10) // len(_MOMENTS)
    with serving("--model", tiny, "--model", tagger, folder=tmp_path) as served:
        served.ask()
        descriptors = served.descriptors()
        for moment in _MOMENTS:
            crowd = _Crowd(served, moment)
            asyncio.run(crowd.come_and_go(_WAVE))  # what the first wave makes is kept
            until(lambda: served.descriptors() <= descriptors)
            memory_mb = served.memory_mb()
            with neighbour(served) as one:
                begun_s = time.monotonic()
                answers = asyncio.run(crowd.come_and_go(clients))
                took_s = time.monotonic() - begun_s
            one.assert_unharmed(worst_s=_NEIGHBOUR_S * slowness)
            assert {state for _, state in one.states} == {"200 ready"}
            assert answers == (clients if moment == _STREAM else 0)
            gone_s = until(lambda: served.descriptors() <= descriptors)
            until(lambda: _waiting(served, "tiny") == _waiting(served, "tagger") == 0)
            # Within this time, the server gives back the memory that it keeps for a moment.
            assert served.load_over(1.5) < _IDLE_CORES
            left_mb = max(served.memory_mb() - memory_mb, 0.0)
            assert left_mb < _MEMORY_MB
            figures.add(
                f"{clients:,} clients leave {moment}, {_WAVE} at a time",
                "their work is dropped; a neighbour gets every answer; health stays true",
                f"{clients / took_s:,.0f} a second; neighbour: {len(one.took_s)} answers,"
                f" {one.usual_ms:.0f} ms, at most {one.worst_ms:,.0f} ms; left behind:"
                f" {left_mb:.0f} MB, no descriptor after {gone_s:.1f} s",
            )
        _assert_permits_are_back(served)
        assert served.server.stop() == 0
        assert_clean(served.server.events)


def _waiting(served: Served, model: str) -> object:
    queue = member(served.get(f"/models/{model}/info").body, "queue")
    return member(queue, "waiting_tokens")


def _assert_permits_are_back(served: Served) -> None:
    """Ask as much at once as may be in flight: of requests, and of texts in large ones."""
    asyncio.run(_all_at_once(served, requests=16, texts=1024))
    asyncio.run(_all_at_once(served, requests=1000, texts=_MOST_SMALL))


async def _all_at_once(served: Served, *, requests: int, texts: int) -> None:
    async def ask() -> int:
        reader, writer = await asyncio.open_connection(*served.place)
        body = {"inputs": [f"{next(served.texts)}" for _ in range(texts)]}
        writer.write(_request("/models/tiny", body))
        head = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        return int(head.split()[1])

    answers = await asyncio.gather(*(ask() for _ in range(requests)))
    assert set(answers) == {200}, answers

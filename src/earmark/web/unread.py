"""Doubts about a request, such as members that nothing reads: the server warns of them or refuses.

Every dialect warns by headers, ``x-hf-warning: topic; message``, one line each, which
`huggingface_hub` prints once per topic, and also in the body where its answers have a place.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import msgspec
from starlette.responses import Response

from earmark.domain.near_names import nearest
from earmark.errors import UnreadInput
from earmark.web.body import Misfit, decode_json, default_misfit, shown_name

MOST_DOUBTS: Final = 8
"""The most doubts of one request, so that an answer's headers stay short."""

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Doubt:
    """One thing that a caller should know.

    Attributes:
        topic: the subject, without a semicolon.
        text: printable ASCII, as a header can carry it.
    """

    topic: str
    text: str

    @property
    def header(self) -> str:
        """As a header's value."""
        return f"{self.topic}; {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Which members of an object are read.

    Attributes:
        of: the object, as the subject of a sentence, such as ``a body with `texts` ``.
        read: names of the members that are read.
        harmless: names that change no answer, such as that of a user.
        usual: values, by name, that ask only for what is done anyway.
    """

    of: str
    read: tuple[str, ...]
    harmless: frozenset[str] = frozenset()
    usual: Mapping[str, object] = field(default_factory=dict)

    def doubts(self, members: Mapping[str, object], *, place: str = "") -> Iterator[Doubt]:
        """Find the members that nothing reads.

        Args:
            members: of an object, as `members_of` or `given_members` returns them.
            place: what stands before their names in the caller's body, such as ``requests[0].``.
        """
        for name, value in members.items():
            if name in self.read or name in self.harmless or self._is_usual(name, value):
                continue
            shown = f"{place}{shown_name(name)}"
            near = nearest(name, self.read)
            hint = (
                f"did you mean `{near}`?"
                if near is not None
                else f"{self.of} holds {', '.join(self.read)}"
            )
            yield Doubt(f"body {shown}", f"`{shown}` is not read; {hint}")

    def _is_usual(self, name: str, value: object) -> bool:
        return name in self.usual and _encoder.encode(self.usual[name]) == b"".join(
            _encoder.encode(value).split()
        )


def members_of(
    body: bytes, *, misfit: Callable[[Misfit], str] = default_misfit
) -> dict[str, msgspec.Raw]:
    """Read the members of a body that are not null, which stands for absent.

    Args:
        body: JSON, as it came.
        misfit: describes what is no object in the words of a dialect.

    Raises:
        InvalidInput: it is empty, no JSON, or no object.
    """
    found = decode_json(body, _members, misfit=misfit)
    return {name: value for name, value in found.items() if bytes(value) != b"null"}


def first_doubts(doubts: Iterable[Doubt]) -> tuple[Doubt, ...]:
    """Return the first doubts, as many as an answer's headers should hold."""
    return tuple(islice(doubts, MOST_DOUBTS))


def refuse_doubts(doubts: Collection[Doubt]) -> None:
    """Refuse a request about which there are doubts.

    Raises:
        UnreadInput: there is at least one doubt.
    """
    if doubts:
        raise UnreadInput("; ".join(each.text for each in doubts))


def tell_doubts(answer: Response, doubts: Iterable[Doubt]) -> Response:
    """Add doubts to an answer's headers."""
    for doubt in doubts:
        answer.headers.append("x-hf-warning", doubt.header)
    return answer

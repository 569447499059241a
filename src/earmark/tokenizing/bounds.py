"""Limits how many tokens a model reads for one request, before windows are made.

Windows that share nearly all of their tokens turn a short text into any amount of work: with a
stride one less than a window's room, 10 KB become 2.3 million tokens. A short text may be read as
`transformers` allows; a long one may not be read many times over.
"""

from collections.abc import Sequence
from typing import Final

from earmark.domain.texts import Question
from earmark.errors import InvalidInput

MOST_REQUEST_TOKENS: Final = 1 << 19
"""Tokens that the model reads for one request: 1,024 texts of 512, minutes of work."""
MOST_TIMES_READ: Final = 4
"""How often each token may be read on average, in windows that share tokens."""
ALWAYS_READ: Final = 8192
"""This many tokens are always allowed: a second or two of work for two cores."""


def windows_of(tokens: int, room: int, stride: int) -> int:
    """Return the number of windows of a text; neighbours share `stride` tokens."""
    return 1 if tokens <= room else 1 + -(-(tokens - room) // (room - stride))


def check_windows(lengths: Sequence[int], room: int, stride: int) -> int:
    """Raise an error if windows would make the model read texts many times over.

    Args:
        lengths: tokens of each text.
        room: tokens of a text that one window holds.
        stride: tokens that neighbours share.

    Returns:
        The number of tokens of all windows, or a few more.

    Raises:
        InvalidInput: they have too many tokens, or `stride` leaves a window no token of its own.
    """
    if stride >= room:
        raise InvalidInput(
            f"`stride` is {stride}, but a window of this model has room for "
            f"{room} tokens beside its special ones; expected less"
        )
    windows = sum(windows_of(length, room, stride) for length in lengths)
    read = sum(
        min(length, room) + (windows_of(length, room, stride) - 1) * room for length in lengths
    )
    own = sum(lengths)
    allowed = max(MOST_TIMES_READ * own, ALWAYS_READ)
    if read > allowed:
        raise InvalidInput(
            f"`stride` {stride} makes {windows:,} windows, {read:,} tokens, of texts of {own:,}"
            f" tokens; at most {allowed:,} are read; choose a smaller stride:"
            f" {room // 2} always does"
        )
    return read


def check_tokens(
    lengths: Sequence[tuple[Question, int]], max_tokens: int, room: int, most: int | None
) -> None:
    """Raise an error if the model would read too many tokens for a request.

    Args:
        lengths: the questions, and the tokens of their texts.
        max_tokens: longest encoding, special tokens included.
        room: tokens of a text that one window holds.
        most: limit of the tokens of all encodings; None for any number.

    Raises:
        InvalidInput: there are more tokens than allowed, or windows are refused.
    """
    read = 0
    windowed: dict[int, list[int]] = {}
    for question, length in lengths:
        if question.cut == "windows":
            windowed.setdefault(question.stride, []).append(length)
        else:
            read += min(length, max_tokens)
    read += sum(check_windows(found, room, stride) for stride, found in windowed.items())
    if most is not None and read > most:
        raise InvalidInput(
            f"the model would read {read:,} tokens for this request, windows counted; at most"
            f" {most:,} are accepted; send it in several requests"
        )

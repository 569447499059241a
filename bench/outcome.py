"""What a round is, and how it went: said between processes, one line of JSON each."""

import msgspec


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One round.

    Attributes:
        texts: name of the set to use.
        first: which of its texts comes first.
        callers: how many ask at once, each with one text at a time.
        seconds: for how long they go on asking; what is in flight then is still answered, and
            its time counted.
    """

    texts: str
    first: int
    callers: int
    seconds: float


class ServerQuestion(Question, frozen=True, kw_only=True):
    """One round against a server.

    Attributes:
        port: of the server, on this machine.
        labels: how many an answer has to hold.
    """

    port: int
    labels: int


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a round went.

    Attributes:
        seconds: from the first request to the last answer.
        latencies_ms: of each good answer.
        tokens: in the texts of the good answers.
        failures: requests that got a wrong answer, or none.
        first_failure: what was wrong with the first of them.
        generator_cpu_s: processor time that the load generator took.
    """

    seconds: float
    latencies_ms: list[float]
    tokens: int
    failures: int = 0
    first_failure: str | None = None
    generator_cpu_s: float = 0.0

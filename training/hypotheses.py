"""Labelled texts recast as pairs: "This text is about {label}." is entailed, or is not."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from training.data import read_rows
from training.pairs import LABELS, Pair

ENTAILMENT = LABELS.index("entailment")
CONTRADICTION = LABELS.index("contradiction")

ABOUT = (
    "This text is about {}.",
    "This text is about {}.",
    "This example is {}.",
    "This example is {}.",
    "This example is {}.",
    "This example is about {}.",
    "The topic of this text is {}.",
    "It is about {}.",
)
"""The template that most clients send by default ("This example is {}.") is among them, and the
two that matter most come more than once, which raises their chance."""

_SCENARIOS = {
    "alarm": "alarms",
    "audio": "the volume of the sound",
    "calendar": "the calendar",
    "cooking": "cooking",
    "datetime": "the date and the time",
    "email": "email",
    "iot": "devices in the home",
    "lists": "lists",
    "music": "music",
    "news": "the news",
    "play": "playing something",
    "qa": "a question of knowledge",
    "recommendation": "recommendations",
    "social": "social media",
    "takeaway": "ordering food",
    "transport": "transport",
    "weather": "the weather",
}
_COMMANDS = {
    "AddToPlaylist": "adding music to a playlist",
    "BookRestaurant": "booking a restaurant",
    "GetWeather": "the weather",
    "PlayMusic": "playing music",
    "RateBook": "rating a book",
    "SearchCreativeWork": "finding a book, a song or a game",
    "SearchScreeningEvent": "finding out when a film is shown",
}
_FIELDS = {
    "ai": "artificial intelligence",
    "literature": "literature",
    "music": "music",
    "politics": "politics",
    "science": "science",
}
_VAGUE_DOMAINS = frozenset({"meta", "utility", "small_talk"})
"""Domains of CLINC150 that group what has no topic in common."""
_OUT_OF_SCOPE = "oos"


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text and what it is about, in words."""

    text: str
    label: str


def recast(
    texts: Sequence[LabelledText],
    *,
    source: str,
    wrong: int,
    templates: Sequence[str],
    draw: random.Random,
) -> list[Pair]:
    """Make one entailed pair of each text, and `wrong` contradicted ones.

    A wrong label is the label of another text, so that each label is right as often as its share
    of the wrong ones says, and the label alone tells nothing. The pairs of a text share their
    template, so that the template tells nothing either.
    """
    pairs = []
    for item in texts:
        template = draw.choice(templates)
        claims = [(item.label, ENTAILMENT)]
        refused = {item.label}
        for _ in range(wrong):
            other = _other_label(texts, refused, draw)
            refused.add(other)
            claims.append((other, CONTRADICTION))
        pairs += [
            Pair(item.text, template.replace("{}", label), answer, source)
            for label, answer in claims
        ]
    return pairs


def _other_label(texts: Sequence[LabelledText], refused: set[str], draw: random.Random) -> str:
    while (label := draw.choice(texts).label) in refused:
        pass
    return label


def read_banking(data: Path) -> list[LabelledText]:
    """Read Banking77's training part: questions to a bank, 77 intents."""
    return _read(data / "banking77/train.jsonl.gz", lambda row: _words(row["label"]))


def read_clinc(data: Path) -> list[LabelledText]:
    """Read CLINC150's training part with its 150 intents; what is out of scope has none."""

    def intent(row: Mapping[str, str]) -> str | None:
        return None if row["label"] == _OUT_OF_SCOPE else _words(row["label"])

    return _read(data / "clinc150/train.jsonl.gz", intent)


def read_clinc_domains(data: Path) -> list[LabelledText]:
    """Read CLINC150's training part with its domains.

    Apart from its intents: of "transfer" and "banking", neither makes the other wrong.
    """

    def domain(row: Mapping[str, str]) -> str | None:
        known = row["label"] != _OUT_OF_SCOPE and row["domain"] not in _VAGUE_DOMAINS
        return _words(row["domain"]) if known else None

    return _read(data / "clinc150/train.jsonl.gz", domain)


def read_hwu(data: Path) -> list[LabelledText]:
    """Read HWU64's training part with its scenarios, but for those that have no topic."""
    return _read(
        data / "hwu64/train.jsonl.gz", lambda row: _SCENARIOS.get(row["label"].partition("_")[0])
    )


def read_snips(data: Path) -> list[LabelledText]:
    """Read the SNIPS training part: commands of seven kinds."""
    return _read(data / "snips/train.jsonl.gz", lambda row: _COMMANDS[row["label"]])


def read_crossner(data: Path) -> list[LabelledText]:
    """Read CrossNER, not for its names: sentences from Wikipedia's articles on five fields."""
    rows = read_rows(data / "ner_crossner/all.jsonl.gz", fields=("tokens", "domain"))
    return [LabelledText(" ".join(row["tokens"]), _FIELDS[row["domain"]]) for row in rows]


TOPIC_SETS: dict[str, Callable[[Path], list[LabelledText]]] = {
    "banking77": read_banking,
    "clinc150": read_clinc,
    "clinc150_domains": read_clinc_domains,
    "hwu64": read_hwu,
    "snips": read_snips,
    "crossner": read_crossner,
}


def _read(path: Path, label: Callable[[Mapping[str, str]], str | None]) -> list[LabelledText]:
    rows = read_rows(path, fields=("text", "label"))
    return [LabelledText(row["text"], words) for row in rows if (words := label(row))]


def _words(name: str) -> str:
    return name.replace("_", " ").strip()

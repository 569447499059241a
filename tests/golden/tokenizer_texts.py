"""Two thousand texts that tokenizers are wrong about, if they are wrong about anything."""

# ruff: noqa: RUF001, S311 - letters of many scripts; chance here is no secret
import random
from collections.abc import Iterator
from itertools import islice

from golden.case import Text
from support.vocabulary import ENDINGS, WORDS

TIED = (
    "\ufee0\uff50\ufe19\ufe7e\ufea7\ufe04\uffaa\uff0e\ufe5f\ufe67\ufe8c\ufe80\uff51\ufe1b\uffbf\ufe88"
    "\ufeea\ufe92\ufe41\uffc8\uff63\uff34\uff91"
)
"""One of the texts. SentencePiece cuts three dots into `..` and `.`, the library into `.` and `..`:
the two score the same, and SentencePiece rounds its sums to 32 bits."""
UNUSED_NAMES = "<s>NOTUSED <unk>NOTUSED </s>NOTUSED"
"""Another, of names that CamemBERT's class in Python looks for in texts and no text holds."""

DECOMPOSED_HANGUL = "\u1100\u1161\u11a8 \uac01 \u1112\u1161\u11ab"
"""A third, which is composed before a BERT that keeps accents sees it."""

HOW_MANY = 2000
SEED = 2000

KNOWN: tuple[Text, ...] = (
    "I love this film, and the story is really great!",
    "Café crème à la Zürich; cafe\u0301 u\u0308ber, ﬁne ﬂag, Ａ１，½ ™",
    "  two  spaces\tand a tab\r\nand a line \n\n end  ",
    "a<s>b </s> <mask>c<mask> d [MASK] [SEP]x [UNK] <unk> <pad>[PAD]",
    "这部电影很好看 and not 悪い、カフェ ｶﾌｪ 한국어 한국어",
    "great 🙂 movie 🎬 👩\u200d👩\u200d👧 🏳️\u200d🌈 ❤️",
    ("What is good?", "The film is good."),
    ("", "an empty first half"),
    ("an empty second half", ""),
    ("Où est 电影? ", "  🙂 HERE"),
    "",
    " ",
    "   ",
    "\n",
    "\t\t",
    "\u3000",
    "\u00a0\u2003\u2028\u2029\u0085",
    "\u200b\u200c\u200d\ufeff",
    "\x00",
    "a\x00b\x07c\x1bd\x7fe\x80f\x9fg",
    "\ufffd\ufffe\uffff",
    "\U0010ffff\U000f0000\ue000",
    "\u2581",
    "\u2581\u2581a\u2581 \u2581b",
    "a \u2581b\u2581",
    "\u0120a \u0120b\u010a",
    "##a ##ing a##b",
    "``quoted'' `` '' ' ` \"",
    "don't can't we'll I'm they've it's he'd DON'T CAN'T 'S 'd",
    "1,000,000.00 3,14 9, 12,a ,5 5,",
    "İstanbul ışık ǅ ß ẞ ſ ŉ Ǆ ΐ Σίσυφος ΣΑΣ",
    "ﷺ ﷽ ㍿ ㌖ ℀ ⑳ Ⅷ ² ₂ ª º µ Å K Ω",
    "a\u0300\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308 \u0301alone \u0327",
    DECOMPOSED_HANGUL,
    "क्षि ज़ \u0958 \u0928\u093c",
    "שָׁלוֹם \ufb2a \u202ertl\u202c العَرَبِيَّة \u0640",
    "e\u0323\u0307 \u1e69 s\u0323\u0307 s\u0307\u0323",
    "x" * 99 + " " + "x" * 100 + " " + "x" * 101,
    "ab" * 300,
    "\u0301" * 60,
    " a" * 120,
    "🙂" * 40,
    "<s>",
    "</s></s>",
    "<s> </s>",
    " <mask> ",
    "x <mask>, y<mask>",
    "<mask",
    "<MASK> <S> [mask] [Cls]",
    UNUSED_NAMES,
    "[CLS][SEP][CLS]",
    "[ENT] covid19 COVID19 covid19s <ent> a<ent>b  <ent>  c",
    "new_word newword new_words  new_word",
    "https://example.org/a?b=c&d=%20#e @user #tag $5 50% a/b\\c <b>x</b>",
    "a\u00adb soft\u00adhyphen no\u2011break em\u2014dash \u2026 \u00b7",
    "tab\there\vvertical\fform",
    "(a)[b]{c}<d>«e»„f“‚g‘",
    "a.b.c...d…e!!??!?",
    "-–—−‐ _ ~ ^ | ¦",
    ("<s>", "</s>"),
    ("a", "b" * 150),
    (" leading", "trailing "),
    ("\u3000", "\u200b"),
    ("", ""),
    (" ", " "),
)
"""Each with something that one kind of tokenizer treats in its own way."""

RANGES = (
    (0x20, 0x7F),
    (0x20, 0x7F),
    (0x00, 0x20),
    (0x7F, 0x250),
    (0x250, 0x370),
    (0x370, 0x530),
    (0x590, 0x700),
    (0x900, 0xE00),
    (0x1100, 0x1200),
    (0x1E00, 0x2000),
    (0x2000, 0x2070),
    (0x2070, 0x2400),
    (0x2580, 0x2600),
    (0x3000, 0x3100),
    (0x3300, 0x3400),
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7A4),
    (0xE000, 0xE100),
    (0xF900, 0xFB50),
    (0xFB50, 0xFE00),
    (0xFE00, 0xFFFF),
    (0x10000, 0x10400),
    (0x1D400, 0x1D800),
    (0x1F000, 0x1FB00),
    (0x20000, 0x2A6DF),
    (0xE0000, 0xE0200),
    (0x10FFF0, 0x10FFFF),
)
"""First and last-plus-one code points; surrogates are left out, they are no characters."""
SPACES = " \t\n\r\v\f\u0085\u00a0\u1680\u2000\u2009\u2028\u202f\u205f\u3000\u200b\ufeff"
SPELT = (
    "<s>",
    "</s>",
    "<unk>",
    "<pad>",
    "<mask>",
    "[CLS]",
    "[SEP]",
    "[UNK]",
    "[PAD]",
    "[MASK]",
    "[ENT]",
    "covid19",
    "<ent>",
    "new_word",
    "\u2581",
    "\u0120",
    "##",
    "``",
    "''",
)


def _texts() -> Iterator[str]:
    """Make texts without end: noise, words with noise among them, tokens spelt out."""
    chosen = random.Random(SEED)

    def character() -> str:
        return chr(chosen.randrange(*chosen.choice(RANGES)))

    def word() -> str:
        made = chosen.choice(WORDS) + chosen.choice(("", "", chosen.choice(ENDINGS)))
        return chosen.choice((made, made, made.upper(), made.capitalize()))

    while True:
        yield "".join(character() for _ in range(chosen.randrange(1, 24)))
        few = chosen.choice(RANGES)
        yield "".join(chr(chosen.randrange(*few)) for _ in range(chosen.randrange(1, 40)))
        parts = []
        for _ in range(chosen.randrange(1, 20)):
            parts.append(chosen.choice((word, word, word, character))())
            parts.append(chosen.choice((" ", " ", "", chosen.choice(SPACES), ", ", "  ")))
        yield "".join(parts)
        spelt = (chosen.choice((chosen.choice(SPELT), word(), " ", "")) for _ in range(8))
        yield "".join(spelt)


def _hostile() -> Iterator[Text]:
    """Take the known ones, then those that chance makes; every fifth of these is a pair."""
    yield from KNOWN
    texts = _texts()
    for number, text in enumerate(texts):
        yield (text, next(texts)) if number % 5 == 0 else text


HOSTILE: tuple[Text, ...] = tuple(islice(_hostile(), HOW_MANY))
"""The same in every process: seeded."""

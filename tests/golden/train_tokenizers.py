"""Trains the small vocabularies that the tokenizer cases are built from.

    PYTHONPATH=tests python -m golden.train_tokenizers      writes tokenizers/trained/*

They are kept: another version of a trainer would give other ones, and every answer would change.
Run with the extra `reference` installed.
"""

# ruff: noqa: RUF001, S311 - letters of many scripts; chance here is no secret
import io
import random

import sentencepiece
from golden.tokenizer_cases import TRAINED
from support.vocabulary import ENDINGS, WORDS
from tokenizers import Tokenizer
from tokenizers.models import BPE, WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer, ByteLevel
from tokenizers.trainers import BpeTrainer, WordPieceTrainer

SENTENCES = (
    "The film is long, but the story and the music are really great; I would see it again.",
    "It wasn't what we'd hoped for: $12.50 (or £9,99) for that?! Never again... \"awful\" service.",
    "Le café était fermé, l'été dernier; où est passée la crème brûlée de ma grand-mère ?",
    "Das größte Haus der Straße gehört meinem Onkel, der übermorgen nach Österreich fährt.",
    "El niño comió piñas en la mañana, ¿verdad? ¡Qué lástima, señora Muñoz!",
    "O coração não é tão simples; amanhã irei à praça com minha irmã e meu irmão.",
    "Быстрая коричневая лиса перепрыгивает через ленивую собаку, а потом идёт домой.",
    "Το γρήγορο καφέ αλεπού πηδάει πάνω από το τεμπέλικο σκυλί και γυρίζει στο σπίτι.",
    "这部电影很好看，我们都非常喜欢。服务一般，但是食物很好吃！",
    "この映画はとても面白かったです。カフェで友達と話しました。ありがとうございます。",
    "이 영화는 정말 재미있었어요. 우리는 내일 다시 볼 거예요.",
    "هذا الفيلم جميل جدا، وقد أعجبنا كثيرا. شكرا لكم.",
    "यह फिल्म बहुत अच्छी थी और हमें बहुत पसंद आई।",
    "Phim này rất hay và tôi sẽ xem lại vào ngày mai. Cảm ơn bạn rất nhiều!",
    "Bu film çok güzeldi; İstanbul'da yağmur yağıyordu ve ışıklar sönüktü.",
    "🙂 😀 ❤️ 👍 e-mail: someone@example.org, https://example.org/a?b=c#d 2024-01-31 10:45",
)
SALADS = 800
SEED = 5
WORD_PIECES = 700
BYTE_PAIRS = 700
UNIGRAMS = 460
BERT_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
FAIRSEQ_TOKENS = ["<s>", "<pad>", "</s>", "<unk>"]


def corpus() -> list[str]:
    """Make the text: each sentence often, and words beside words that they never stood by."""
    chosen = random.Random(SEED)
    words = [word for sentence in SENTENCES for word in sentence.split()] + [*WORDS]
    made = []
    for _ in range(SALADS):
        picked = [chosen.choice(words) for _ in range(chosen.randrange(3, 14))]
        picked.append(chosen.choice(WORDS) + chosen.choice(ENDINGS))
        made.append(" ".join(picked))
    return [*SENTENCES * 10, *made]


def main() -> None:
    """Train all, and write them."""
    TRAINED.mkdir(parents=True, exist_ok=True)
    text = corpus()
    pieces = Tokenizer(WordPiece(unk_token="[UNK]"))  # noqa: S106 - no password
    pieces.normalizer = BertNormalizer(lowercase=False)
    pieces.pre_tokenizer = BertPreTokenizer()
    pieces.train_from_iterator(
        text,
        WordPieceTrainer(vocab_size=WORD_PIECES, special_tokens=BERT_TOKENS, show_progress=False),
    )
    pieces.model.save(str(TRAINED))
    pairs = Tokenizer(BPE())
    pairs.pre_tokenizer = ByteLevel(add_prefix_space=False)
    alphabet = ByteLevel.alphabet()
    pairs.train_from_iterator(
        text,
        BpeTrainer(
            vocab_size=BYTE_PAIRS,
            special_tokens=FAIRSEQ_TOKENS,
            initial_alphabet=alphabet,
            show_progress=False,
        ),
    )
    pairs.model.save(str(TRAINED))
    _sentencepiece(text, "unigram", UNIGRAMS, "nmt_nfkc")
    # Without a table of its own, which is a quarter of a megabyte; cases give it the other's.
    _sentencepiece(text, "bpe", BYTE_PAIRS, "identity")


def _sentencepiece(text: list[str], kind: str, size: int, rule: str) -> None:
    written = io.BytesIO()  # a model that is written to a file keeps that file's path
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(text),
        model_writer=written,
        vocab_size=size,
        model_type=kind,
        character_coverage=0.99,
        normalization_rule_name=rule,
        num_threads=1,
        minloglevel=2,
    )
    (TRAINED / f"{kind}.model").write_bytes(written.getvalue())


if __name__ == "__main__":
    main()

"""What people run today: a `transformers` pipeline behind a plain FastAPI handler.

Nothing is tuned, nothing is held back: torch takes as many threads as it likes, FastAPI runs the
handler in its thread pool, and uvicorn finds uvloop and httptools installed and uses them.

Run it with ``python -m bench.baseline FOLDER PORT``.
"""

import argparse
from dataclasses import dataclass

import uvicorn
from fastapi import FastAPI
from transformers import pipeline


@dataclass(frozen=True)
class Asked:
    """The body of a request.

    Attributes:
        inputs: the text.
    """

    inputs: str


def make_app(folder: str) -> FastAPI:
    """Put a checkpoint behind ``POST /``."""
    pipe = pipeline("text-classification", model=folder, device="cpu")
    app = FastAPI()

    def classify(asked: Asked) -> list[dict[str, str | float]]:
        answer: list[dict[str, str | float]] = pipe(asked.inputs, top_k=None, truncation=True)
        return answer

    app.post("/")(classify)
    return app


def main() -> None:
    """Serve until a signal comes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("port", type=int)
    arguments = parser.parse_args()
    uvicorn.run(make_app(arguments.folder), host="127.0.0.1", port=arguments.port)


if __name__ == "__main__":
    main()

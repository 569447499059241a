"""The clients that are run, a row each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Platform = Literal["python", "node", "bun", "deno", "curl"]

_LANGUAGES: Mapping[Platform, str] = {
    "python": "Python",
    "node": "JavaScript",
    "bun": "JavaScript in Bun",
    "deno": "JavaScript in Deno",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A client in one version, in an environment of its own.

    Attributes:
        package: as its registry has it.
        version: exactly; the newest is raised by hand, so that a failure is a change of ours. None
            for a program that is not installed by us, but found.
        platform: what runs it, and what installs it.
        script: in `calls/`; what is asked of the client.
        also: further packages, which the client needs for part of what it does.
        optional: whether the run goes on without it where it cannot be installed, as on a machine
            that its binaries are not built for.
    """

    package: str
    version: str | None
    platform: Platform
    script: str
    also: tuple[str, ...] = ()
    optional: bool = False

    @property
    def name(self) -> str:
        """What people know it by."""
        if self.version is None:
            return self.package
        return f"{self.package} {self.version} ({_LANGUAGES[self.platform]})"

    @property
    def folder(self) -> str:
        """The name of its environment's folder; packages of two platforms may share a name."""
        package = self.package.removeprefix("@").replace("/", "-")
        return package if self.version is None else f"{self.platform}-{package}-{self.version}"

    @property
    def requirements(self) -> tuple[str, ...]:
        """What its platform's installer is asked for."""
        if self.version is None:
            return ()
        pin = "==" if self.platform == "python" else "@"
        return (f"{self.package}{pin}{self.version}", *self.also)


def _hub(version: str, *also: str) -> Client:
    return Client(
        package="huggingface_hub",
        version=version,
        platform="python",
        script="huggingface_hub_calls.py",
        also=also,
    )


def _inference(version: str, platform: Platform = "node", *also: str) -> Client:
    return Client(
        package="@huggingface/inference",
        version=version,
        platform=platform,
        script="huggingface_inference_calls.mjs",
        also=also,
        optional=platform != "node",
    )


def _cloudflare(version: str, platform: Platform) -> Client:
    script = {"python": "cloudflare_calls.py", "node": "cloudflare_calls.mjs"}[platform]
    return Client(package="cloudflare", version=version, platform=platform, script=script)


def _documented(version: str) -> Client:
    script = "cloudflare_ai_calls.mjs"
    return Client(package="@cloudflare/ai", version=version, platform="node", script=script)


# Each version under a name of its own, since an environment holds one package of a name.
_GENERATIONS = tuple(
    f"ai-{version}@npm:@cloudflare/ai@{version}"
    for version in ("1.2.2", "1.1.0", "1.0.53", "1.0.35")
)
_UNDECLARED = ("mustache@4.2.0", "base64-js@1.5.1")  # which 1.2.2 imports and does not declare


def _wrangler(version: str, *also: str) -> Client:
    return Client(
        package="wrangler",
        version=version,
        platform="node",
        script="wrangler_calls.mjs",
        also=(*_GENERATIONS, *_UNDECLARED, *also),
        optional=True,
    )


def _rerank(package: str, version: str, script: str, *also: str) -> Client:
    return Client(package=package, version=version, platform="python", script=script, also=also)


CLIENTS = (
    _hub("2.4.0"),
    _hub("0.36.2", "aiohttp"),  # what their `AsyncInferenceClient` speaks through
    _hub("0.23.5", "aiohttp"),
    _inference("4.13.30"),
    _inference("3.15.0"),
    _inference("2.8.1"),
    _inference("2.8.1", "bun", "bun@1.4.5"),
    _inference("2.8.1", "deno", "deno@2.9.6"),
    _cloudflare("5.9.0", "python"),
    _cloudflare("4.3.1", "python"),
    _cloudflare("7.3.0", "node"),
    _cloudflare("5.2.0", "node"),
    Client(
        package="workers-ai-provider",
        version="4.0.0",
        platform="node",
        script="workers_ai_provider_calls.mjs",
        also=("ai@7.0.173",),  # the program that it is a provider for
    ),
    _documented("1.0.53"),
    _documented("1.1.0"),
    _wrangler("3.114.17"),
    _wrangler(
        "4.164.0",
        "node@22.23.3",  # which it demands
        "@huggingface/inference@2.8.1",  # for a Worker
    ),
    _rerank("cohere", "5.21.1", "cohere_calls.py"),
    _rerank("langchain-cohere", "0.6.0", "langchain_cohere_calls.py"),
    _rerank("litellm", "1.83.0", "litellm_calls.py"),
    _rerank(
        "infinity_client",
        "0.0.78",
        "infinity_calls.py",
        # Two that ask through it.
        "agno==2.9.0",  # later ones and the client demand different releases of httpx
        "langchain-community==0.4.2",
    ),
    _rerank(
        "llama-index-postprocessor-tei-rerank",
        "0.6.0",
        "llama_index_calls.py",
        "llama-index-postprocessor-cohere-rerank==0.10.0",
    ),
    _rerank(
        "huggingface-api-haystack",
        "3.1.0",
        "haystack_calls.py",
        "haystack-ai==3.4.1",
        "jina-haystack==2.0.1",
    ),
    Client(
        package="cohere-ai",
        version="8.1.0",
        platform="node",
        script="cohere_calls.mjs",
        also=("@ai-sdk/cohere@3.0.63", "ai@6.0.326"),
    ),
    Client(package="curl", version=None, platform="curl", script="curl_calls.py"),
)

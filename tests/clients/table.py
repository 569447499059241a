"""The clients that are run, a row each."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["CLIENTS", "Client", "Platform"]

Platform = Literal["python", "node"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A client in one version, in an environment of its own.

    Attributes:
        package: as its registry has it.
        version: exactly; the newest is raised by hand, so that a failure is a change of ours.
        platform: what runs it, and what installs it.
        script: in `calls/`; what is asked of the client.
        also: further packages, which the client needs for part of what it does.
    """

    package: str
    version: str
    platform: Platform
    script: str
    also: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What people know it by."""
        return f"{self.package} {self.version}"

    @property
    def folder(self) -> str:
        """The name of its environment's folder."""
        return f"{self.package.removeprefix('@').replace('/', '-')}-{self.version}"

    @property
    def requirements(self) -> tuple[str, ...]:
        """What its platform's installer is asked for."""
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


def _inference(version: str) -> Client:
    return Client(
        package="@huggingface/inference",
        version=version,
        platform="node",
        script="huggingface_inference_calls.mjs",
    )


CLIENTS = (
    _hub("2.4.0"),
    _hub("0.36.2", "aiohttp"),  # what their `AsyncInferenceClient` speaks through
    _hub("0.23.5", "aiohttp"),
    _inference("4.13.30"),
    _inference("3.15.0"),
    _inference("2.8.1"),
)

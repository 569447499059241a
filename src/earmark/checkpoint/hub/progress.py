"""Who is told how far a download is."""

from typing import Protocol

__all__ = ["HubProgress", "SilentProgress"]


class HubProgress(Protocol):
    """Follows the files of one model on their way, from one thread."""

    def begin(self, model: str, *, total_bytes: int, there_bytes: int) -> None:
        """Hear what is to come.

        Args:
            model: as a person would name it.
            total_bytes: of all its files.
            there_bytes: of them, what earlier downloads left.
        """
        ...

    def advance(self, more_bytes: int) -> None:
        """Hear of bytes that have come; of less than none where some must be fetched anew."""
        ...

    def finish(self) -> None:
        """Hear that all is there, or that it broke off."""
        ...


class SilentProgress:
    """Tells nobody."""

    def begin(self, model: str, *, total_bytes: int, there_bytes: int) -> None:
        """Do nothing."""

    def advance(self, more_bytes: int) -> None:
        """Do nothing."""

    def finish(self) -> None:
        """Do nothing."""

"""Reports the progress of a download."""

from typing import Protocol


class HubProgress(Protocol):
    """Receives the progress of the download of one model, from one thread."""

    def begin(self, model: str, *, total_bytes: int, there_bytes: int) -> None:
        """Begin a download.

        Args:
            model: its name, for messages.
            total_bytes: size of all its files.
            there_bytes: how much of that earlier downloads left.
        """
        ...

    def advance(self, more_bytes: int) -> None:
        """Add bytes that have arrived; negative if some must be fetched again."""
        ...

    def finish(self) -> None:
        """End a download, complete or not."""
        ...


class SilentProgress:
    """Reports nothing."""

    def begin(self, model: str, *, total_bytes: int, there_bytes: int) -> None:
        """Do nothing."""

    def advance(self, more_bytes: int) -> None:
        """Do nothing."""

    def finish(self) -> None:
        """Do nothing."""

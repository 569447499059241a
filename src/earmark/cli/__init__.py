"""The command line: `earmark serve`, `classify`, `models`, `pull`, `keys`.

Owns what a person at a terminal sees. What the commands do stands below this floor.
"""

from earmark.cli.app import main

__all__ = ["main"]

"""Which served model a name means: an id, an alias, a part of an address, or no name at all."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from earmark.domain.near_names import nearest_model
from earmark.errors import UnknownModel

_MOST_IDS_NAMED: Final = 10
"""An error names no more served ids than this: it is read by people."""

_LONGEST_ID_SHOWN: Final = 100
"""An error repeats no more of an unknown id than this: an address may hold kilobytes."""


class Names:
    """Names for models, and the errors for names that mean none."""

    def __init__(
        self,
        named: Sequence[str],
        aliases: Mapping[str, str],
        *,
        serves: Callable[[str], bool],
        at_hand: Callable[[str], bool],
        others: bool,
    ) -> None:
        """Take the names.

        Args:
            named: ids of the models that the operator named; the only one of them needs no name
                in a request.
            aliases: ids by other names; a model of the same name comes first, and a name whose
                model is not served means nothing.
            serves: returns whether a model of this very id is served.
            at_hand: returns the same without asking what was found on the Hub.
            others: whether models are served besides those named.
        """
        self._named = tuple(named)
        self._aliases = dict(aliases)
        self._aliases_of: dict[str, tuple[str, ...]] = {}
        for alias, meant in aliases.items():
            self._aliases_of[meant] = (*self._aliases_of.get(meant, ()), alias)
        self._serves, self._at_hand = serves, at_hand
        self._others = others

    def knows(self, name: str) -> bool:
        """Return whether an id or alias means a model that is served."""
        return self._serves(name) or self._serves(self.aliased(name))

    def at_hand(self, name: str) -> bool:
        """Return whether an id or alias means a model that is served without asking the Hub."""
        return self._at_hand(name) or self._at_hand(self.aliased(name))

    def aliased(self, name: str) -> str:
        """Return the id that an alias stands for; nothing where it is no alias."""
        return self._aliases.get(name, "")

    def aliases_of(self, model_id: str) -> tuple[str, ...]:
        """List the aliases of a model."""
        return self._aliases_of.get(model_id, ())

    def resolve(self, name: str | None) -> str:
        """Return the id of the served model that a name means; None means the only one named.

        Raises:
            UnknownModel: no such id or alias, or None where several models are named.
        """
        if name is None:
            return self._only()
        if self._serves(name):
            return name
        meant = self.aliased(name)
        if not meant or not self._serves(meant):
            raise self.unknown(name)
        return meant

    def split(self, path: str, *, actions: frozenset[str]) -> tuple[str, str]:
        """Split an address into the id of a model and what is wanted of the model.

        ``foo/info`` is the model of that name where there is one, and otherwise the model ``foo``
        with the action ``info``: the longest known id comes first.

        Args:
            path: what follows ``/models/`` in an address, such as ``org/name/info``.
            actions: last segments that are not part of an id.

        Returns:
            The id and the action, which is empty when the path is an id alone.

        Raises:
            UnknownModel: neither reading gives an id that is served.
        """
        if self.knows(path):
            return self.resolve(path), ""
        head, _, tail = path.rpartition("/")
        if not head or tail not in actions:
            raise self.unknown(path)
        return self.resolve(head), tail

    def near(self, name: str, ids: Sequence[str]) -> str | None:
        """Return the one of these ids, or the alias, that was probably meant."""
        aliases = (alias for alias in self._aliases if self.at_hand(alias))
        return nearest_model(name, (*ids, *aliases))

    def unknown(self, name: str, near: str | None = None) -> UnknownModel:
        """Return the error for a name that means no served model."""
        meant = self.aliased(name)
        near = near or (None if meant else self.near(name, self._named))
        stands = f"it stands for {meant}, which is not served here; " if meant else ""
        slip = f"did you mean {near}? " if near else ""
        # The Hub's own words come first: callers match on them.
        return UnknownModel(f"Model {shown(name)} does not exist; {stands}{slip}{self.served()}")

    def served(self) -> str:
        """Return which models are served, in words."""
        # Not what a folder holds: a client that guesses ids must not keep the server reading it.
        more = len(self._named) - _MOST_IDS_NAMED
        named = ", ".join(self._named[:_MOST_IDS_NAMED])
        others = ", others on demand" if self._others else ""
        return f"served here: {named}{f' and {more} more' if more > 0 else ''}{others}"

    def _only(self) -> str:
        if len(self._named) > 1:
            raise UnknownModel(
                f"{len(self._named)} models are served here, so the address has to name one, as"
                f" /models/{{id}}; {self.served()}"
            )
        return self._named[0]


def shown(name: str) -> str:
    """Return as much of a name as an error repeats."""
    return name[:_LONGEST_ID_SHOWN] + "..." * (len(name) > _LONGEST_ID_SHOWN)

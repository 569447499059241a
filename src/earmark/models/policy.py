"""Whether a request may have a model of the Hub fetched, at this moment."""

from collections.abc import Callable

from earmark.models.hub_rule import ANY, DENY, HubRule

__all__ = ["HubPolicy"]


class HubPolicy:
    """The operator's rule; where he set none, one that follows from who can reach the server.

    Without a rule any model is fetched for whoever works on this machine, as long as nobody else
    can reach the server and no access key was ever created. What a page of another site makes a
    browser ask does not count as that: see `refusal`.
    """

    def __init__(
        self, rule: HubRule | None, *, demands_key: Callable[[], bool], loopback: bool
    ) -> None:
        """Decide by a rule.

        Args:
            rule: the operator's; None where he set none.
            demands_key: says whether a key is demanded, also one that is created later.
            loopback: whether only this machine can reach the server.
        """
        self._rule = rule
        self._demands_key = demands_key
        self._loopback = loopback

    @property
    def rule(self) -> HubRule:
        """The rule that holds at this moment.

        Raises:
            StateUnavailable: the access keys cannot be read.
        """
        if self._rule is not None:
            return self._rule
        return ANY if self._loopback and not self._demands_key() else DENY

    def refusal(self, model_id: str, *, here: bool) -> str | None:
        """Say why a model may not be fetched; None where it may.

        Args:
            model_id: an id of the Hub.
            here: whether the request is surely that of a program on this machine, or of the
                server's own page. It counts only where the operator set no rule.

        Raises:
            StateUnavailable: the access keys cannot be read.
        """
        rule = self.rule
        if not rule.allows(model_id):
            return f"hub_models is {rule}"
        if self._rule is None and not here:
            return "a page of another site, or another machine's name for this one, asks for it"
        return None

"""How signals end a server."""

import signal

import pytest

from earmark.cli.signals import StopSignals, stop_signals


def test_a_signal_before_the_server_runs_ends_the_program_well() -> None:
    """A signal while models load ends the program with no failure."""
    with pytest.raises(SystemExit) as caught, stop_signals():
        signal.raise_signal(signal.SIGTERM)
    assert caught.value.code == 0


def test_signals_raised_again_after_the_server_has_ended_do_nothing() -> None:
    """Signals that uvicorn raises again after its end change nothing."""
    with stop_signals() as signals:
        signals.serving()
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)


def test_the_handlers_before_are_put_back() -> None:
    """The handlers of before are restored at the end."""
    before = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    with stop_signals():
        assert signal.getsignal(signal.SIGINT) is not before[0]
    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == before


@pytest.mark.parametrize(
    ("newest_first", "forced"),
    [
        ([], False),
        ([signal.SIGINT], False),
        ([signal.SIGTERM, signal.SIGINT], False),
        ([signal.SIGINT, signal.SIGTERM], True),
        ([signal.SIGINT, signal.SIGINT], True),
    ],
)
def test_only_a_further_interrupt_forces_the_end(
    newest_first: list[signal.Signals],
    forced: bool,  # noqa: FBT001 - pytest passes by name
) -> None:
    """Only a second signal that is a SIGINT counts as forced."""
    signals = StopSignals()
    signals.serving()
    for number in newest_first:
        signals(number, None)
    assert signals.forced is forced

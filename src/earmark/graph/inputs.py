"""The inputs of every graph, with the names in `domain.packing.PackedBatch`."""

from dataclasses import dataclass

from earmark.graph.recorder import Recorder, Value

CELL_AXES = ("rows", "width")


@dataclass(frozen=True, slots=True)
class PackedInputs:
    """The inputs of a graph that is being written; each is declared when it is first read."""

    _recorder: Recorder

    def _cells(self, name: str) -> Value:
        return self._recorder.input(name, CELL_AXES)

    @property
    def input_ids(self) -> Value:
        """Token ids, ``[rows, width]``."""
        return self._cells("input_ids")

    @property
    def position_ids(self) -> Value:
        """Positions from 0 in each text, ``[rows, width]``."""
        return self._cells("position_ids")

    @property
    def token_type_ids(self) -> Value:
        """0 for the first text and 1 for the second of a pair, ``[rows, width]``."""
        return self._cells("token_type_ids")

    @property
    def segment_ids(self) -> Value:
        """Which text of the batch each cell belongs to, ``[rows, width]``."""
        return self._cells("segment_ids")

    @property
    def first_token(self) -> Value:
        """Flat index of each text's first token, ``[texts]``."""
        return self._recorder.input("first_token", ("texts",))

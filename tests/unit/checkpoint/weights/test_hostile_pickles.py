"""No code in a pickle is ever run: a pickle is refused by the name that it asks for."""

import copyreg
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.pickle_assembly import Call, Member, Persistent, assemble, piece
from support.torch_files import (
    LaidTensor,
    state_of,
    tensor_call,
    write_legacy,
    write_zip,
)

from earmark.checkpoint.weights.pickle_machine import LARGEST_PICKLE
from earmark.checkpoint.weights.torch_pickle import open_torch_pickle
from earmark.errors import InvalidCheckpoint

FILES = Path(__file__).parent / "torch_files"
ONE = LaidTensor(key="0", dtype="F32", stored=4, offset=0, shape=(2, 2), strides=(2, 1))
FOUR = np.arange(4, dtype="<f4").tobytes()
EXTENSION = 240
"""Of those that are left to private use."""


@dataclass(frozen=True, slots=True)
class Reduced:
    """An object that is unpickled by calling something: the usual exploit."""

    function: Callable[..., object]
    arguments: tuple[object, ...]

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        """Say what to call."""
        return self.function, self.arguments


def _touching(sentinel: Path) -> tuple[str, str]:
    """Return a command, and Python, that make a file; they run in either kind of shell."""
    return f'echo x> "{sentinel}"', f"open({str(sentinel)!r}, 'w').close()"


def _exploits(sentinel: Path) -> dict[str, tuple[bytes, str]]:
    """Build exploits: the pickle, and the name that it tries first."""
    command, code = _touching(sentinel)
    reduced = Reduced(os.system, (command,))
    system = f"{os.name}.system"
    quoted = command.encode().replace(b"\\", b"\\\\")
    hidden = piece({"__setstate__": Member("os", "system")})
    return {
        "reduce": (pickle.dumps(reduced, protocol=2), system),
        "nested": (pickle.dumps(OrderedDict(a=[{"b": (reduced,)}]), protocol=2), system),
        "eval": (pickle.dumps(Reduced(eval, (code,)), protocol=4), "builtins.eval"),
        "exec": (pickle.dumps(Reduced(exec, (code,)), protocol=0), "__builtin__.exec"),
        "text": (b"cos\nsystem\n(S'" + quoted + b"'\ntR.", "os.system"),
        "inst": (b"(S'" + quoted + b"'\nios\nsystem\n.", "os.system"),
        "obj": (b"(" + piece(Member("os", "system")) + piece(command) + b"o.", "os.system"),
        # bytes.__new__ runs through map, and map calls for each item.
        "newobj": (
            b"\x80\x02"
            + piece(Member("builtins", "map"))
            + piece((Member("os", "system"), [command]))
            + b"\x81q\x010"
            + piece(Member("builtins", "bytes"))
            + b"h\x01\x85\x81.",
            "builtins.map",
        ),
        "build": (
            b"\x80\x02"
            + piece(Call(Member("collections", "OrderedDict")))
            + hidden
            + b"b"
            + piece(command)
            + b"b.",
            "os.system",
        ),
        "getattr": (
            assemble(
                Call(
                    Call(
                        Member("builtins", "getattr"),
                        (Call(Member("builtins", "__import__"), ("os",)), "system"),
                    ),
                    (command,),
                )
            ),
            "builtins.getattr",
        ),
        "copyreg": (
            b"\x80\x02"
            + piece(Call(Member("copyreg", "add_extension"), ("os", "system", EXTENSION)))
            + b"0\x82"
            + bytes([EXTENSION])
            + piece((command,))
            + b"R.",
            "copyreg.add_extension",
        ),
    }


NAMES = tuple(_exploits(Path("unused")))


@pytest.fixture
def clean_registry() -> Iterator[None]:
    """Take the extension away again that an exploit registers."""
    yield
    if ("os", "system") in copyreg._extension_registry:  # type: ignore[attr-defined]  # noqa: SLF001 - no public way to ask
        copyreg.remove_extension("os", "system", EXTENSION)


@pytest.mark.usefixtures("clean_registry")
@pytest.mark.parametrize("name", NAMES)
def test_the_exploits_are_real(tmp_path: Path, name: str) -> None:
    """Python's own unpickler runs each of the exploits."""
    sentinel = tmp_path / "ran"
    pickle.loads(_exploits(sentinel)[name][0])  # noqa: S301 - our own exploit
    assert sentinel.exists()


def _bare(path: Path, exploit: bytes) -> Path:
    path.write_bytes(exploit)
    return path


def _in_zip(path: Path, exploit: bytes) -> Path:
    return write_zip(path, exploit, {})


def _as_tensor(path: Path, exploit: bytes) -> Path:
    """Hide it behind a good tensor, as an item of the dictionary."""
    inner = exploit.removesuffix(b".")
    return write_zip(path, assemble({"x": tensor_call(ONE), "y": inner}), {"0": FOUR})


def _legacy_state(path: Path, exploit: bytes) -> Path:
    return write_legacy(path, exploit, {})


def _legacy_system(path: Path, exploit: bytes) -> Path:
    return write_legacy(path, state_of({"x": ONE}), {"0": (4, FOUR)}, system=exploit)


def _legacy_keys(path: Path, exploit: bytes) -> Path:
    return write_legacy(path, state_of({"x": ONE}), {"0": (4, FOUR)}, keys=exploit)


@pytest.mark.parametrize(
    "write", [_bare, _in_zip, _as_tensor, _legacy_state, _legacy_system, _legacy_keys]
)
@pytest.mark.parametrize("name", NAMES)
def test_an_exploit_is_refused_by_the_name_it_tried(
    tmp_path: Path, name: str, write: Callable[[Path, bytes], Path]
) -> None:
    """Each exploit is refused by the name that it asks for, and does not run."""
    sentinel = tmp_path / "ran"
    exploit, tried = _exploits(sentinel)[name]
    path = write(tmp_path / "pytorch_model.bin", exploit)
    with pytest.raises(InvalidCheckpoint) as refused:
        open_torch_pickle(path)
    assert f"asks for {tried}, which is no part of reading weights" in str(refused.value)
    assert str(path) in str(refused.value)
    assert not sentinel.exists()


WORD = Member("torch", "FloatStorage")
MAKER = Member("torch._utils", "_rebuild_tensor_v2")
PARAMETER = Member("torch._utils", "_rebuild_parameter")
ORDERED = Member("collections", "OrderedDict")
STORED = Persistent(("storage", WORD, "0", "cpu", 4))


@pytest.mark.parametrize(
    ("pickled", "complaint"),
    [
        (b"\x80\x02\x82\xf0.", "the registered extension 240"),
        (b"\x80\x04\x8f.", "the opcode EMPTY_SET"),
        (assemble(Member("x" * 300, "y")), "asks for " + "x" * 200 + "…"),
        (assemble(Member("a\x1b[31m", "b")), r"asks for 'a\x1b[31m.b'"),
        (assemble(Call(WORD)), "calls torch.FloatStorage"),
        (assemble(Call("text")), "calls a str"),
        (b"\x80\x02" + piece(ORDERED) + b"NR.", "without a tuple of arguments"),
        (b"\x80\x02" + piece(ORDERED) + b"}b.", "sets the state of a Name"),
        (b"\x80\x04NN\x93.", "names something by what is no text"),
        (b"\x80\x02R.", "takes more than it has put down"),
        (b"\x80\x022.", "takes more than it has put down"),
        (b"\x80\x02t.", "a mark that it has not set"),
        (b"\x80\x02Na.", "takes more than it has put down"),
        (b"\x80\x02NNa.", "appends to a NoneType"),
        (b"\x80\x02NNNs.", "sets items of a NoneType"),
        (b"\x80\x02}(Nu.", "sets items of a dict"),
        (b"\x80\x02})Ns.", "has a tuple for a key"),
        (b"\x80\x02h\x07.", "recalls 7"),
        (b"\x80\x02K\x01.", "holds a int, expected tensors by name"),
        (assemble({"x": 1}), "'x' in it is a int, not a tensor"),
        (b"\x80\x04\x8d" + struct.pack("<Q", 1 << 62) + b"x.", "cannot be read as a pickle"),
        (b"\x80\x02\x8b" + struct.pack("<i", 1 << 30) + b"x.", "cannot be read as a pickle"),
        (b"version https://git-lfs.github.com/spec/v1\n", "cannot be read as a pickle"),
        (assemble({"x": Persistent("elsewhere")}), "refers to what is no storage"),
        (assemble({"x": Persistent(("storage", WORD, "0", "cpu", -1))}), "is no storage"),
        (assemble({"x": Persistent(("storage", ORDERED, "0", "cpu", 1))}), "is no storage"),
        (
            assemble({"x": Persistent(("storage", WORD, "0", "cpu", 4, ("v", 2, 3)))}),
            "a part of a storage that the storage has not",
        ),
        (assemble(Call(MAKER, (1, 0, (1,), (1,)))), "a tensor of what is no storage"),
        (assemble(Call(MAKER, (STORED, -1, (1,), (1,)))), "a tensor of what is no storage"),
        (assemble(Call(MAKER, (STORED, 0, (1,), (1, 1)))), "shape and strides"),
        (assemble(Call(MAKER, (STORED, 0, (1,), (-1,)))), "shape and strides"),
        (assemble(Call(MAKER, (STORED, 0, "no", (1,)))), "shape and strides"),
        (
            assemble(Call(MAKER, (STORED, 1, (2, 2), (2, 1)))),
            "reaches to element 5 of a storage of 4",
        ),
        (assemble(Call(PARAMETER, (STORED,))), "a parameter of what is no tensor"),
        (assemble(Call(ORDERED, (1,))), "a dictionary of what are no pairs"),
        (assemble(Call(ORDERED, ([((), 1)],))), "has a tuple for a key"),
    ],
)
def test_what_no_weights_need_is_refused(tmp_path: Path, pickled: bytes, complaint: str) -> None:
    """Unknown opcodes, wrong arguments and false sizes are each refused in one sentence."""
    path = write_zip(tmp_path / "x.bin", pickled, {"0": FOUR}, deflated=True)
    with pytest.raises(InvalidCheckpoint) as refused:
        open_torch_pickle(path)
    assert complaint in str(refused.value)
    assert str(path) in str(refused.value)


def test_every_way_to_build_plain_values_is_known(tmp_path: Path) -> None:
    """Marks, copies and the memo, as other picklers than torch's write them."""
    tensor = piece(tensor_call(ONE))
    odd = (
        b"\x80\x02(X\1\0\0\0x"
        + tensor
        + b"dK\x012(1(lp5\ng5\n00\x8d"
        + struct.pack("<Q", 1)
        + b"z000."
    )
    pairs = assemble(Call(ORDERED, ([["x", tensor_call(ONE)]],)))
    for pickled in (odd, pairs):
        path = write_zip(tmp_path / "x.bin", pickled, {"0": FOUR})
        assert open_torch_pickle(path).read("x").tolist() == [[0, 1], [2, 3]]


@pytest.mark.parametrize("file", ["zip.bin", "legacy.bin"])
def test_a_file_cut_anywhere_is_refused(tmp_path: Path, file: str) -> None:
    """A half-copied file never loads."""
    whole = (FILES / file).read_bytes()
    path = tmp_path / file
    for length in range(0, len(whole), 41):
        path.write_bytes(whole[:length])
        with pytest.raises(InvalidCheckpoint):
            open_torch_pickle(path)


@pytest.mark.parametrize("file", ["zip.bin", "legacy.bin"])
@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, file: str, data: st.DataObject
) -> None:
    """Whatever bytes change, nothing but the error of a bad checkpoint comes out."""
    whole = bytearray((FILES / file).read_bytes())
    changes = st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255))
    for position, value in data.draw(st.lists(changes, min_size=1, max_size=3)):
        whole[position] = value
    path = tmp_path_factory.getbasetemp() / f"damaged-{file}"
    path.write_bytes(whole)
    try:
        source = open_torch_pickle(path)
        for name in source.shapes():
            source.read(name)
    except InvalidCheckpoint as error:
        assert str(path) in str(error)  # noqa: PT017 - it need not be refused


@pytest.mark.parametrize(
    ("storages", "complaint"),
    [
        ({}, "tensor x: the archive has no record 'archive/data/0'"),
        ({"0": FOUR[:-1]}, "tensor x: record 'archive/data/0' has 15 bytes, expected 16"),
    ],
)
def test_a_storage_that_is_missing_or_of_another_size_is_named(
    tmp_path: Path, storages: Mapping[str, bytes], complaint: str
) -> None:
    """The error for a missing or wrong storage names its tensor."""
    path = write_zip(tmp_path / "x.bin", state_of({"x": ONE}), storages)
    with pytest.raises(InvalidCheckpoint, match=complaint):
        open_torch_pickle(path)


@pytest.mark.parametrize(
    ("state", "storages", "complaint"),
    [
        ({"x": ONE}, {}, "tensor x: the file has no storage '0'"),
        ({"x": ONE}, {"0": (3, FOUR)}, "tensor x: storage '0' has 3 elements, expected 4"),
        ({"x": ONE}, {"0": (4, FOUR[:-1])}, "cut short: storage '0'"),
        ({"x": ONE}, {"0": (4, FOUR), "1": (4, FOUR)}, "list of storages"),
        ({"x": ONE, "y": replace(ONE, dtype="I32")}, {"0": (4, FOUR)}, "'0' in two ways"),
    ],
)
def test_storages_of_the_old_form_are_checked_too(
    tmp_path: Path,
    state: Mapping[str, LaidTensor],
    storages: Mapping[str, tuple[int, bytes]],
    complaint: str,
) -> None:
    """Its storages follow each other without a directory."""
    path = write_legacy(tmp_path / "x.bin", state_of(state), storages)
    with pytest.raises(InvalidCheckpoint, match=complaint):
        open_torch_pickle(path)


def test_a_list_of_storages_must_be_one(tmp_path: Path) -> None:
    """A list of storages that is no list is refused."""
    state = state_of({"x": ONE})
    path = write_legacy(tmp_path / "x.bin", state, {"0": (4, FOUR)}, keys=assemble(1))
    with pytest.raises(InvalidCheckpoint, match="list of storages"):
        open_torch_pickle(path)


def test_a_pickle_of_something_else_is_told_so(tmp_path: Path) -> None:
    """The error for a harmless pickle without weights says so."""
    path = tmp_path / "x.bin"
    path.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(InvalidCheckpoint, match=r"none that torch\.save wrote"):
        open_torch_pickle(path)


def test_a_pickle_without_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    """A pickle of the old form that is larger than the bound is refused."""
    path = tmp_path / "x.bin"
    path.write_bytes(b"\x80\x02" + (piece("x" * (LARGEST_PICKLE // 4)) + b"0") * 5 + b"N.")
    with pytest.raises(InvalidCheckpoint, match="larger than"):
        open_torch_pickle(path)


def test_old_files_refer_to_nothing_outside_their_tensors(tmp_path: Path) -> None:
    """A persistent id in the magic number's place has nothing to stand for."""
    path = tmp_path / "x.bin"
    path.write_bytes(b"P0\n.")
    with pytest.raises(InvalidCheckpoint, match="refers to what is no storage"):
        open_torch_pickle(path)


@pytest.mark.parametrize("key", ["../../../outside", "/etc/passwd", "..\\outside"])
def test_names_of_records_lead_nowhere(tmp_path: Path, key: str) -> None:
    """Names of records are looked up in the archive alone; nothing is unpacked to disk."""
    path = write_zip(tmp_path / "x.bin", state_of({"x": replace(ONE, key=key)}), {})
    with pytest.raises(InvalidCheckpoint, match="the archive has no record"):
        open_torch_pickle(path)
    write_zip(path, state_of({"x": replace(ONE, key=key)}), {key: FOUR})
    assert open_torch_pickle(path).read("x").tolist() == [[0, 1], [2, 3]]
    assert [one.name for one in tmp_path.iterdir()] == ["x.bin"]


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """A storage or a pickle that expands to fill memory is refused."""
    size = (1 << 26) + 4
    bomb = replace(ONE, stored=size // 4)
    path = write_zip(tmp_path / "x.bin", state_of({"x": bomb}), {"0": bytes(size)}, deflated=True)
    assert path.stat().st_size < 1 << 17
    with pytest.raises(InvalidCheckpoint, match=f"unpacks from [0-9]+ bytes to {size}"):
        open_torch_pickle(path)
    write_zip(path, bytes(LARGEST_PICKLE + 1), {}, deflated=True)
    with pytest.raises(InvalidCheckpoint, match=r"data\.pkl' is larger than"):
        open_torch_pickle(path)


def test_the_archive_must_be_one_of_torch(tmp_path: Path) -> None:
    """A zip of something else is refused, and so is an unknown byte order."""
    path = tmp_path / "x.bin"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "text")
    with pytest.raises(InvalidCheckpoint, match=r"no data\.pkl"):
        open_torch_pickle(path)
    write_zip(path, state_of({"x": ONE}), {"0": FOUR}, order="middle")
    with pytest.raises(InvalidCheckpoint, match="byte order is b'middle'"):
        open_torch_pickle(path)


def _patched(path: Path, offset: int, value: bytes) -> None:
    """Overwrite bytes of the record ``archive/data/0`` in the archive's directory."""
    data = path.read_bytes()
    at = data.rindex(b"archive/data/0") - 46 + offset  # fields stand in the 46 bytes before a name
    path.write_bytes(data[:at] + value + data[at + len(value) :])


@pytest.mark.parametrize(
    ("offset", "value", "complaint"),
    [
        (8, b"\1\0", "is encrypted"),
        (10, b"\x0c\0", "compressed in an unknown way"),
        (16, b"\0\0\0\0", "is damaged"),
        (42, b"\1\0\0\0", "is cut short"),
    ],
)
def test_a_directory_that_lies_is_found_out(
    tmp_path: Path, offset: int, value: bytes, complaint: str
) -> None:
    """Encryption, an unknown compression, a wrong checksum, a record that is not there."""
    path = write_zip(tmp_path / "x.bin", state_of({"x": ONE}), {"0": FOUR}, deflated=True)
    _patched(path, offset, value)
    with pytest.raises(InvalidCheckpoint, match=complaint):
        open_torch_pickle(path).read("x")

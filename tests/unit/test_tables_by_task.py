"""Every task has its row in every table by task: no type checker misses a key of a mapping."""

import tomllib
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from support.small_facts import small_facts

from earmark.domain.labels import LabelSet
from earmark.errors import InvalidInput
from earmark.serving.cache.values import read_results
from earmark.tasks.task import TaskName
from earmark.web.body import ParsedBody
from earmark.web.dialects.huggingface.exchanges import OPENERS, TASK_NAMES, Reader, task_named
from earmark.web.dialects.huggingface.unread import doubts_about

TASKS: tuple[TaskName, ...] = get_args(TaskName)
FACTS = small_facts("acme/any", TASKS, LabelSet(("A", "B")), max_input_tokens=64)
ROOT = Path(__file__).parents[2]


def test_every_task_has_a_name_in_an_address() -> None:
    """Its own, or one of several."""
    assert {task_named(name) for name in TASK_NAMES} == set(TASKS)


@pytest.mark.parametrize("task", TASKS)
def test_the_body_of_every_task_is_read(task: TaskName) -> None:
    """What is no body of the task is refused as such."""
    with pytest.raises(InvalidInput):
        OPENERS[task](ParsedBody.of(b"?"), Reader("", "object"))


@pytest.mark.parametrize("task", TASKS)
def test_a_parameter_that_no_task_reads_is_named(task: TaskName) -> None:
    """Since the parameters of every task are listed."""
    body = ParsedBody.of(b'{"inputs": "x", "parameters": {"nonsense": 1}}')
    doubts = doubts_about(body, task, FACTS)
    assert any("nonsense" in str(doubt) for doubt in doubts)


@pytest.mark.parametrize("task", TASKS)
def test_the_results_of_every_task_can_be_kept(task: TaskName) -> None:
    """What is no result of the task is refused as such."""
    with pytest.raises(msgspec.DecodeError):
        read_results(task, [b"\xc1"])  # a byte that MessagePack never uses


def test_every_task_is_held_apart_from_the_others() -> None:
    """Its module is listed where the import linter reads which modules are independent."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    (apart,) = (one for one in contracts if one["name"] == "Tasks know nothing of each other")
    tasks = (ROOT / "src/earmark/tasks").glob("*.py")
    found = {one.stem for one in tasks if "task: ClassVar[TaskName] =" in one.read_text("utf-8")}
    assert set(apart["modules"]) == {f"earmark.tasks.{name}" for name in found}
    assert len(found) == len(TASKS)

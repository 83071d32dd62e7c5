"""People's work: queues, tasks, who holds them, and answering them (idea 4, TSK-1)."""

from lian.services.desk.answering import complete_task, receipt_of
from lian.services.desk.assigning import Assignee, assign_task, delegate_task, give_back, list_assignees
from lian.services.desk.drawing import take_next
from lian.services.desk.hands import (
    cancel_task,
    claim_task,
    hold_task,
    pass_on,
    prioritise_task,
    release_task,
    wake_task,
)
from lian.services.desk.lists import QueueCount, TaskQuery, list_tasks, queues
from lian.services.desk.talking import (
    Talk,
    ask_colleague,
    comment_on,
    declare_conflict,
    give_opinion,
    reviews_for,
    talk_of,
)
from lian.services.desk.tasks import TaskOnDesk, find_task, show_task, tasks_for_customer

__all__ = [
    "Assignee",
    "QueueCount",
    "Talk",
    "TaskOnDesk",
    "TaskQuery",
    "ask_colleague",
    "assign_task",
    "cancel_task",
    "claim_task",
    "comment_on",
    "complete_task",
    "declare_conflict",
    "delegate_task",
    "find_task",
    "give_back",
    "give_opinion",
    "hold_task",
    "list_assignees",
    "list_tasks",
    "pass_on",
    "prioritise_task",
    "queues",
    "receipt_of",
    "release_task",
    "reviews_for",
    "show_task",
    "take_next",
    "talk_of",
    "tasks_for_customer",
    "wake_task",
]

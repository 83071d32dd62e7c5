"""People's work: queues, tasks, who holds them, and answering them (idea 4, TSK-1)."""

from lian.services.desk.absence_reading import AbsenceSeen, AbsenceState, choices_for, list_absences
from lian.services.desk.absences import NewAbsence, end_absence, note_absence
from lian.services.desk.answering import complete_task, receipt_of
from lian.services.desk.assigning import Assignee, assign_task, delegate_task, give_back, list_assignees
from lian.services.desk.drawing import Drawn, take_next
from lian.services.desk.hands import (
    cancel_task,
    claim_task,
    hold_task,
    pass_on,
    prioritise_task,
    release_task,
    unassign_task,
    wake_task,
)
from lian.services.desk.lists import Count, QueueCount, TaskQuery, count_tasks, list_tasks, order_for, queues
from lian.services.desk.sorting import SORTS, place_of, read_place, write_place
from lian.services.desk.standing_in import return_to_the_back, stand_in
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
from lian.services.substitutes import stands_in_for, substitute_of

__all__ = [
    "SORTS",
    "AbsenceSeen",
    "AbsenceState",
    "Assignee",
    "Count",
    "Drawn",
    "NewAbsence",
    "QueueCount",
    "Talk",
    "TaskOnDesk",
    "TaskQuery",
    "ask_colleague",
    "assign_task",
    "cancel_task",
    "choices_for",
    "claim_task",
    "comment_on",
    "complete_task",
    "count_tasks",
    "declare_conflict",
    "delegate_task",
    "end_absence",
    "find_task",
    "give_back",
    "give_opinion",
    "hold_task",
    "list_absences",
    "list_assignees",
    "list_tasks",
    "note_absence",
    "order_for",
    "pass_on",
    "place_of",
    "prioritise_task",
    "queues",
    "read_place",
    "receipt_of",
    "release_task",
    "return_to_the_back",
    "reviews_for",
    "show_task",
    "stand_in",
    "stands_in_for",
    "substitute_of",
    "take_next",
    "talk_of",
    "tasks_for_customer",
    "unassign_task",
    "wake_task",
    "write_place",
]

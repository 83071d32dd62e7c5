"""Answering a customer with a task's own text (INQ-1): written to them, sealed, before the process hears of it."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid5

from lian.auth.actor import Actor
from lian.db.journal import lock_chain
from lian.db.tables import Message
from lian.domain import journal as j
from lian.domain.messages import CompleteTask
from lian.services.context import Context
from lian.services.recording import put_on_record


async def write_reply(
    context: Context, actor: Actor, case_id: UUID, replies_with: str, command: CompleteTask
) -> CompleteTask:
    """Write the answer's text to the customer; returns the command with the message's id in its place.

    Safe to repeat. What was reworded before a repeat is another message: the customer must not be left with the first.
    """
    body = str(command.outcome[replies_with]).strip()
    if not body:
        return command
    message_id = uuid5(command.task_id, f"{command.command_id}:{context.ring.fingerprint(body)}")
    async with context.transaction() as session:
        await lock_chain(session, case_id)
        if await session.get(Message, message_id) is None:
            event = j.MessageWritten(message_id=message_id, direction="out", body=body)
            item = j.Recorded(at=context.now(), actor=actor.id, event=event)
            await put_on_record(context, session, case_id=case_id, recorded=[item])
    return replace(command, outcome=command.outcome | {replies_with: str(message_id)})

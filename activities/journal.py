"""The journal's local activity: all events of one step, and the receipts of their commands, in one transaction."""

from __future__ import annotations

from sqlalchemy.dialects.postgresql import insert
from temporalio import activity

from activities.messages import Batch, from_entry
from lian.db.journal import JournalGap, lock_chain
from lian.db.tables import CommandReceipt
from lian.domain.journal import PROCESS
from lian.services.context import Context
from lian.services.recording import put_on_record


class JournalActivities:
    """Bound to one installation's context."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @activity.defn
    async def append_journal(self, batch: Batch) -> None:
        """Write a batch. A repeat changes nothing; a gap is retried until the batch before it has arrived."""
        context = self._context
        async with context.transaction() as session:
            head = await lock_chain(session, batch.case_id)
            if head.process_seq >= batch.first_seq + len(batch.entries) - 1:
                return
            if head.process_seq + 1 < batch.first_seq:
                raise JournalGap(f"the journal ends at {head.process_seq}, the batch begins at {batch.first_seq}")
            fresh = batch.entries[head.process_seq + 1 - batch.first_seq :]
            await put_on_record(
                context,
                session,
                case_id=batch.case_id,
                recorded=[from_entry(e) for e in fresh],
                source=PROCESS,
                first_seq=head.process_seq + 1,
            )
            for command_id, seq in batch.commands.items():
                await session.execute(
                    insert(CommandReceipt)
                    .values(command_id=command_id, case_id=batch.case_id, result={"seq": seq}, at=context.now())
                    # Another case's command of the same name must not keep this one's facts from being written.
                    .on_conflict_do_nothing()
                )

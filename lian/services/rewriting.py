"""Making every row anew from the journal (idea 2): after an update that gave rows new columns, or after a repair."""

from __future__ import annotations

from lian.db.journal import case_ids, rebuild
from lian.services.context import Context
from lian.services.search_words import rewrite_words


async def rebuild_all(context: Context) -> int:
    """Rewrite the rows of every case, and the words it is found by, one transaction each: desks wait for one case only.

    Returns how many.
    """
    async with context.transaction() as session:
        ids = [case_id async for case_id in case_ids(session)]
    for case_id in ids:
        async with context.transaction() as session:
            await rebuild(session, context.ring, case_id)
            await rewrite_words(session, context.ring, case_id)
    return len(ids)

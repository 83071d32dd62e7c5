"""the desk: what tasks need, who is away, views, bulk orders, routes, and the words cases are found by"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

OPEN = sa.text("status = 'open'")
FREE = sa.text("status = 'open' AND holder = ''")
DUE = sa.text("coalesce(act_by_at, 'infinity'::timestamp with time zone)")
RAISED = sa.text("status = 'open' AND is_raised")
DONE = sa.text("status = 'completed'")
SUBSTITUTED = sa.text("status = 'open' AND held_how = 'substitute'")


def upgrade() -> None:
    _add_to_cases()
    _add_to_tasks()
    _add_to_staff()
    _remarks_and_bars()
    _absences_and_views()
    _bulk_orders()
    _routes_and_words()
    _grant()


def _json(name: str, empty: str) -> sa.Column[object]:
    return sa.Column(name, postgresql.JSONB(astext_type=sa.Text()), nullable=False, server_default=empty)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default="")


def _add_to_cases() -> None:
    op.add_column("cases", sa.Column("awaits", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("cases_idle", "cases", ["id"], postgresql_where=sa.text("status = 'open' AND awaits = 0"))


def _add_to_tasks() -> None:
    op.add_column("tasks", sa.Column("amount", sa.Numeric(14, 2), nullable=False, server_default="0"))
    op.add_column("tasks", _json("skills", "[]"))
    op.add_column("tasks", sa.Column("needs", sa.Text(collation="C"), nullable=False, server_default=""))
    op.add_column("tasks", sa.Column("is_green", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("tasks", _text("on_behalf_of"))
    op.add_column("tasks", _text("held_how"))
    op.add_column("tasks", sa.Column("hold_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("tasks", _text("hold_reason"))
    op.add_column("tasks", _json("passed", "{}"))
    op.create_index("tasks_free", "tasks", ["queue", "needs", "urgency", "id"], postgresql_where=FREE)
    op.create_index("tasks_opened", "tasks", ["queue", "opened_at", "id"], postgresql_where=OPEN)
    op.create_index("tasks_due", "tasks", ["queue", DUE, "id"], postgresql_where=OPEN)
    op.create_index("tasks_amount", "tasks", ["queue", "amount", "id"], postgresql_where=OPEN)
    op.create_index("tasks_raised", "tasks", ["queue", "urgency", "id"], postgresql_where=RAISED)
    done = ["closed_at", "completed_by"]
    op.create_index("tasks_done", "tasks", done, postgresql_include=["kind"], postgresql_where=DONE)
    op.create_index("tasks_substituted", "tasks", ["on_behalf_of"], postgresql_where=SUBSTITUTED)


def _add_to_staff() -> None:
    op.add_column("staff", _text("team"))
    op.add_column("staff", _json("skills", "{}"))
    op.add_column("staff", sa.Column("capacity", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("staff", sa.Column("person_id", sa.Uuid(), nullable=True))
    op.add_column("staff", sa.Column("dealt_at", sa.DateTime(timezone=True), nullable=True))


def _remarks_and_bars() -> None:
    op.create_table(
        "task_comments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_task_comments_case_id"), "task_comments", ["case_id"])
    op.create_table(
        "task_reviews",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("reviewer", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opinion", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("reviewer <> asked_by", name="review_four_eyes"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_task_reviews_case_id"), "task_reviews", ["case_id"])
    op.create_index(
        "task_reviews_waiting",
        "task_reviews",
        ["reviewer", "asked_at"],
        postgresql_where=sa.text("answered_at IS NULL"),
    )
    op.create_table(
        "case_bars",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("barred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("barred_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "actor"),
    )


def _absences_and_views() -> None:
    op.create_table(
        "absences",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("substitute_id", sa.Uuid(), nullable=True),
        sa.Column("away_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("away_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("noted_by", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=False),
        sa.CheckConstraint("away_from < away_until", name="absence_in_order"),
        sa.CheckConstraint("substitute_id <> staff_id", name="absence_by_another"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("absences_of_a_person", "absences", ["staff_id", "away_from"])
    op.create_index("absences_covered", "absences", ["substitute_id", "away_from"])
    op.create_index("absences_ahead", "absences", ["away_until"])
    op.create_table(
        "saved_views",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("is_pinned", sa.Boolean(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("scope IN ('private', 'team')", name="view_scope"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("owner", "name", name="view_once"),
    )
    op.create_index("saved_views_team", "saved_views", ["team"], postgresql_where=sa.text("scope = 'team'"))


def _bulk_orders() -> None:
    op.create_table(
        "bulk_orders",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("given", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("stopped_by", sa.Text(), nullable=False),
        sa.Column("undone_by", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('previewed', 'running', 'done', 'cancelled', 'undoing', 'undone')", name="bulk_status"
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "bulk_orders_once", "bulk_orders", ["by", "key"], unique=True, postgresql_where=sa.text("key <> ''")
    )
    op.create_index(op.f("ix_bulk_orders_at"), "bulk_orders", ["at"])
    op.create_index(op.f("ix_bulk_orders_by"), "bulk_orders", ["by"])
    op.create_table(
        "bulk_items",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'same', 'done', 'refused', 'undone', 'kept')", name="bulk_state"),
        sa.PrimaryKeyConstraint("order_id", "n"),
    )
    op.create_index("bulk_items_state", "bulk_items", ["order_id", "state", "n"])


def _routes_and_words() -> None:
    op.create_table(
        "routing_tables",
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )
    op.create_table(
        "case_words",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("words", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("case_id"),
    )
    op.create_index("case_words_found", "case_words", ["words"], postgresql_using="gin")


CHANGED = ("task_comments", "task_reviews", "case_bars", "absences", "saved_views", "bulk_orders", "bulk_items")


def _grant() -> None:
    config = op.get_context().config
    role = config.attributes["app_role"] if config else None
    if role is None:
        return
    for table in (*CHANGED, "case_words"):
        op.execute(f'GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO "{role}"')
    # A published table of routes is never changed or removed: journals of cases name its version.
    op.execute(f'GRANT SELECT, INSERT ON routing_tables TO "{role}"')
    op.execute(f'REVOKE UPDATE, DELETE, TRUNCATE ON routing_tables FROM "{role}"')


def downgrade() -> None:
    for table in (*CHANGED, "routing_tables", "case_words"):
        op.drop_table(table)
    for index in ("free", "opened", "due", "amount", "raised", "done", "substituted"):
        op.drop_index(f"tasks_{index}", "tasks")
    for column in ("amount", "skills", "needs", "is_green", "on_behalf_of", "held_how", "hold_until", "hold_reason"):
        op.drop_column("tasks", column)
    op.drop_column("tasks", "passed")
    for column in ("team", "skills", "capacity", "person_id", "dealt_at"):
        op.drop_column("staff", column)

"""What workflow code may import as it is: our own pure and model modules, in one place.

Loading them afresh per workflow costs hundreds of milliseconds, and SQLModel does not survive it. Inside these modules
the sandbox does not catch a clock or chance: a ruff rule and a test keep both out of `lian/domain`.
"""

from __future__ import annotations

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

PASSED_THROUGH = (
    "activities",
    "anyio",
    "lian",
    "pydantic",
    "pydantic_core",
    "sqlalchemy",
    "sqlmodel",
    "structlog",
    "workflows.options",
)


def runner() -> SandboxedWorkflowRunner:
    """The sandbox every worker and replay uses."""
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH))

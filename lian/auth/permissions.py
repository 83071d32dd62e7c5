"""The one vocabulary of permissions, `subject:action`, and what each role has (SEC-1). Alphabetical, both of them."""

from __future__ import annotations

from lian.domain.labels import Label

PERMISSIONS: dict[str, str] = {
    "case:read": "see cases of one's departments",
    "case:reopen": "reopen a closed case",
    "case:report": "report a loss on a customer's behalf",
    "case:withdraw": "record that a customer withdraws",
    "document:add": "add a document to a case",
    "document:read": "open and download documents",
    "journal:verify": "run and read journal checks",
    "message:write": "write to the customer",
    "notice:read": "see notices that were sent to customers",
    "policy:write": "add and change policies and customers of the register",
    "request:withdraw": "withdraw an open document request",
    "sla:read": "see the board of promises",
    "staff:write": "create staff accounts and reset passwords",
    "task:adjudicate": "decide claims within one's authority limit",
    "task:assess": "assess losses",
    "task:assign": "hand tasks to others",
    "task:authorise": "authorise decisions above another's limit",
    "task:review": "review reports and documents",
    "task:settle": "agree settlements",
}

_READING = frozenset({"case:read", "document:read", "sla:read"})
_ADJUSTING = _READING | {
    "document:add",
    "message:write",
    "request:withdraw",
    "task:adjudicate",
    "task:assess",
    "task:review",
    "task:settle",
}

ROLES: dict[str, frozenset[str]] = {
    "administrator": frozenset({"notice:read", "policy:write", "staff:write"}),
    "agent": frozenset(),
    "archivist": frozenset(),
    "claims_adjuster_junior": _ADJUSTING,
    "claims_adjuster_senior": _ADJUSTING | {"case:reopen", "case:withdraw", "task:authorise"},
    "complaint_handler": frozenset(),
    "compliance": _READING | {"journal:verify", "notice:read"},
    "customer": frozenset(),
    "customer_service": _READING
    | {"case:report", "case:withdraw", "document:add", "message:write", "notice:read", "policy:write"},
    "external_adjuster": frozenset(),
    "operations": frozenset({"case:read", "sla:read"}),
    "panel_member": frozenset(),
    "team_lead": _READING
    | {"case:reopen", "case:withdraw", "document:add", "message:write", "request:withdraw"}
    | {"task:assign", "task:authorise"},
    "underwriter": frozenset(),
}
"""Every role of the catalogue; those without permissions wait for the issue that brings their work."""

ROLE_LABELS: dict[str, Label] = {
    "administrator": Label("Administrator", "管理员"),
    "agent": Label("Agent", "代理人"),
    "archivist": Label("Archivist", "档案管理员"),
    "claims_adjuster_junior": Label("Junior claims adjuster", "初级理赔员"),
    "claims_adjuster_senior": Label("Senior claims adjuster", "高级理赔员"),
    "complaint_handler": Label("Complaint handler", "投诉专员"),
    "compliance": Label("Compliance and audit", "合规内审"),
    "customer": Label("Customer", "客户"),
    "customer_service": Label("Customer service", "客服"),
    "external_adjuster": Label("External adjuster", "公估"),
    "operations": Label("Operations", "运营"),
    "panel_member": Label("Panel member", "集体讨论成员"),
    "team_lead": Label("Team lead", "主管"),
    "underwriter": Label("Underwriter", "核保员"),
}


def permissions_of(roles: list[str]) -> frozenset[str]:
    """Everything these roles may do together."""
    return frozenset().union(*(ROLES.get(role, frozenset()) for role in roles))

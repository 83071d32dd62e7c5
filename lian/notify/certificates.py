"""The certificate of timeliness for people: a PDF that carries the signed JSON it was made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from lian.domain.case_kinds import KINDS
from lian.domain.certificate_reading import moment_from, sha256_of
from lian.domain.explain_words import amount
from lian.domain.labels import Label, Language
from lian.domain.promise_actions import DOCUMENTS, WAITS
from lian.domain.promise_tasks import CAUSES
from lian.domain.sla import Unit
from lian.notify.letters import Json, _dated, _in_eights, _render

TEMPLATE = "certificate.typ"
VERDICTS = {
    "met": Label("Kept", "按时完成"),
    "breached": Label("Broken", "已超时"),
    "running": Label("Running, in time", "计时中，未超时"),
    "paused": Label("Standing still", "已暂停"),
    "undecided": Label("Done; the calendar of its deadline is not published yet", "已完成，到期年份日历尚未公布"),
    "cancelled": Label("No longer applied", "不再适用"),
}
STATES = {
    ("ran", True): Label("Ran", "计时"),
    ("stood_still", True): Label("Stood still", "暂停"),
    ("ran", False): Label("Ran, made void", "计时（已作废）"),
    ("stood_still", False): Label("Stood still, made void", "暂停（已作废）"),
}
"""What a clock did, and whether a new start with the full period made it void."""
DONE_LATE = Label("Done, but late", "超时完成")
SOMETHING = Label("A request", "一项请求")
REASONS = {**WAITS, DOCUMENTS: Label("Missing documents were asked for", "等待补充资料")}
NOT_KNOWN = Label("Not known", "未知")


def render_certificate(
    document: Mapping[str, Any], text: str, *, filename: str, fingerprint: str, zone: str, language: Language
) -> bytes:
    """The certificate as PDF, with `text`, the file of that name, attached to it. Times are in `zone`."""
    words = certificate_words(
        document, text_sha256=sha256_of(text), filename=filename, fingerprint=fingerprint, zone=zone, language=language
    )
    issued_on = moment_from(document["certificate"]["issued_at"]).astimezone(ZoneInfo(zone)).date()
    return _render(TEMPLATE, words, issued_on, attached=text)


def certificate_words(
    document: Mapping[str, Any], *, text_sha256: str, filename: str, fingerprint: str, zone: str, language: Language
) -> dict[str, Json]:
    """What the template shows, already in the reader's language."""
    certificate, signature = document["certificate"], document["signature"]
    case, told = certificate["case"], _Teller(ZoneInfo(zone), language)
    kind = KINDS.get(case["kind"])
    issued_at = moment_from(certificate["issued_at"]).astimezone(ZoneInfo(zone))
    return {
        "insurer": certificate["issuer"],
        "case_number": case["number"],
        "kind": kind.label.within(language) if kind else case["kind"],
        "received_at": told.moment(case["received_at"]),
        "issued_at": told.moment(certificate["issued_at"]),
        "zone": zone,
        "packs": [", ".join(plan["packs"]) for plan in certificate["plans"]][-1],
        "clocks": [told.clock(clock, certificate["calendars"]) for clock in certificate["clocks"]],
        "head_seq": certificate["journal"]["head"]["seq"],
        "head_hash": _in_eights(certificate["journal"]["head"]["hash"]),
        "entries": [
            {"seq": str(entry["seq"]), "type": entry["type"], "hash": entry["hash"]}
            for entry in certificate["journal"]["entries"]
        ],
        "filename": filename,
        "text_sha256": _in_eights(text_sha256),
        "sha256": _in_eights(document["sha256"]),
        "algorithm": signature["algorithm"],
        "key_id": signature["key_id"],
        "fingerprint": _in_eights(fingerprint),
        "signature": _in_eights(signature["value"]),
        **_dated(issued_at.date(), language),
    }


class _Teller:
    """Clocks in words, in one language and zone."""

    def __init__(self, zone: ZoneInfo, language: Language) -> None:
        self._zone = zone
        self._language = language

    def clock(self, clock: Mapping[str, Any], calendars: Mapping[str, Any]) -> dict[str, Json]:
        policy, breach, ledger = clock["policy"], clock["breach"] or {}, clock["ledger"]
        calendar = calendars[clock["calendar"]]
        return {
            "name": clock["clock"],
            "label": self.say(Label(**policy["label"])),
            "promised": self.say(amount(policy["amount"], Unit(policy["unit"]))),
            "extended": self.say(amount(ledger["extended"], Unit(policy["unit"]))) if ledger["extended"] else "",
            "source": policy.get("source", ""),
            "packs": ", ".join(clock["packs"]),
            "calendar": calendar["version"] or calendar["name"],
            "calendar_tz": calendar["tz"],
            "started_at": self.moment(ledger["started_at"]),
            "stopped_at": self.moment(ledger["stopped_at"]),
            "due_at": self.deadline(clock["due_at"]) or self.say(NOT_KNOWN),
            "verdict": self.verdict(clock),
            "is_broken": clock["verdict"] == "breached",
            "broken_at": self.deadline(breach.get("legal_at")),
            "detected_at": self.moment(breach.get("detected_at")),
            "lateness": self._lateness(clock["lateness"]),
            "intervals": [self._interval(interval) for interval in clock["intervals"]],
            "changes": list(self._changes(clock["steps"])),
        }

    def verdict(self, clock: Mapping[str, Any]) -> str:
        is_late = clock["verdict"] == "breached" and clock["ledger"]["stopped_at"]
        return self.say(DONE_LATE if is_late else VERDICTS[clock["verdict"]])

    def _lateness(self, lateness: Mapping[str, Any] | None) -> str:
        if lateness is None:
            return ""
        cause = CAUSES.get(lateness["cause"], Label(lateness["cause"], lateness["cause"]))
        return f"{self.say(cause)} ({self.who(lateness['responsible'])})"

    def _interval(self, interval: Mapping[str, Any]) -> dict[str, Json]:
        return {
            "from": self.moment(interval["from_at"]),
            "to": self.moment(interval["to_at"]),
            "state": self.say(STATES[interval["state"], interval["counts"]]),
            "is_still": interval["state"] == "stood_still",
            "why": "; ".join(self._request(request) for request in interval["requests"]),
            "by": f"{self.who(interval['actor'])} #{interval['entry']}",
        }

    def _request(self, request: Mapping[str, Any]) -> str:
        return f"{self.say(REASONS.get(request['reason'], SOMETHING))} ({request['id'][:8]})"

    def _changes(self, steps: Sequence[Mapping[str, Any]]) -> list[dict[str, Json]]:
        """What else happened to it: longer times, other rules, new starts."""
        return [
            {
                "what": self.say(CHANGES[step["type"]]),
                "at": self.moment(step["at"]),
                "due_at": self.deadline(step.get("due_at")) or self.say(NOT_KNOWN),
                "by": f"{self.who(step.get('approved_by') or step['actor'])} #{step['entry']}",
            }
            for step in steps
            if step["type"] in CHANGES
        ]

    def who(self, actor: str) -> str:
        """Staff by the beginning of their id; nobody by name."""
        kind, _, rest = actor.partition(":")
        label = WHO.get(kind, Label(actor, actor))
        return f"{self.say(label)} {rest[:8]}".strip()

    def moment(self, written: str | None) -> str:
        return f"{self._local(written):%Y-%m-%d %H:%M:%S}" if written else ""

    def deadline(self, written: str | None) -> str:
        """The end of a date is its 24:00, not the next one's beginning."""
        if not written:
            return ""
        local = self._local(written)
        if (local.hour, local.minute, local.second) == (0, 0, 0):
            return f"{local - timedelta(days=1):%Y-%m-%d} 24:00:00"
        return f"{local:%Y-%m-%d %H:%M:%S}"

    def _local(self, written: str) -> datetime:
        return moment_from(written).astimezone(self._zone)

    def say(self, label: Label) -> str:
        return label.within(self._language)


CHANGES = {
    "clock.extended": Label("Given a longer time", "延长"),
    "clock.rebased": Label("Put under another rule or calendar", "适用新的规则或日历"),
    "clock.restarted": Label("Started anew", "重新起算"),
    "clock.breach_withdrawn": Label("Breach withdrawn", "撤销超时"),
    "clock.judged": Label("Judged once the calendar was published", "日历公布后判定"),
}
WHO = {
    "system": Label("System", "系统"),
    "staff": Label("Staff", "员工"),
    "customer": Label("Customer", "客户"),
    "web": Label("Online report", "线上报案"),
    "panel": Label("Panel", "集体讨论"),
}

"""The words in which promises and procedures meet: a procedure says what it has come to, packs say what follows.

Data only. A pack may use no other words than these; a procedure that reaches a new one adds it here first.
"""

from __future__ import annotations

from lian.domain.labels import Label

MILESTONES: dict[str, Label] = {
    # --- any case
    "received": Label("Report, complaint or question received", "收到报案、投诉或咨询"),
    "registered": Label("Registered", "立案"),
    "acknowledged": Label("Receipt acknowledged to the customer", "已确认收悉"),
    "reviewed": Label("Initial review done", "初审完成"),
    "documents_requested": Label("What is needed was listed and sent", "已一次性告知所需资料"),
    "documents_complete": Label("Last item, or proof of claim, received", "资料（索赔证明）收齐"),
    "delay_notified": Label("Customer told that more time is needed, and why", "已告知延期及理由"),
    "status_letter_sent": Label("Letter on the state of things sent", "已发送进展函"),
    "holding_letter_sent": Label("Holding letter sent instead of a final answer", "已发送未结说明函"),
    "message_received": Label("Customer's message that asks for an answer received", "收到客户来函"),
    "answered": Label("Answer sent", "已答复"),
    "message_answered": Label("Customer's message answered", "已答复客户来函"),
    "new_facts": Label("New facts received", "收到新的事实"),
    "withdrawn": Label("Withdrawn by the customer", "客户撤回"),
    "litigation_started": Label("Suit filed", "已提起诉讼"),
    "dispute_ended": Label("Dispute ended", "争议终结"),
    "closed": Label("Closed and the result fed back", "结案并反馈结果"),
    # --- claims
    "investigation_started": Label("Investigation begun", "开始调查"),
    "arson_suspected": Label("Arson suspected on a reasonable basis", "有合理依据怀疑纵火"),
    "decided": Label("Decided", "作出核定"),
    "accepted": Label("Decided to pay, in whole or in part", "核定属于保险责任"),
    "refused": Label("Decided that it is not covered", "核定不属于保险责任"),
    "decision_told": Label("Decision told to the customer", "已通知核定结果"),
    "refusal_sent": Label("Refusal with its reasons sent", "拒赔通知书已发出"),
    "settlement_agreed": Label("Settlement agreed", "达成赔付协议"),
    "advance_paid": Label("Undisputed amount paid in advance", "已先予支付"),
    "paid": Label("Paid", "已支付"),
    # --- complaints
    "first_handled": Label("Acknowledged, and the first handling recorded", "已确认并作首次处理记录"),
    "responded": Label("Substantive response sent", "已作实质性答复"),
    "graded_major": Label("Graded as major", "定为重大投诉"),
    "handled": Label("Handled", "处理完毕"),
    "complaint_upheld": Label("Complaint upheld", "投诉成立"),
    "complaint_rejected": Label("Complaint not upheld", "投诉不成立"),
    "resolved": Label("Resolved: the complainant accepts the outcome", "已解决（投诉人接受）"),
    "final_response_sent": Label("Final response sent", "最终答复已发出"),
    "review_requested": Label("Review asked for", "申请核查"),
    "review_told": Label("Outcome of the review told", "核查决定已告知"),
    "ombudsman_referred": Label("Referred to the ombudsman", "提交申诉专员"),
    # --- applications: of underwriting and of policy servicing
    "application_received": Label("Application received", "收到申请"),
    "application_complete": Label("Complete application received", "申请资料齐全"),
    "correction_notice_sent": Label("One notice of all that is missing sent", "一次性补正通知已发出"),
    "examination_notified": Label("Applicant told that an examination is needed", "已通知体检或生存调查"),
    "examination_reported": Label("Examination report received", "收到体检或调查报告"),
    "servicing_accepted": Label("Servicing request accepted", "保全申请已受理"),
    "servicing_approved": Label("Servicing request approved, or the full premium paid", "保全审批通过或保费缴清"),
    "servicing_done": Label("Servicing done", "保全办理完成"),
    # --- policies
    "policy_issued": Label("Policy issued", "保单签发"),
    "policy_delivered": Label("Policy made and delivered", "保单制作并送达"),
    "receipt_signed": Label("Receipt of the policy signed", "保单回执已签收"),
    "contract_suspended": Label("Contract suspended", "合同效力中止"),
    "lapse_notice_sent": Label("Notice of the lapse sent", "效力中止通知已发出"),
    "contract_reinstated": Label("Contract reinstated", "合同复效"),
    "termination_received": Label("Termination notice received", "收到解除合同通知"),
    "cash_value_refunded": Label("Cash value refunded", "已退还现金价值"),
    "transfer_notice_received": Label("Notice of transfer received", "收到保险标的转让通知"),
    "premium_or_termination": Label("Premium raised, or the contract terminated", "增加保费或解除合同"),
    "ground_for_rescission_known": Label("Ground for rescission known to the insurer", "保险人知悉解除事由"),
    "contract_concluded": Label("Contract concluded", "合同成立"),
    "contract_rescinded": Label("Contract rescinded", "合同解除"),
    "premium_demanded": Label("Premium demanded", "已催告缴费"),
    "premium_due": Label("Premium due", "保费约定支付日"),
    "premium_paid": Label("Premium paid", "保费已支付"),
    "insured_event_known": Label("Insured event known to the claimant", "知悉保险事故发生"),
    "limitation_expires": Label("Limitation period or policy time limit expires", "诉讼或保单时限届满"),
    "limitation_notice_sent": Label("Notice of the time limit sent", "时限提示函已发出"),
    "contract_ended": Label("Contract ended", "保险合同终止"),
    "relation_ended": Label("Relation with the customer ended", "业务关系结束"),
    # --- the office
    "problem_found": Label("Problem found in a call-back or recording", "回访或质检发现问题"),
    "problem_solved": Label("Problem solved", "问题已解决"),
    "intermediary_left": Label("Agent or broker has left", "销售人员离职"),
    "clients_told": Label("Clients told", "已告知客户"),
    "regulator_asked": Label("Regulator's question received", "收到监管问询"),
    "regulator_answered": Label("Complete answer given to the regulator", "已完整答复监管"),
    "regulator_received": Label("Received by the regulator", "监管机构收到"),
    "regulator_forwarded": Label("Forwarded by the regulator, complainant told", "监管机构转送并告知"),
    "survey_run": Label("Satisfaction survey run", "满意度调查完成"),
    "disposal_proposed": Label("Disposal proposed", "提出销毁"),
}
"""Everything a procedure may come to."""

GRADES: dict[str, Label] = {
    "simple": Label("Simple", "简易"),
    "complex": Label("Complex", "复杂"),
    "major": Label("Major", "重大"),
    "arson": Label("Suspected arson", "疑似纵火"),
    "short_term": Label("Contract of one year or less", "保险期间一年以下"),
    "long_term": Label("Contract of more than one year", "保险期间超过一年"),
}
"""How a case may be graded, where that decides which promises it has."""

PAUSE_REASONS: dict[str, Label] = {
    "documents": Label("Missing documents were asked for", "等待补充资料"),
    "fraud_investigation": Label("Fraud is investigated on a documented basis", "反欺诈调查"),
    "external_appraisal": Label("Appraisal, testing or valuation by others", "委托鉴定、检测、评估"),
    "mediation": Label("Mediation", "调解"),
    "examination": Label("Medical examination or inspection", "体检或生存调查"),
}
"""The kinds of open request that may make a clock stand still."""

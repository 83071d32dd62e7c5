"""Inquiries 咨询: a question, and its answer within 24 hours (INQ-1)."""

"""Alembic migrations; the schema they make equals the models, which a test proves."""

"""Checks of a checkout that no linter does; each is run as `python -m infra.checks.NAME` and fails with exit code 1."""

"""The rules of claims: pure functions that return findings and touch nothing."""

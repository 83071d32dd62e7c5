"""The JSON API against a real database and object store, mounted as in production."""

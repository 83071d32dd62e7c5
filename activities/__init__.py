"""Everything a process asks of the world: the journal, letters, the bank. Idempotent by key, each of them."""

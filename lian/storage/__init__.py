"""Bytes outside the database: documents, letters and the files exchanged with the bank."""

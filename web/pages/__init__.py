"""One module per surface; a view is about ten lines."""

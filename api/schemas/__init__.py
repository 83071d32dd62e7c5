"""The shapes on the wire, one module for each subject; each answer is made of plain values, never of table objects."""

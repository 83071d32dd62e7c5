"""What surrounds the product: the embedded servers of one machine, and the checks of a checkout."""

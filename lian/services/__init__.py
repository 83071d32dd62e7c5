"""What the product does, one module per subject. Each public function is one transaction or one call to the process."""

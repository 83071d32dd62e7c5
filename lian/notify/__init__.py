"""What leaves the house: letters as PDF and mail."""

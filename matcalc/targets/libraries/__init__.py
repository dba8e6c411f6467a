"""What the array libraries have in common."""

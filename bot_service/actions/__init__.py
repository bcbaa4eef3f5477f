"""What can happen: one use case a file, each one transaction with its audit entry."""

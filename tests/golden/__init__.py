"""What the service makes of fixed inputs, kept in files: rows, statements, answers, and the names that people rely on."""

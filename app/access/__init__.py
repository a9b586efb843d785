"""Who may do what: principals and their rights, tokens, and the file that holds them. Pure."""

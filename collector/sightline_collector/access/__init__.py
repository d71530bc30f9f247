"""Who may do what: keys with scopes, what each may send, what is kept of who asked, and erasure."""

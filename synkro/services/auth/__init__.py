"""Coming in: accounts, passwords, sessions, the second factor, and how often each may be tried."""

"""What processes at work tell whoever watches: log lines for programs, and traces. Nothing in here
changes a result."""

"""Independent peers of Holdfast for the tests: senders, backends, and the program as a child process."""

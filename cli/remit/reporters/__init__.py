"""Pages and lines for people and machines. Python decides what is said; nothing here reads or writes the store."""

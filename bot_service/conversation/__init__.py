"""What is said: reading replies, the turns of the conversation, and the words we send. Pure."""

"""What is simulated: people, ties, the day, the conditions."""

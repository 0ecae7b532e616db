"""What is asked: scenarios, estimands and published targets."""

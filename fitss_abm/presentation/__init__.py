"""What is shown: figures, summaries in words, descriptions of the model."""

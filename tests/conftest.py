"""What holds for all tests."""

from hypothesis import settings

# An example may be the one that compiles, which takes as long as the machine is busy.
settings.register_profile("without a deadline", deadline=None)
settings.load_profile("without a deadline")

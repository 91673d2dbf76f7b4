"""What holds for all tests."""

import gc

from hypothesis import settings

# A gate that can be trusted says the same of the same commit. `make test-slow` looks for new examples.
settings.register_profile("gate", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None, print_blob=True)
settings.load_profile("gate")


def pytest_unconfigure() -> None:
    # The load freezes what lives when it starts. Left frozen, native modules cannot clean up at the end, and
    # they say so at length below the results.
    gc.unfreeze()

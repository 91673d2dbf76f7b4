"""What holds for all tests."""

import gc


def pytest_unconfigure() -> None:
    # The load freezes what lives when it starts. Left frozen, native modules cannot clean up at the end, and
    # they say so at length below the results.
    gc.unfreeze()

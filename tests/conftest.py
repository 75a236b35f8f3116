"""Settings that all tests share."""

import hypothesis

# A deadline measures the machine, which other work may slow down; a test
# that hangs is stopped by pytest-timeout.
hypothesis.settings.register_profile("no_deadline", deadline=None)
hypothesis.settings.load_profile("no_deadline")

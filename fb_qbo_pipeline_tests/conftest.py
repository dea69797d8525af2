"""What all tests share: property tests have no time limit an example, because the machine's speed is no behaviour of ours."""

from hypothesis import settings

settings.register_profile("default-without-deadline", deadline=None)
settings.load_profile("default-without-deadline")

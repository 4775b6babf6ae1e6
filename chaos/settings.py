"""The product's settings, with another carrier's side: for worker processes that this run watches (chaos.backends)."""

import os

from clientcomm.settings import *  # noqa: F403

SMS_BACKEND = os.environ["CHAOS_BACKEND"]

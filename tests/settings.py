"""The product's settings as tests want them: found servers, quick passwords, strict templates, nothing outside."""

from tests import servers
from tests.templates import UndefinedVariable

servers.prepare_environment()

from clientcomm.settings import *

if DATABASE_URL:
    DATABASES["default"]["TEST"] = {"NAME": f"test_clientcomm_{servers.run_id()}"}
else:
    # A file, as in the product: threads and processes must meet in it. Nobody needs it to survive a power cut.
    DATABASES["default"]["TEST"] = {"NAME": servers.scratch_dir() / "test.sqlite3"}
    DATABASES["default"]["OPTIONS"]["init_command"] = (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA foreign_keys=ON;"
    )

# Argon2 is slow on purpose; a test that signs in need not wait for it.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# No collected files in a checkout: the finders serve them, and no name carries a hash.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = True

TEMPLATES[0]["OPTIONS"]["string_if_invalid"] = UndefinedVariable("%s")

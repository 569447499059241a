"""What holds for every test: none asks the real Hub, or reads this machine's cache of it."""

import atexit
import os
import shutil
import tempfile

from hypothesis import HealthCheck, settings

# A busy machine draws examples slowly, which says nothing about the code.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

# Read when the Hub's library is imported, by this process and by those that it starts. Nothing
# listens on port 9.
os.environ["HF_ENDPOINT"] = "http://127.0.0.1:9"
os.environ["HF_HOME"] = tempfile.mkdtemp(prefix="earmark-tests-")
atexit.register(shutil.rmtree, os.environ["HF_HOME"], ignore_errors=True)
# Hundreds of processes are started here: where Python keeps what it compiles, each takes half the
# time to start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
for name in ("HF_TOKEN", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HUB_OFFLINE"):
    os.environ.pop(name, None)

"""gunicorn -c config/gunicorn.conf.py rrcli_api.wsgi:app

Everything comes from the product's own settings (api.host, api.port, api.workers, api.threads, log.*), so
this file agrees with `rrcli api`. To differ from them, assign gunicorn's names below the last line.
"""

import sys

from rrcli import log, settings
from rrcli.errors import InvalidSettings
from rrcli_api.server import options

try:
    _settings = settings.load().settings
except InvalidSettings as error:
    sys.exit(f"Error: {error.message}")

log.setup(_settings.log.level, _settings.log.format)
globals().update(options(_settings))

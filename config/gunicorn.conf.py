"""gunicorn -c config/gunicorn.conf.py rrcli_api.wsgi:app

Everything comes from the product's own settings (api.host, api.port, api.workers, api.threads, log.*), so
this file agrees with `rrcli api`. To differ from them, assign gunicorn's names below the last line.
"""

import sys

from rrcli import log, settings
from rrcli.errors import SchedulerError
from rrcli_api.server import options, require_guarded

try:
    _settings = settings.load().settings
    log.setup(_settings.log.level, _settings.log.format)
    require_guarded(_settings)
except SchedulerError as error:
    sys.exit(f"Error: {error.message}" + (f"\nHint: {error.hint}" if error.hint else ""))

globals().update(options(_settings))

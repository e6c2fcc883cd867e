"""`python -m config.supervisor`: what `make demo` runs once everything is installed."""

import sys

from config.supervisor.demo import Demo
from config.supervisor.interruption import Interruption, Stopped
from config.supervisor.options import options
from config.supervisor.steps import Steps
from config.supervisor.trouble import Trouble


def main() -> int:
    """0 when we stopped because we were asked to, 1 when something went wrong (said on stderr)."""
    steps = Steps()
    asked = Interruption(on_pause=steps.tick)
    asked.install()
    try:
        Demo(options(), steps=steps, asked=asked).run()
    except Stopped:
        return 0
    except Trouble as trouble:
        print(f"\n{trouble}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

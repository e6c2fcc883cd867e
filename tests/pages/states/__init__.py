"""Every page in every state, for the tests that look at all of them.

`axe`, the pictures, the pseudo-language and the scripts all go through STATES. A page that no state
shows fails a test.
"""

from tests.pages.states import arriving, console, conversing, last_resort, leaving, seldom
from tests.pages.states.people import answered, study
from tests.pages.states.registry import STATES, State, Visit

__all__ = [
    "STATES",
    "State",
    "Visit",
    "answered",
    "arriving",
    "console",
    "conversing",
    "last_resort",
    "leaving",
    "seldom",
    "study",
]

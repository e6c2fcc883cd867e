"""How the end of a sitting is told to the panel that sent the person."""

from studies import identifying
from studies.models import Enrolment
from studies.panels import Arrival, WayBack, way_back
from studies.rules import current_rules


def way_back_of(
    *, enrolment: Enrolment, exit_code: str | None, arrived: Arrival | None
) -> WayBack | None:
    """What the person goes back with; None for who came by no panel. At most two queries.

    `arrived` is what this browser knows of their arrival: in another one, an address that names the
    person to the panel cannot be made, and the code is all there is.
    """
    name = identifying.panel_of(enrolment) or (arrived.panel if arrived else None)
    panel = current_rules(enrolment.study).panels.get(name) if name else None
    if panel is None or exit_code is None:
        return None
    return way_back(panel, outcome=exit_code, back=arrived.back if arrived else "")

"""Who a panel's person is: the one table that joins a panel's ids, as keyed hashes, to pseudonyms.

The constraints of the table make one person of one identity, whoever writes first; the code here
only finds and stores.
"""

from dataclasses import dataclass
from uuid import UUID

from studies.models import Enrolment, Identity, Sitting
from studies.panels import Arrival


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody whom a panel sent before. `same_submission`: by the submission of this arrival."""

    enrolment: Enrolment
    same_submission: bool


def find_known(*, study_id: UUID, arrived: Arrival) -> Known | None:
    """The person of this arrival, with cohort and study; None for a stranger. At most 3 queries."""
    identity = Identity.objects.filter(
        study_id=study_id, panel=arrived.panel, external_hmac=arrived.person
    ).first()
    if identity is None:
        return None
    people = Enrolment.objects.select_related("cohort__study", "study")
    enrolment = people.get(study_id=study_id, pseudonym=identity.pseudonym)
    return Known(enrolment, same_submission=_is_known(identity, enrolment, arrived))


def _is_known(identity: Identity, enrolment: Enrolment, arrived: Arrival) -> bool:
    waits_for_it = enrolment.state == Enrolment.State.CONSENTED
    if waits_for_it and identity.arrived_with == arrived.submission:
        return True
    sat = Sitting.objects.filter(enrolment=enrolment, panel_session_hmac=arrived.submission)
    return sat.exists()


def is_of_another(arrived: Arrival, *, than: Enrolment | None = None) -> bool:
    """Whether this submission is somebody else's: a link whose parameters were changed by hand.

    One query.
    """
    sat = Sitting.objects.filter(panel_session_hmac=arrived.submission)
    begun = Identity.objects.filter(arrived_with=arrived.submission)
    if than is not None:
        sat = sat.exclude(enrolment=than)
        begun = begun.exclude(study_id=than.study_id, pseudonym=than.pseudonym)
    return begun.values("pk").union(sat.values("pk")).exists()


def store_identity(*, enrolment: Enrolment, arrived: Arrival) -> Identity:
    """Raises IntegrityError when this identity is a person already, or the submission another's."""
    return Identity.objects.create(
        study_id=enrolment.study_id,
        panel=arrived.panel,
        external_hmac=arrived.person,
        pseudonym=enrolment.pseudonym,
        arrived_with=arrived.submission,
    )


def first_submission(enrolment: Enrolment) -> str | None:
    """The submission under which the person's first sitting runs; None for who came otherwise."""
    found = Identity.objects.filter(study_id=enrolment.study_id, pseudonym=enrolment.pseudonym)
    return found.values_list("arrived_with", flat=True).first()


def arrive_with(*, enrolment: Enrolment, arrived: Arrival) -> None:
    """The first sitting will run under another submission: the person left before they began."""
    Identity.objects.filter(study_id=enrolment.study_id, pseudonym=enrolment.pseudonym).update(
        arrived_with=arrived.submission
    )


def panel_of(enrolment: Enrolment) -> str | None:
    """The name of the panel that the person came from. One query."""
    found = Identity.objects.filter(study_id=enrolment.study_id, pseudonym=enrolment.pseudonym)
    return found.values_list("panel", flat=True).first()

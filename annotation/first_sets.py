"""Which set an assignment gets at its first turn, by the study's rule. Decided from rows alone."""

from sampling.further_sets import Question, request_replica, take_spare_set
from sampling.models import CandidateSet
from studies.rules import FirstSets

PERSON = CandidateSet.Priority.PERSON


def ask_first(question: Question, *, rule: FirstSets, claim_no: int) -> CandidateSet:
    """The set of the `claim_no`-th assignment of a prompt, in whatever state it is.

    The one that all share; the one of the group that the number falls into; or one that nobody
    else sees, made ahead if there is one. Raises as request_candidate_set.
    """
    match rule.rule:
        case "shared":
            return question.ask(shared=True, priority=PERSON)
        case "replicas":
            group = claim_no % rule.replicas
            return request_replica(question, group=group, groups=rule.replicas)
        case "fresh":
            spare = take_spare_set(question)
            return spare or question.ask(shared=False, priority=PERSON)


def ask_alone(question: Question) -> CandidateSet:
    """A set for one person: of later turns, and of a question of their own."""
    return question.ask(shared=False, priority=PERSON)

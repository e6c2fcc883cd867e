"""The claim of a prompt cell: one statement.

It picks a least-covered cell with room that this person has not had, from a random point on,
skipping those that others are claiming at the moment, and inserts the assignment; the cell's
trigger counts it. Where "skip locked" finds nothing, the same is asked for in patience.
"""

import json
from contextlib import nullcontext
from string import Template
from typing import Any

from django.db import connection, transaction

from annotation.locking import lock_person
from annotation.models import Assignment

Parameters = dict[str, Any]

# The person, held: a claim of theirs in another tab waits, and so does their leaving. What they had
# and did was looked at a moment ago; where it is no longer so, nothing is claimed.
ME = """
    SELECT enrolment.id, enrolment.cohort_id FROM studies_enrolment enrolment
    JOIN studies_study study ON study.id = enrolment.study_id
    JOIN studies_sitting sitting ON sitting.id = %(sitting)s AND sitting.enrolment_id = enrolment.id
    WHERE enrolment.id = %(enrolment)s AND enrolment.state = 'enrolled' AND study.state = 'open'
        AND sitting.state = 'open' AND %(done)s < sitting.target
        AND %(held)s < coalesce(enrolment.max_conversations, 2147483647)
        AND %(held)s = (SELECT count(*) FROM annotation_assignment
            WHERE enrolment_id = %(enrolment)s AND state IN ('open', 'submitted'))
    FOR NO KEY UPDATE OF enrolment
"""
# A cell that they may get: one with room, whose prompt they never had.
PLACE = "cell.cohort_id = %(cohort)s AND cell.taken < cell.overlap AND cell.retired_at IS NULL"
ROOM = "$place AND cell.id <> ALL (%(had)s::uuid[])"
PICKED = "cell.id, cell.taken, cell.claims, cell.shuffle_key"
# Each way to pick asks for the person's cohort by `me`: their row is locked before any cell.
# The usual way: the next cell on the circle within the lowest stratum of coverage, by its index;
# from beyond the last one, the first.
PICK_AT_ONCE = """
    SELECT $picked FROM annotation_promptcell cell
    WHERE $room AND cell.cohort_id = me.cohort_id AND cell.taken = (SELECT taken FROM lowest)
        AND cell.shuffle_key >= CASE WHEN %(start)s <= (
            SELECT cell.shuffle_key FROM annotation_promptcell cell
            WHERE $room AND cell.taken = (SELECT taken FROM lowest)
            ORDER BY cell.shuffle_key DESC LIMIT 1) THEN %(start)s ELSE 0 END
    ORDER BY cell.shuffle_key LIMIT 1 FOR NO KEY UPDATE OF cell SKIP LOCKED
"""
# When that stratum is busy, or was filled in the meantime: any cell with room that is free.
PICK_FREE = """
    SELECT $picked FROM annotation_promptcell cell WHERE $room AND cell.cohort_id = me.cohort_id
    ORDER BY cell.taken, cell.shuffle_key < %(start)s, cell.shuffle_key
    LIMIT 1 FOR NO KEY UPDATE OF cell SKIP LOCKED
"""
# When every cell with room is held by somebody: wait for one. A cell that turns out full stays
# locked while the next is waited for, so that everybody who waits must go in the same order.
PICK_PATIENTLY = """
    SELECT $picked FROM annotation_promptcell cell WHERE $room AND cell.cohort_id = me.cohort_id
    ORDER BY cell.id LIMIT 1 FOR NO KEY UPDATE OF cell
"""
# A start is uniform on the circle of shuffle keys, and leads to the next cell: the probability of a
# cell is the gap between the one before it and itself, all the circle when it is alone. One look
# at the index; counting the stratum would read all of it.
LAST = """
    SELECT cell.shuffle_key FROM annotation_promptcell cell
    WHERE $room AND cell.taken = picked.taken ORDER BY cell.shuffle_key DESC LIMIT 1
"""
BEFORE = """
    SELECT cell.shuffle_key FROM annotation_promptcell cell
    WHERE $room AND cell.taken = picked.taken AND cell.shuffle_key < picked.shuffle_key
    ORDER BY cell.shuffle_key DESC LIMIT 1
"""
GAP = (
    "least(1.0, picked.shuffle_key - coalesce(($before), ($last) - 1.0, picked.shuffle_key - 1.0))"
)
# Arms come in permuted blocks: within as many claims as the shares add up to, each arm has exactly
# its share, in an order that the study's seed decides.
ARMS = "SELECT sum(share) AS size FROM sampling_arm WHERE cohort_id = %(cohort)s"
ARM = """
    SELECT arm.id AS arm_id, arm.share::float8 / arms.size AS p_arm
    FROM sampling_arm arm, generate_series(1, arm.share) part
    WHERE arm.cohort_id = %(cohort)s
    ORDER BY md5(concat_ws(':', %(seed)s::text, claim.stratum_id,
        (claim.claim_no - 1) / arms.size, arm.name, part))
    OFFSET (claim.claim_no - 1) %% arms.size LIMIT 1
"""
INSERT = """
INSERT INTO annotation_assignment (id, enrolment_id, sitting_id, cohort_id, cell_id, arm_id, state,
    deadline, claim_no, surplus, p_prompt, p_arm, draw, reason, created_at)
SELECT %(id)s, me.id, %(sitting)s, me.cohort_id, claim.cell_id, drawn.arm_id, 'open',
    %(deadline)s, claim.claim_no, false, claim.p_prompt, drawn.p_arm,
    %(draw)s::jsonb || claim.draw, '', %(now)s
FROM me, claim, ($arms) arms, LATERAL ($arm) drawn
RETURNING cell_id, arm_id, claim_no, p_prompt, p_arm, draw
"""
CLAIM_CELL = """
WITH me AS MATERIALIZED ($me),
lowest AS MATERIALIZED (
    SELECT cell.taken FROM annotation_promptcell cell WHERE $room ORDER BY cell.taken LIMIT 1
),
claim AS MATERIALIZED (
    SELECT picked.id AS cell_id, picked.id AS stratum_id, picked.claims + 1 AS claim_no,
        $gap AS p_prompt, jsonb_build_object('stratum', picked.taken, 'way', '$way') AS draw
    FROM me, LATERAL ($pick) picked
)
$insert"""
# Claims of own prompts in one cohort take turns, so that each gets a number of its own.
OWN_TURN = "SELECT pg_advisory_xact_lock(hashtextextended('own:' || %(cohort)s::text, 0))"
CLAIM_OWN = """
WITH me AS MATERIALIZED ($me),
claim AS (
    SELECT NULL::uuid AS cell_id, me.cohort_id AS stratum_id, 1.0 AS p_prompt, '{}'::jsonb AS draw,
        1 + coalesce((SELECT max(own.claim_no) FROM annotation_assignment own
            WHERE own.cohort_id = me.cohort_id AND own.cell_id IS NULL
                AND own.repeat_of_id IS NULL), 0) AS claim_no
    FROM me
)
$insert"""
# One of the person's own finished conversations, whose prompt and arm still are what they were, and
# which so many others of theirs have followed. Its number is the original's: no draw depends on it.
CLAIM_REPEAT = """
WITH me AS MATERIALIZED ($me),
claim AS (
    SELECT earlier.id, earlier.arm_id, earlier.claim_no
    FROM me
    JOIN annotation_assignment earlier ON earlier.enrolment_id = me.id
    JOIN annotation_conversation talk ON talk.assignment_id = earlier.id
    JOIN annotation_turn turn ON turn.conversation_id = talk.id AND turn.number = 0
    JOIN sampling_candidateset asked ON asked.id = turn.set_id AND asked.retired_at IS NULL
    JOIN sampling_arm arm ON arm.id = earlier.arm_id AND arm.plan_id = talk.plan_id
    JOIN annotation_promptcell cell ON cell.id = earlier.cell_id AND cell.retired_at IS NULL
    WHERE earlier.state = 'submitted' AND NOT earlier.surplus AND turn.shown_at IS NOT NULL
        AND NOT EXISTS (SELECT FROM annotation_assignment again
            WHERE again.repeat_of_id = earlier.id)
        AND (SELECT count(*) FROM annotation_assignment later
            WHERE later.enrolment_id = me.id AND later.created_at > earlier.created_at
                AND later.state = 'submitted') >= %(after)s
    ORDER BY md5(%(seed)s::text || earlier.id) LIMIT 1
)
INSERT INTO annotation_assignment (id, enrolment_id, sitting_id, cohort_id, cell_id, repeat_of_id,
    arm_id, state, deadline, claim_no, surplus, p_prompt, p_arm, draw, reason, created_at)
SELECT %(id)s, me.id, %(sitting)s, me.cohort_id, NULL, claim.id, claim.arm_id, 'open',
    %(deadline)s, claim.claim_no, false, 1.0, 1.0, %(draw)s::jsonb || '{"way": "repeat"}', '',
    %(now)s
FROM me, claim
RETURNING id
"""
COUNT_ROOM = """
SELECT count(*) FROM annotation_promptcell cell
WHERE $place AND cell.id NOT IN (SELECT cell_id FROM annotation_assignment
    WHERE enrolment_id = %(enrolment)s AND cell_id IS NOT NULL)
"""


PARTS = {
    "me": ME,
    "place": PLACE,
    "room": ROOM,
    "picked": PICKED,
    "last": LAST,
    "before": BEFORE,
    "gap": GAP,
    "insert": INSERT,
    "arms": ARMS,
    "arm": ARM,
}


def _fill(text: str, **parts: str) -> str:
    """The statement with its parts in place: constants of this module, nothing from outside."""
    while "$" in text:
        text = Template(text).substitute(PARTS, **parts)
    return text


AT_ONCE = _fill(CLAIM_CELL, pick=PICK_AT_ONCE, way="at once")
FREE = _fill(CLAIM_CELL, pick=PICK_FREE, way="free")
PATIENTLY = _fill(CLAIM_CELL, pick=PICK_PATIENTLY, way="patiently")
OWN = _fill(CLAIM_OWN)
REPEAT = _fill(CLAIM_REPEAT)
ROOM_LEFT = _fill(COUNT_ROOM)


def claim_cell(parameters: Parameters) -> Assignment | None:
    """A new assignment of a least-covered prompt; None when none was found.

    Locks the person, and one cell; waits for others only when every cell with room is theirs.
    Raises IntegrityError when the person got an assignment in another tab at the same time.
    """
    for statement in (AT_ONCE, FREE, PATIENTLY):
        if found := _run(statement, parameters):
            return found
    return None


@transaction.atomic
def claim_own(parameters: Parameters) -> Assignment | None:
    """A new assignment without a prompt; None when the person or the study is out.

    Raises as claim_cell.
    """
    # The person first, then the cohort's turn, and only then the number: locks go one way.
    lock_person(parameters["enrolment"])
    with connection.cursor() as cursor:
        cursor.execute(OWN_TURN, parameters)
    return _run(OWN, parameters)


def claim_repeat(parameters: Parameters, *, after: int) -> Assignment | None:
    """A marked repeat of a conversation that at least `after` others have followed; None: no such.

    Raises as claim_cell.
    """
    with (
        transaction.atomic() if connection.in_atomic_block else nullcontext(),
        connection.cursor() as cursor,
    ):
        cursor.execute(REPEAT, {**parameters, "after": after})
        row = cursor.fetchone()
    return Assignment.objects.get(pk=row[0]) if row else None


def has_room(parameters: Parameters) -> bool:
    """Whether any cell could still be given to this person, by a plain count."""
    with connection.cursor() as cursor:
        cursor.execute(ROOM_LEFT, parameters)
        return bool(cursor.fetchone()[0])


def _run(statement: str, parameters: Parameters) -> Assignment | None:
    # A statement is a transaction by itself; inside another one it needs a way back.
    with (
        transaction.atomic() if connection.in_atomic_block else nullcontext(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, parameters)
        row = cursor.fetchone()
    return _assignment(parameters, *row) if row else None


def _assignment(given: Parameters, *drawn: Any) -> Assignment:
    """The row just inserted, as a model: reading it back through the ORM costs more than the claim.

    `drawn` is what the statement returns: cell, arm, claim_no, p_prompt, p_arm, draw.
    """
    cell_id, arm_id, claim_no, p_prompt, p_arm, draw = drawn
    made = Assignment(
        id=given["id"],
        enrolment_id=given["enrolment"],
        sitting_id=given["sitting"],
        cohort_id=given["cohort"],
        cell_id=cell_id,
        arm_id=arm_id,
        deadline=given["deadline"],
        claim_no=claim_no,
        p_prompt=p_prompt,
        p_arm=p_arm,
        draw=json.loads(draw),
        created_at=given["now"],
    )
    made._state.adding = False
    made._state.db = connection.alias
    return made

"""The audit trail's only writer."""

import hashlib
import json
from typing import Any

from django.db import connection, transaction

from studies.models import Audit

# Any constant: writers of the trail take turns on it, so that the chain has no fork.
CHAIN_LOCK = 0x636F756E


def record(*, by: str, action: str, on: str, payload: dict[str, Any] | None = None) -> Audit:
    """Append one act to the trail, chained to the one before.

    `by` names the actor (`researcher:ID`, `command:NAME`, `annotator:PSEUDONYM`), `on` the object.
    Takes an advisory lock until the transaction ends, so call it last.
    """
    payload = payload or {}
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])
        before = Audit.objects.order_by("-seq").first()
        return Audit.objects.create(
            actor=by,
            action=action,
            object=on,
            payload=payload,
            payload_sha256=_sha256(payload),
            previous_sha256=chain_hash(before) if before else "",
        )


def chain_hash(entry: Audit) -> str:
    """What the next entry keeps of this one: a hash over every field that tells something."""
    return _sha256(
        [
            entry.seq,
            entry.actor,
            entry.action,
            entry.object,
            entry.payload_sha256,
            entry.previous_sha256,
        ]
    )


def _sha256(value: Any) -> str:
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()

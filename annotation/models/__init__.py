"""What an annotator sees and decides."""

from annotation.models.assignment import Assignment, PromptCell
from annotation.models.conversation import Comparison, Conversation, Turn
from annotation.models.mark import ComparisonMark
from annotation.models.report import Report
from annotation.models.rest import Break
from annotation.models.submission import Draft, Submission

__all__ = [
    "Assignment",
    "Break",
    "Comparison",
    "ComparisonMark",
    "Conversation",
    "Draft",
    "PromptCell",
    "Report",
    "Submission",
    "Turn",
]

"""Addresses of the annotator's pages. Ids in them are random; only the first three have tokens."""

from django.urls import path, register_converter
from django.urls.converters import IntConverter

from annotation.views import (
    arriving,
    arriving_by_panel,
    conversing,
    facts,
    keeping,
    leaving,
    my_work,
    practising,
    preparing,
    resting,
    working,
)


class TurnNumber(IntConverter):
    """A number that a turn can have: what no row could hold is no address."""

    regex = "[0-9]{1,4}"


register_converter(TurnNumber, "turn_no")

urlpatterns = [
    path("join/<str:token>/", arriving.join, name="join"),
    path("panel/<str:token>/", arriving_by_panel.arrive, name="panel"),
    path("return/<str:token>/", arriving.come_back, name="come-back"),
    path("welcome/", arriving.welcome, name="welcome"),
    path("questions/", preparing.questions, name="questions"),
    path("consent/", preparing.consent, name="consent"),
    path("consent/change/", preparing.change_consent, name="change-consent"),
    path("tutorial/", practising.tutorial, name="tutorial"),
    path("instructions/", arriving.instructions, name="instructions"),
    path("sitting/", arriving_by_panel.sitting, name="sitting"),
    path("duplicate/", arriving_by_panel.duplicate, name="duplicate"),
    path("work/", working.work, name="work"),
    path("work/<uuid:assignment_id>/message/", working.own_message, name="own-message"),
    path("work/<uuid:assignment_id>/skip/", working.skip, name="skip"),
    path("conversation/<uuid:conversation_id>/", conversing.conversation, name="conversation"),
    path(
        "conversation/<uuid:conversation_id>/<turn_no:turn_no>/comparison/",
        conversing.comparison,
        name="comparison",
    ),
    path("conversation/<uuid:conversation_id>/message/", conversing.message, name="message"),
    path("conversation/<uuid:conversation_id>/draft/", keeping.draft, name="draft"),
    path("work/<uuid:assignment_id>/draft/", keeping.own_draft, name="own-draft"),
    path("conversation/<uuid:conversation_id>/report/", conversing.report, name="report"),
    path("conversation/<uuid:conversation_id>/finish/", conversing.finish, name="finish"),
    path("conversation/<uuid:conversation_id>/retry/", conversing.retry, name="retry"),
    path("closing/", leaving.closing, name="closing"),
    path("withdraw/", leaving.withdraw, name="withdraw"),
    path("withdraw/code/", leaving.withdrawal_code, name="withdrawal-code"),
    path("withdraw/done/", leaving.withdrawn, name="withdrawn"),
    path("pause/", resting.pause, name="pause"),
    path("pause/end/", resting.pause_end, name="pause-end"),
    path("pause/later/", resting.pause_later, name="pause-later"),
    path("extend/", resting.extend, name="extend"),
    path("my-work/", my_work.my_work, name="my-work"),
    path("my-work/data/", my_work.data, name="my-data"),
    path("my-work/enquiry/", my_work.enquiry, name="enquiry"),
    path("my-work/enquiry/draft/", keeping.enquiry_draft, name="enquiry-draft"),
    path("help/", facts.help_page, name="help"),
    path("accessibility/", facts.accessibility, name="accessibility"),
    path("privacy/", facts.privacy, name="privacy"),
    path("language/", leaving.language, name="language"),
]

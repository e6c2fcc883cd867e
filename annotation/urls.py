"""Addresses of the annotator's pages. Ids in them are random; only the first three have tokens."""

from django.urls import path

from annotation.views import (
    arriving,
    arriving_by_panel,
    conversing,
    leaving,
    practising,
    preparing,
    working,
)

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
        "conversation/<uuid:conversation_id>/<int:turn_no>/comparison/",
        conversing.comparison,
        name="comparison",
    ),
    path("conversation/<uuid:conversation_id>/message/", conversing.message, name="message"),
    path("conversation/<uuid:conversation_id>/finish/", conversing.finish, name="finish"),
    path("conversation/<uuid:conversation_id>/retry/", conversing.retry, name="retry"),
    path("closing/", leaving.closing, name="closing"),
    path("help/", leaving.help_page, name="help"),
    path("withdraw/", leaving.withdraw, name="withdraw"),
    path("language/", leaving.language, name="language"),
]

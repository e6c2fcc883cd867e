"""Addresses of the annotator's pages. Ids in them are random, and tokens only in the first two."""

from django.urls import path

from annotation.views import arriving, conversing, keeping, leaving, working

urlpatterns = [
    path("join/<str:token>/", arriving.join, name="join"),
    path("return/<str:token>/", arriving.come_back, name="come-back"),
    path("welcome/", arriving.welcome, name="welcome"),
    path("questions/", arriving.questions, name="questions"),
    path("instructions/", arriving.instructions, name="instructions"),
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
    path("conversation/<uuid:conversation_id>/draft/", keeping.draft, name="draft"),
    path("work/<uuid:assignment_id>/draft/", keeping.own_draft, name="own-draft"),
    path("conversation/<uuid:conversation_id>/report/", conversing.report, name="report"),
    path("conversation/<uuid:conversation_id>/finish/", conversing.finish, name="finish"),
    path("conversation/<uuid:conversation_id>/retry/", conversing.retry, name="retry"),
    path("closing/", leaving.closing, name="closing"),
    path("help/", leaving.help_page, name="help"),
    path("withdraw/", leaving.withdraw, name="withdraw"),
    path("language/", leaving.language, name="language"),
]

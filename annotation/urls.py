"""Addresses of the annotator's pages. Ids in them are random, and tokens only in the first two."""

from django.urls import path

from annotation.views import arriving, conversing, facts, leaving, my_work, resting, working

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
    path("help/", facts.help_page, name="help"),
    path("accessibility/", facts.accessibility, name="accessibility"),
    path("privacy/", facts.privacy, name="privacy"),
    path("language/", leaving.language, name="language"),
]

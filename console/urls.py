"""Addresses of researchers: the console, and signing in and out."""

from django.urls import path

from console import annotators, endpoints, views
from console.lab import views as lab
from console.signing_in import SignIn, SignOut
from studies.access_rules import public

urlpatterns = [
    path("", views.front, name="front"),
    path("console/", views.overview, name="console"),
    path("style/", views.style, name="style"),
    path("console/enquiries/", annotators.enquiries, name="enquiries"),
    path(
        "console/enquiries/<uuid:enquiry_id>/answer/",
        annotators.answer_enquiry,
        name="answer_enquiry",
    ),
    path("console/annotators/", annotators.find_annotator, name="find_annotator"),
    path("console/annotators/<uuid:enrolment_id>/", annotators.annotator, name="annotator"),
    path("console/reports/", views.reports, name="reports"),
    path("console/reports/<uuid:set_id>/put-back/", views.put_back, name="put_back"),
    path("console/endpoints/", endpoints.endpoints, name="endpoints"),
    path("console/endpoints/<uuid:endpoint_id>/try/", endpoints.try_endpoint, name="try_endpoint"),
    path("console/lab/", lab.one, name="lab"),
    path("console/lab/batch/", lab.batch, name="lab_batch"),
    path("console/lab/<uuid:run_id>/", lab.run, name="lab_run"),
    path("console/lab/<uuid:run_id>/again/", lab.again, name="lab_again"),
    path("console/lab/reading/<slug:slug>/<slug:language>/", lab.reading, name="lab_reading"),
    path("accounts/login/", public(SignIn.as_view()), name="login"),
    path("accounts/logout/", public(SignOut.as_view()), name="logout"),
]

"""Researchers: the people who sign in. Annotators never do; they hold links."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from studies.models.study import Study


class ResearcherManager(BaseUserManager["Researcher"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "Researcher":
        """Store a researcher; without a password nobody can sign in as them."""
        researcher = self.model(email=self.normalize_email(email), **fields)
        researcher.set_password(password)
        researcher.save(using=self._db)
        return researcher


class Researcher(AbstractBaseUser):
    email = models.EmailField(unique=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    studies: "models.ManyToManyField[Study, Membership]" = models.ManyToManyField(
        Study, through="Membership", related_name="researchers"
    )

    USERNAME_FIELD = "email"
    objects: ClassVar[ResearcherManager] = ResearcherManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="researcher_email_any_case"),
        ]

    def __str__(self) -> str:
        return self.email


class Membership(models.Model):
    """A researcher's access to one study. Without it the study answers 404."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="memberships")
    researcher = models.ForeignKey(Researcher, on_delete=models.CASCADE, related_name="memberships")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "researcher"], name="membership_once"),
        ]

"""A consent record for each purpose, answers as they were shown, sensitive ones kept apart."""

import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("studies", "0004_arrival_rules"),
    ]

    operations = [
        migrations.CreateModel(
            name="SensitiveAnswer",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("key", models.SlugField(max_length=60)),
                ("value", models.JSONField(null=True)),
                (
                    "offered",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200), null=True, size=None
                    ),
                ),
                ("place", models.PositiveSmallIntegerField(default=0)),
                ("answered_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="TutorialTry",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("item", models.SlugField(max_length=60)),
                ("n", models.PositiveSmallIntegerField(help_text="first or second try")),
                ("given", models.JSONField()),
                ("passed", models.BooleanField()),
                ("tried_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name_plural": "tutorial tries",
            },
        ),
        migrations.AddField(
            model_name="questionnaire",
            name="sections",
            field=models.JSONField(default=dict, help_text="section -> title by language, shuffle"),
        ),
        migrations.AlterField(
            model_name="questionnaire",
            name="questions",
            field=models.JSONField(help_text="as studies.questions writes them"),
        ),
        migrations.AddField(
            model_name="answer",
            name="offered",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=200), null=True, size=None
            ),
        ),
        migrations.AddField(
            model_name="answer",
            name="place",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="consentdocument",
            name="asks",
            field=models.JSONField(
                default=dict, help_text="purpose -> the study's own words for it, in this language"
            ),
        ),
        migrations.AddField(
            model_name="consentrecord",
            name="purpose",
            field=models.CharField(default="take_part", max_length=40),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="enrolment",
            name="consent_version",
            field=models.PositiveIntegerField(
                editable=False, help_text="newest version answered", null=True
            ),
        ),
        migrations.AddField(
            model_name="enrolment",
            name="purposes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=40),
                db_default=[],
                default=list,
                editable=False,
                help_text="agreed to",
                size=None,
            ),
        ),
        migrations.AlterField(
            model_name="answer",
            name="enrolment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="%(class)ss",
                to="studies.enrolment",
            ),
        ),
        migrations.AlterField(
            model_name="consentdocument",
            name="purposes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=40),
                help_text="asked apart, each with a yes or a no",
                size=None,
            ),
        ),
        migrations.AddConstraint(
            model_name="consentrecord",
            constraint=models.UniqueConstraint(
                fields=("enrolment", "purpose", "given_at"), name="consent_record_one_at_a_time"
            ),
        ),
        migrations.AddField(
            model_name="sensitiveanswer",
            name="enrolment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="%(class)ss",
                to="studies.enrolment",
            ),
        ),
        migrations.AddField(
            model_name="sensitiveanswer",
            name="questionnaire",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, to="studies.questionnaire"
            ),
        ),
        migrations.AddField(
            model_name="tutorialtry",
            name="enrolment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="tries",
                to="studies.enrolment",
            ),
        ),
        migrations.AddConstraint(
            model_name="sensitiveanswer",
            constraint=models.UniqueConstraint(
                fields=("enrolment", "questionnaire", "key"), name="sensitive_answer_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="tutorialtry",
            constraint=models.UniqueConstraint(
                fields=("enrolment", "item", "n"), name="tutorial_try_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="tutorialtry",
            constraint=models.UniqueConstraint(
                condition=models.Q(("passed", True)),
                fields=("enrolment", "item"),
                name="tutorial_passed_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="tutorialtry",
            constraint=models.CheckConstraint(
                condition=models.Q(("n__in", [1, 2])), name="tutorial_two_tries"
            ),
        ),
    ]

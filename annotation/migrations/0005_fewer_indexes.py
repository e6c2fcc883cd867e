"""Drops the indexes that others cover: each claim writes all of its cell's again."""

import django.db.models.deletion
from django.db import migrations, models

# By name: Django would drop every index that has just that column, the conditional unique ones too.
WITHOUT_INDEXES = """
DROP INDEX annotation_assignment_enrolment_id_738011af, annotation_assignment_arm_id_3cc32513,
    annotation_promptcell_study_id_e9595f94, annotation_promptcell_cohort_id_5c8193d8,
    annotation_promptcell_prompt_id_85d4c675;
"""
WITH_INDEXES = """
CREATE INDEX annotation_assignment_enrolment_id_738011af ON annotation_assignment (enrolment_id);
CREATE INDEX annotation_assignment_arm_id_3cc32513 ON annotation_assignment (arm_id);
CREATE INDEX annotation_promptcell_study_id_e9595f94 ON annotation_promptcell (study_id);
CREATE INDEX annotation_promptcell_cohort_id_5c8193d8 ON annotation_promptcell (cohort_id);
CREATE INDEX annotation_promptcell_prompt_id_85d4c675 ON annotation_promptcell (prompt_id);
"""


def without_index(model: str, name: str, related_name: str, to: str) -> migrations.AlterField:
    field = models.ForeignKey(
        db_constraint=False,
        db_index=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name=related_name,
        to=to,
    )
    return migrations.AlterField(model, name, field)


class Migration(migrations.Migration):
    dependencies = [("annotation", "0004_counting")]
    operations = [
        migrations.SeparateDatabaseAndState(
            [migrations.RunSQL(WITHOUT_INDEXES, WITH_INDEXES)],
            [
                without_index("assignment", "enrolment", "assignments", "studies.enrolment"),
                without_index("assignment", "arm", "assignments", "sampling.arm"),
                without_index("promptcell", "study", "prompt_cells", "studies.study"),
                without_index("promptcell", "cohort", "prompt_cells", "studies.cohort"),
                without_index("promptcell", "prompt", "cells", "studies.prompt"),
            ],
        ),
    ]

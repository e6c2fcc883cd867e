"""A comparison keeps the language that its page's buttons were in; people may change theirs."""

from django.db import migrations, models

# Rows from before take the language that the person has now: nothing else tells.
COLUMN = """
ALTER TABLE annotation_comparison ADD interface_lang varchar(5);
ALTER TABLE annotation_comparison DISABLE TRIGGER USER;
UPDATE annotation_comparison AS comparison SET interface_lang = enrolment.ui_language
FROM annotation_conversation AS conversation
    JOIN annotation_assignment AS assignment ON assignment.id = conversation.assignment_id
    JOIN studies_enrolment AS enrolment ON enrolment.id = assignment.enrolment_id
WHERE conversation.id = comparison.conversation_id;
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
ALTER TABLE annotation_comparison ENABLE TRIGGER USER, ALTER interface_lang SET NOT NULL;
"""
SUPERSEDED_ONCE = """
DROP TRIGGER comparison_superseded_once ON annotation_comparison;
CREATE TRIGGER comparison_superseded_once BEFORE UPDATE ON annotation_comparison
    FOR EACH ROW WHEN (
        OLD.superseded_at IS NOT NULL OR NEW.superseded_at IS NULL
        OR (OLD.id, OLD.turn_id, OLD.conversation_id, OLD.turn_no, OLD.set_id, OLD.revision,
            OLD.outcome, OLD.chosen_id, OLD.carried_id, OLD.explanation, OLD.first_choice_at,
            OLD.visible_ms, OLD.changes, OLD.pastes, OLD.reach, OLD.layout, OLD.viewport,
            OLD.submitted_at, OLD.app_version{old})
        IS DISTINCT FROM
        (NEW.id, NEW.turn_id, NEW.conversation_id, NEW.turn_no, NEW.set_id, NEW.revision,
            NEW.outcome, NEW.chosen_id, NEW.carried_id, NEW.explanation, NEW.first_choice_at,
            NEW.visible_ms, NEW.changes, NEW.pastes, NEW.reach, NEW.layout, NEW.viewport,
            NEW.submitted_at, NEW.app_version{new})
    ) EXECUTE FUNCTION refuse_comparison_change();
"""
FORWARD = COLUMN + SUPERSEDED_ONCE.format(old=", OLD.interface_lang", new=", NEW.interface_lang")
REVERSE = (
    SUPERSEDED_ONCE.format(old="", new="")
    + "ALTER TABLE annotation_comparison DROP interface_lang;"
)


class Migration(migrations.Migration):
    dependencies = [("annotation", "0016_states_go_forward")]
    operations = [
        migrations.RunSQL(
            FORWARD,
            REVERSE,
            state_operations=[
                migrations.AddField(
                    "comparison",
                    "interface_lang",
                    models.CharField(max_length=5, help_text="of the buttons, at this moment"),
                )
            ],
        ),
    ]

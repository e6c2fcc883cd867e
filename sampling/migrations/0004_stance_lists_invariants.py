"""What Django cannot express: stances are of the set's plan and prompt, and never change."""

from django.db import migrations

FORWARD = """
ALTER TABLE sampling_stancelist
    ADD CONSTRAINT stance_list_plan_of_study FOREIGN KEY (plan_id, study_id)
        REFERENCES sampling_plan (id, study_id),
    ADD CONSTRAINT stance_list_prompt_of_study FOREIGN KEY (prompt_id, study_id)
        REFERENCES studies_prompt (id, study_id),
    ADD CONSTRAINT stance_list_has_stances CHECK (
        CASE WHEN jsonb_typeof(stances) = 'array'
            THEN jsonb_array_length(stances) BETWEEN 2 AND 8 ELSE false END);
ALTER TABLE sampling_candidateset
    ADD CONSTRAINT set_prompt_of_study FOREIGN KEY (prompt_id, study_id)
        REFERENCES studies_prompt (id, study_id),
    ADD CONSTRAINT set_linked_by_its_prompt CHECK (stance_list_id IS NULL OR prompt_id IS NOT NULL),
    ADD CONSTRAINT set_stances_of_plan_and_prompt FOREIGN KEY (stance_list_id, plan_id, prompt_id)
        REFERENCES sampling_stancelist (id, plan_id, prompt_id);

-- Sets of several languages have been written from it.
CREATE TRIGGER stance_list_never_changes BEFORE UPDATE OR DELETE ON sampling_stancelist
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Where a set comes from never changes; its stances are added once, before it is made.
CREATE TRIGGER set_origin_never_changes BEFORE UPDATE ON sampling_candidateset
    FOR EACH ROW WHEN (
        (OLD.prompt_id, OLD.category) IS DISTINCT FROM (NEW.prompt_id, NEW.category)
        OR OLD.stance_list_id IS DISTINCT FROM NEW.stance_list_id
            AND (OLD.stance_list_id IS NOT NULL OR OLD.state IN ('ready', 'failed'))
    ) EXECUTE FUNCTION refuse_set_change();
"""

REVERSE = """
DROP TRIGGER set_origin_never_changes ON sampling_candidateset;
DROP TRIGGER stance_list_never_changes ON sampling_stancelist;
ALTER TABLE sampling_candidateset
    DROP CONSTRAINT set_stances_of_plan_and_prompt,
    DROP CONSTRAINT set_linked_by_its_prompt,
    DROP CONSTRAINT set_prompt_of_study;
ALTER TABLE sampling_stancelist
    DROP CONSTRAINT stance_list_has_stances,
    DROP CONSTRAINT stance_list_prompt_of_study,
    DROP CONSTRAINT stance_list_plan_of_study;
"""


class Migration(migrations.Migration):
    dependencies = [("sampling", "0004_stance_lists"), ("studies", "0002_invariants")]
    operations = [migrations.RunSQL(FORWARD, REVERSE)]

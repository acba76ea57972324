"""The dbt project, the measure catalogue, and the step that builds the marts."""

{{ current_rows('stg_joint__panel_findings', ['cps_area_code', 'sample_item_id', 'reviewer_role']) }}

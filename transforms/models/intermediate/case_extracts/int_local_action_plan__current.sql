{{ current_rows('stg_joint__action_plan', ['cps_area_code', 'action_id']) }}

{{ current_rows('stg_joint__meetings', ['cps_area_code', 'force_code', 'meeting_date']) }}

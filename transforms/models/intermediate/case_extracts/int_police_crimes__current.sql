{{ current_rows('stg_police__crimes', ['crime_reference_token']) }}

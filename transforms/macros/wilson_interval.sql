{#-
    Lower and upper end of the Wilson score interval of a proportion, 95 per cent, in per cent.

    E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", Journal of the American
    Statistical Association 22 (1927), pages 209 to 212. 1.959963984540054 is the 97.5th percentile of the standard
    normal distribution.

    Null when there is no denominator, and when cancelled crimes leave a numerator outside 0 to the denominator: such
    a pair is not a proportion.
-#}
{% macro wilson_lower(numerator, denominator) -%}
    {{ wilson_end(numerator, denominator, '-') }}
{%- endmacro %}

{% macro wilson_upper(numerator, denominator) -%}
    {{ wilson_end(numerator, denominator, '+') }}
{%- endmacro %}

{% macro wilson_end(numerator, denominator, sign) -%}
    {%- set z = '1.959963984540054' -%}
    {%- set share = '(' ~ numerator ~ ' / nullif(' ~ denominator ~ ', 0))' -%}
    case
        when {{ denominator }} > 0 and {{ numerator }} between 0 and {{ denominator }}
            then
                100.0
                * (
                    {{ share }} + {{ z }} * {{ z }} / (2 * nullif({{ denominator }}, 0))
                    {{ sign }} {{ z }} * sqrt(
                        {{ share }} * (1 - {{ share }}) / nullif({{ denominator }}, 0)
                        + {{ z }} * {{ z }} / (4 * nullif({{ denominator }} * {{ denominator }}, 0))
                    )
                )
                / nullif(1 + {{ z }} * {{ z }} / nullif({{ denominator }}, 0), 0)
    end
{%- endmacro %}

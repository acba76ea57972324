"""Case references: how they are normalised, what their form says, and the tokens that stand for them.

Belongs here: the SQL by which the reading process replaces references. Does not belong here: where the key comes from
(``warehouse.keys``) and where the originals go (``warehouse.vault``).

A token is the first 32 hexadecimal characters of HMAC-SHA-256 (RFC 2104) over ``urn|<normalised>`` or
``crime|<force code>|<normalised>``. A bare hash would not do: references are short and can be enumerated.

Macros that staging and contracts may use:

- ``normalised_urn(urn)``, ``normalised_crime_reference(reference)``: the text that tokens are made of; null where
  nothing is left of it. A URN is never repaired here: one of 10 characters stays one of 10 characters.
- ``token_of_urn(urn)``, ``token_of_crime(force_code, reference)``: tokens; null for null. Of what is normalised
  already: ``token_of_normalised_urn(normalised)``, ``token_of_normalised_crime(force_code, normalised)``.
- ``urn_suffix(urn)``: what follows the last slash of a split case, such as ``1`` in ``20AB1234567/1``; empty text where
  nothing does, so that it can be part of a key; null for null.
- ``urn_form(urn)``: ``standard``, ``lost_zero``, ``confusable`` (letters typed for digits) or ``malformed``.
- ``urn_force_code(urn)``: the two digits of the force; null where the form does not tell.
"""

from __future__ import annotations

_BLOCK_BYTES = 64  # of SHA-256

# A whole URN as it is written, with slashes or without: force, unit, number, year. Its first zero may be lost, or
# letters stand for digits. A slash stands between its parts alone, so that the year of a URN with a digit too many
# (20/01/123456/17) is not taken for a suffix.
_WHOLE_URN = r"(?:\d{1,2}/*[A-Z0-9]{2}/*\d{5}/*\d{2}|#{2}/*[A-Z0-9]{2}/*#{5}/*#{2})".replace("#", r"[\dOQDILZSBG]")

MACROS = r"""
    -- What separates the parts of a reference in writing is dropped, but the slash: a suffix stands after it.
    create macro urn_text(urn) as regexp_replace(upper(urn), '[\s\x{a0}-]', '', 'g');

    -- A suffix stands after a whole URN and not between its parts.
    create macro urn_suffix(urn) as regexp_extract(urn_text(urn), '^/*<whole>/+([A-Z0-9]{1,2})$', 1);

    create macro normalised_urn(urn) as nullif(
        replace(regexp_replace(urn_text(urn), '^(/*<whole>)/+[A-Z0-9]{1,2}$', '\1'), '/', ''), ''
    );

    create macro normalised_crime_reference(reference) as
        nullif(regexp_replace(upper(reference), '[^\p{L}\p{N}]', '', 'g'), '');

    -- Confusable letters are read as digits where a standard URN has digits: not at the 3rd and 4th place, which name
    -- the unit. A macro is written out wherever it is called, so each names its argument as seldom as it can.
    create macro form_of_normalised_urn(normalised) as case
        when regexp_full_match(normalised, '\d{2}[A-Z0-9]{2}\d{7}') then 'standard'
        when regexp_full_match(normalised, '\d[A-Z0-9]{2}\d{7}') then 'lost_zero'
        when regexp_full_match(normalised, '[\dOQDILZSBG]{2}[A-Z0-9]{2}[\dOQDILZSBG]{7}') then 'confusable'
        else 'malformed'
    end;

    create macro urn_form(urn) as case when urn is not null then form_of_normalised_urn(normalised_urn(urn)) end;

    -- With a zero in front, a URN that lost its own begins with the force's two digits, as a whole one does after it.
    create macro urn_force_code(urn) as
        nullif(regexp_extract('0' || normalised_urn(urn), '^0?(\d{2})[A-Z0-9]{2}\d{7}$', 1), '');

    -- The pads are variables and no part of a statement: an error may quote the statement that it arose in.
    create macro token_of(message) as left(
        sha256(
            getvariable('token_outer_pad') || unhex(sha256(getvariable('token_inner_pad') || encode(message)))
        ),
        32
    );

    create macro token_of_normalised_urn(normalised) as token_of('urn|' || normalised);

    create macro token_of_normalised_crime(force_code, normalised) as
        token_of('crime|' || force_code || '|' || normalised);

    create macro token_of_urn(urn) as token_of_normalised_urn(normalised_urn(urn));

    create macro token_of_crime(force_code, reference) as
        token_of_normalised_crime(force_code, normalised_crime_reference(reference));
""".replace("<whole>", _WHOLE_URN)


def token_macros(key: bytes) -> str:
    """The statements that give a connection the macros and this key's pads; run them before it is locked."""
    if len(key) != 32:
        raise ValueError("a token key has 32 bytes")
    block = key.ljust(_BLOCK_BYTES, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in block) for pad in (0x36, 0x5C))
    return f"""
        set variable token_inner_pad = unhex('{inner.hex()}');
        set variable token_outer_pad = unhex('{outer.hex()}');
        {MACROS}
    """

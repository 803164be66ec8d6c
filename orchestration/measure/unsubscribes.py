"""Who asked not to be contacted any more. The one place that says how that is known."""

from __future__ import annotations


def unsubscribes(day: str) -> str:
    """A query of customer_id, channel and unsubscribed_on, one row per customer and channel, of what was known on the ``day``, an expression of SQL."""
    return f"""
    with channels as (
        select campaign_id, channel from metrics.campaigns
        union
        select campaign_id, arg_max(channel, extract_date) from crm.campaigns where extract_date <= {day} group by campaign_id
    )
    select response.customer_id, said.channel, min(response.extract_date) as unsubscribed_on
    from crm.campaign_responses as response
    left join channels on channels.campaign_id = response.campaign_id
    -- whoever asked in answer to nobody knows what is not contacted by any channel
    cross join (select unnest(['email', 'sms', 'post', 'push']) as channel) as said
    where coalesce(channels.channel, said.channel) = said.channel and response.response = 'unsubscribe' and response.extract_date <= {day}
    group by all
    """

"""The tables of a release that tell of campaigns, with the words of every column. The others are in ``tables``."""

from __future__ import annotations

from orchestration.publish.release_table import ReleaseTable

CAMPAIGN_TABLES = [
    ReleaseTable(
        "metrics.campaign_impact",
        """
        with reckoned as (
            select
                impact.*,
                case when impact.evidence = 'randomised' and impact.metric = 'spend' then impact.n_treatment end as customers,
                case when impact.segment is null
                    then coalesce(nullif(impact.contacted, 0), impact.n_treatment) * campaign.contact_cost + coalesce(campaign.fixed_cost, 0)
                end as cost,
                campaign.margin
            from metrics.campaign_impact as impact
            left join metrics.campaigns as campaign on campaign.campaign_id = impact.campaign_id
        )
        select
            * exclude (customers, cost, margin, message),
            lift * customers as incremental_revenue,
            lower * customers as incremental_revenue_lower,
            upper * customers as incremental_revenue_upper,
            cost,
            lift * customers * margin - cost as net_return,
            lower * customers * margin - cost as net_return_lower,
            upper * customers * margin - cost as net_return_upper,
            message
        from reckoned
        order by campaign_id, as_of_date, segment nulls first, metric
        """,
        "What each campaign did to the customers who were assigned to it, by the end of each day; the daily counts' partner. One row per campaign, as-of date, "
        "segment and metric: on every day of the campaign's window and a week after, and on the newest day once it is over.",
        {
            "campaign_id": "The campaign; see catalog.campaigns.",
            "as_of_date": "The day whose end is looked at, with what the extracts up to it said.",
            "segment": "Customers who were members of the segment just before the campaign; null for everybody assigned.",
            "metric": "spend: net spend per customer in the window. ordered: share of customers with an order. orders: orders per customer. "
            "responded: share who clicked or redeemed.",
            "evidence": "randomised: arms were drawn. matched: nobody was held out, and changes are compared, which is not what the campaign did. "
            "none: nothing can be compared.",
            "is_primary": "Whether it is the metric that was named in advance, of everybody assigned: the one that the verdict of the campaign rests on.",
            "measured_until": "The last day whose orders count; null for a campaign without an end.",
            "day_index": "Days of the window that have passed.",
            "planned_days": "Days of the window; null for a campaign without an end.",
            "information_fraction": "day_index / planned_days.",
            "n_treatment": "Customers assigned to be contacted; of a campaign without a holdout those who were contacted.",
            "n_control": "Customers assigned to the control group; of a campaign without a holdout everybody else who ever ordered.",
            "buyers_treatment": "Of these, customers with an order in the window.",
            "buyers_control": "Of these, customers with an order in the window.",
            "mean_treatment": "The metric per customer of the first group.",
            "mean_control": "The metric per customer of the second.",
            "estimator": "difference_of_means, or difference_of_means_cuped (adjusted by the same metric before the campaign); "
            "difference_in_differences where nobody was held out.",
            "lift_raw": "mean_treatment - mean_control, where arms were drawn.",
            "lift_raw_lower": "Lower end of its 95 % interval.",
            "lift_raw_upper": "Upper end of it.",
            "lift": "The figure to quote: per customer, adjusted by the time before. Where evidence is matched it is a difference of changes, and no lift.",
            "lower": "Lower end of its 95 % interval, for one look at the end.",
            "upper": "Upper end of it.",
            "relative_lift": "lift relative to the control group's adjusted mean; null where nobody was held out.",
            "relative_lower": "Lower end of its 95 % interval.",
            "relative_upper": "Upper end of it.",
            "lower_anytime": "Lower end of the interval that holds however often one looks.",
            "upper_anytime": "Upper end of it.",
            "p_value": "Chance of so large a difference where there is none.",
            "p_method": "welch, pooled (one variance for both arms), or permutation (arms drawn anew), which small control groups need.",
            "alpha_now": "The level that the look of this day may use, so that all days together err in 5 %: strict at first, almost 5 % on the last; always valid without an end.",
            "q_value": "Benjamini–Hochberg's, over the segments of the campaign, day and metric, or over its other metrics; null for the primary metric of everybody.",
            "boundary_decision": "continue, stop_for_win, stop_for_loss, or final on the last day.",
            "cuped_rho": "Correlation of the metric with the same before the campaign: the variance is smaller by 1 - rho².",
            "min_detectable": "The lift that would be seen with 80 % power: smaller ones pass unseen.",
            "srm_p": "Chance of the arms' sizes if they were drawn as planned; below 0.001 nothing is believed. Null where no share was planned.",
            "contacted": "Customers reported as contacted.",
            "flags": "What to know beside the figures, some with a number of customers.",
            "verdict": "win, loss, no_evidence, too_early, underpowered, invalid_sample_ratio or not_randomised.",
            "incremental_revenue": "lift times n_treatment, of spend, in the business currency; null where nobody was held out.",
            "incremental_revenue_lower": "Lower end of its 95 % interval.",
            "incremental_revenue_upper": "Upper end of it.",
            "cost": "Contacts made (or all of n_treatment where none is reported) times contact_cost, plus fixed_cost.",
            "net_return": "incremental_revenue times margin, less cost; null where the margin is not known.",
            "net_return_lower": "Lower end of its 95 % interval.",
            "net_return_upper": "Upper end of it.",
            "message": "What the day says of everybody, in a sentence; empty but for the primary metric.",
        },
    ),
    ReleaseTable(
        "metrics.campaign_comparisons",
        "select * from metrics.campaign_comparisons order by campaign_id, is_placebo, starts_on desc, estimator",
        "Of each campaign without a holdout, on its newest day: how the spend of the contacted changed beside that of others, and the same on dates when nothing "
        "was sent. One row per campaign, date and estimator.",
        {
            "campaign_id": "The campaign.",
            "as_of_date": "The day whose end is looked at.",
            "estimator": "difference_in_differences: against everybody else who ever ordered. on_matched_customers: against others weighted to be alike in "
            "spend and orders before.",
            "starts_on": "The first day of the window: the campaign's, or an earlier one on which it is pretended to have begun.",
            "is_placebo": "Whether the date is such a pretended one: what is seen there is not the campaign's doing.",
            "metric": "spend: net spend per customer, in the business currency.",
            "difference": "Change from the stretch before to the window, contacted less others.",
            "lower": "Lower end of its 95 % interval.",
            "upper": "Upper end of it.",
            "p_value": "Chance of so large a difference where there is none.",
            "n_contacted": "Customers who were contacted.",
            "n_others": "The others; where they are weighted, how many equally weighted ones would be as precise.",
        },
    ),
    ReleaseTable(
        "metrics.campaign_balance",
        "select * from metrics.campaign_balance order by campaign_id, attribute",
        "How alike the contacted and the others of a campaign without a holdout were, before and after the others are weighted. One row per campaign and attribute.",
        {
            "campaign_id": "The campaign.",
            "as_of_date": "The day whose end is looked at.",
            "attribute": "Spend or orders per customer, and in which days before the campaign.",
            "mean_contacted": "Mean of the contacted.",
            "mean_others": "Mean of the others.",
            "standardized_difference": "Their difference, in standard deviations: above 0.1 they are not alike.",
            "mean_matched": "Mean of the others, weighted.",
            "standardized_difference_matched": "The difference that is left, in standard deviations.",
        },
    ),
    ReleaseTable(
        "catalog.campaigns",
        "select * from metrics.campaigns order by campaign_id",
        "Every campaign that is planned, runs or ran, ours and others', as far as it is known. One row per campaign.",
        {
            "campaign_id": "The campaign.",
            "campaign_name": "Name for people.",
            "objective": "What is wanted of it; null where another system sent it.",
            "segment": "The segment that its audience is taken from; null where that is not known.",
            "channel": "email, sms, post or push.",
            "starts_on": "First day of the campaign; the launch day where it is launched.",
            "ends_on": "Last day of contacts; null where it has no end.",
            "measured_until": "The last day whose orders count.",
            "assigned_by": "us, or sender where another system chose who is contacted.",
            "holdout": "Share of the audience that is not contacted; null where that is not known.",
            "primary_metric": "The metric that was named in advance; spend where nobody named one.",
            "contact_cost": "Cost of a contact, in the business currency.",
            "fixed_cost": "Cost of the campaign beside the contacts.",
            "margin": "Share of net spend that is left once the goods are paid; null where not known.",
            "value_of_an_answer": "What it is worth to know whether it worked; null where not said.",
            "state": "planned, running (contacts are made), measuring (orders still count), over; not launched where its start has passed without; "
            "withdrawn where its sender stopped listing it before its end.",
            "treatment": "Customers assigned to be contacted; null where we did not assign them.",
            "control": "Customers assigned to the control group.",
            "release": "The release that the audience was taken from.",
        },
    ),
]

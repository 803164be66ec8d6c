"""The tables of a release that tell of personas, with the words of every column. The others are in ``tables``."""

from __future__ import annotations

from orchestration.publish.release_table import ReleaseTable

#: On a held day what was said last stands; the first day of a verdict is that of the run of equal ones, of the same claim.
CLAIMS = """
with filled as (
    select
        * exclude (customers, others, value, reference, figure, lower, upper, verdict),
        unnest(last_value(
            case when state = 'fresh' then {'customers': customers, 'others': others, 'value': value, 'reference': reference, 'figure': figure, 'lower': lower, 'upper': upper, 'verdict': verdict} end
            ignore nulls
        ) over (partition by persona, claim, claim_hash order by as_of_date))
    from metrics.persona_claims
    where persona in (select persona from metrics.personas)
),
changed as (
    select *, verdict is distinct from lag(verdict) over in_order or claim_hash is distinct from lag(claim_hash) over in_order as is_changed
    from filled
    window in_order as (partition by persona, claim order by as_of_date)
)
select
    as_of_date, persona, claim, text, kind, measure, compared, at_least, at_most, tolerance, unit, customers, others, value, reference, figure, lower, upper, verdict,
    case when verdict is not null then max(case when is_changed then as_of_date end) over (partition by persona, claim order by as_of_date) end as since,
    message, state, claim_hash
from changed
order by persona, claim, as_of_date
"""

PERSONAS = f"""
with said as (
    select
        persona,
        count(*) as claims,
        count(*) filter (kind = 'observed') as claims_tested,
        count(*) filter (verdict = 'holds') as claims_holding,
        count(*) filter (verdict = 'weakened') as claims_weakened,
        count(*) filter (verdict = 'contradicted') as claims_contradicted,
        count(*) filter (verdict = 'too_few_to_tell') as claims_too_few
    from (select *, max(as_of_date) over (partition by persona) as newest from ({CLAIMS}) as claims)
    where as_of_date = newest
    group by persona
)
select
    personas.persona, name, archetype, status, owner, review_by, is_negative, segments, evidence, targets, excluded, customers,
    coalesce(said.claims, 0) as claims,
    coalesce(said.claims_tested, 0) as claims_tested,
    coalesce(said.claims_holding, 0) as claims_holding,
    coalesce(said.claims_weakened, 0) as claims_weakened,
    coalesce(said.claims_contradicted, 0) as claims_contradicted,
    coalesce(said.claims_too_few, 0) as claims_too_few,
    case when held_because is null then 'fresh' else 'held' end as state,
    held_since, held_because, personas.said
from metrics.personas as personas
left join said on said.persona = personas.persona
order by personas.persona
"""

PERSONA_TABLES = [
    ReleaseTable(
        "catalog.personas",
        PERSONAS,
        "Every persona: an archetype that says what to tell the customers of its segments, and why. One row per persona.",
        {
            "persona": "The persona; its file is personas/<persona>.yml.",
            "name": "Name for people; null, as all that follows, where her file could never be read.",
            "archetype": "Who she is, in a line.",
            "status": "draft, active or retired; of a retired one no claim is tested.",
            "owner": "Whom to ask.",
            "review_by": "The day by which somebody has to look at her again.",
            "is_negative": "Whether she is one whom the company does not seek.",
            "segments": "Every segment that she is linked with.",
            "evidence": "Those whose members she stands for: her claims are tested on them.",
            "targets": "Those that campaigns address with her in mind, and that prove nothing.",
            "excluded": "Those whose members are not among hers.",
            "customers": "Members of the evidence, less the excluded.",
            "claims": "Claims that she makes.",
            "claims_tested": "Those that are observed, and so tested every night.",
            "claims_holding": "Of these, those that hold tonight.",
            "claims_weakened": "Those that miss what is claimed, within the tolerance.",
            "claims_contradicted": "Those that miss it by more than the tolerance.",
            "claims_too_few": "Those that too few customers tell anything of.",
            "state": "fresh, or held where her file or a segment of hers cannot be believed.",
            "held_since": "The first day on which she was held.",
            "held_because": "Why.",
            "said": "All that her file says, as JSON.",
        },
    ),
    ReleaseTable(
        "metrics.persona_claims",
        CLAIMS,
        "What became of each claim of each persona, day by day. One row per as-of date, persona and claim.",
        {
            "as_of_date": "The day.",
            "persona": "The persona.",
            "claim": "The claim's id.",
            "text": "What is claimed, in words.",
            "kind": "observed: tested every night. inferred: concluded from something. assumed: nobody knows yet.",
            "measure": "What is measured of a group of customers, in words; null where nothing is.",
            "compared": "alone: the figure of the persona's customers itself. times_the_rest, above_the_rest: against everybody else in the base. "
            "times_another, above_another: against another measure of the same customers.",
            "at_least": "What figure is claimed at least.",
            "at_most": "What figure is claimed at most.",
            "tolerance": "By how much it may miss that before the claim is contradicted.",
            "unit": "Of figure, its interval, at_least, at_most and tolerance: money, share (0 to 1) or number.",
            "customers": "Customers of the persona who count in the measure.",
            "others": "Those who count in what it is compared with; null where it is compared with nothing.",
            "value": "The measure of the persona's customers; null for fewer than 20.",
            "reference": "That of the rest, or the other measure.",
            "figure": "What is held against the claim: value, or value compared with reference.",
            "lower": "Lower end of its 95 % interval; null where it has none.",
            "upper": "Upper end of it; null where it has none.",
            "verdict": "holds, weakened (misses what is claimed, within the tolerance), contradicted (all of the interval is beyond the tolerance) or too_few_to_tell; "
            "null where the claim is not observed.",
            "since": "The first day of the verdict, of the claim as it is.",
            "message": "What the day says of the claim, in a sentence.",
            "state": "fresh, or held with a segment of the persona: then the figures are those of the last day before.",
            "claim_hash": "Of all that the verdict rests on beside the customers.",
        },
    ),
    ReleaseTable(
        "metrics.persona_evidence",
        "from metrics.persona_evidence order by persona, topic, position, item",
        "Who the customers of each persona are and what they do, beside the rest of the base, on the newest day. One row per persona, topic and item.",
        {
            "as_of_date": "The day.",
            "persona": "The persona.",
            "topic": "size, segment, trend, revenue, age, gender, household_size, income_band, interests, category, department, recency, frequency, weekday, hour, "
            "channel_reach, channel_response, campaign, flow_in or flow_out. Behaviour is of the last 90 days, flows of the last 28, answers of the last 365.",
            "position": "Order of the items of a topic.",
            "item": "The value, band, category, weekday or the like.",
            "customers": "Customers of the persona whom the item is of; null for fewer than 20.",
            "value": "The figure; null, as rest, for fewer than 20 customers.",
            "rest": "The same of everybody else in the base; null where there is nothing to compare.",
            "unit": "share (of customers; of orders for weekday and hour; of contacts for channel_response), customers, or money.",
            "is_shown": "Whether there are customers enough for the figures to be shown.",
        },
    ),
    ReleaseTable(
        "metrics.persona_coverage",
        "from metrics.persona_coverage order by all",
        "What segments and personas miss of one another on the newest day. One row per finding.",
        {
            "as_of_date": "The day.",
            "kind": "segment_without_persona: a campaign addresses it. persona_without_segment: none of hers has a member who can be reached. personas_overlap: they share more than half "
            "of their customers. past_review: nobody looked at her in time. contradicted_long: a claim is contradicted for 14 nights.",
            "persona": "The persona; null for a segment without one.",
            "other": "The segment, the other persona, or the claim.",
            "since": "Since when; null where that is not known.",
            "message": "The finding, in a sentence.",
        },
    ),
]

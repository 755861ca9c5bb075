//! What language models say of every kind: of conflicts, and of how a rebalancing is carried out.

use super::Kind;

/// Replies to a conflict, however much can be made of them.
pub(super) const RESOLUTIONS: &[Kind<str>] = &[
    ("reply.blank", "a reply was no JSON at all", |it| {
        !it.contains('{')
    }),
    ("reply.cut", "a reply ended before its end", |it| {
        it.starts_with('{') && !it.contains('}')
    }),
    (
        "reply.framed",
        "a reply said something before and after its JSON",
        |it| !it.starts_with('{') && it.contains('{') && !it.ends_with('}'),
    ),
    ("reply.twice", "a reply said twice what to do", |it| {
        it.matches("\"action\"").count() > 1
    }),
    (
        "reply.deep",
        "lists in a reply were nested about as deep as may be read",
        |it| it.matches('[').count() >= DEEP,
    ),
    (
        "reply.deep-objects",
        "objects in a reply were nested about as deep as may be read",
        |it| it.matches("{\"a\":").count() >= DEEP,
    ),
    ("reply.no-action", "a reply did not say what to do", |it| {
        it.contains("\"confidence\"") && !it.contains("\"action\"")
    }),
    (
        "reply.no-confidence",
        "a reply did not say how sure it is",
        |it| it.contains("\"action\"") && !it.contains("\"confidence\""),
    ),
    (
        "reply.all-changes",
        "a reply changed leverage, size and entry at once",
        |it| CHANGES.iter().all(|change| it.contains(change)),
    ),
    ("reply.one-change", "a reply changed one thing", |it| {
        CHANGES
            .iter()
            .filter(|change| it.contains(**change))
            .count()
            == 1
    }),
    (
        "reply.change-unknown",
        "a reply changed what cannot be changed",
        |it| it.contains("\"hurry\""),
    ),
];

/// Advice of a model on how a rebalancing is carried out.
pub(super) const ADVICE: &[Kind<str>] = &[
    ("advice.limit", "limits were advised", |it| {
        it.contains(r#""execution_strategy":"limit""#)
    }),
    ("advice.market", "the market's prices were advised", |it| {
        it.contains(r#""execution_strategy":"market""#)
    }),
    ("advice.defer", "to wait was advised", |it| {
        it.contains(r#""execution_strategy":"defer""#)
    }),
    ("advice.no-trades", "no trade was advised", |it| {
        it.contains(r#""trades":[]"#)
    }),
    (
        "advice.trades-unreadable",
        "trades were advised that are none",
        |it| it.contains(r#""trades":""#),
    ),
    (
        "advice.amount-negative",
        "an amount below zero was advised",
        |it| it.contains(r#""amount_usd":-"#),
    ),
    (
        "advice.amount-unreadable",
        "an amount was advised that is none",
        |it| it.contains(r#""amount_usd":"all"#),
    ),
];

/// How many levels are about as many as may be read.
pub(super) const DEEP: usize = 123;

/// What a reply may change about a signal.
const CHANGES: [&str; 3] = [
    "\"leverage\"",
    "\"size_reduction_pct\"",
    "\"entry_adjustment_pct\"",
];

//! What must fit together in what models reply.

use dacapo_kernel::Mistake;

use crate::config::{GeneratedReplies, Replies, live};

/// What a model replies; how replies are drawn is checked by `drawn`.
pub(in crate::config) fn replies<G>(
    at: &str,
    replies: &Replies<G>,
    drawn: impl Fn(&str, &G) -> Result<(), Mistake>,
) -> Result<(), Mistake> {
    match replies {
        Replies::Scripted(replies) if replies.is_empty() => Err(Mistake::at(
            &format!("{at}.replies.scripted"),
            "expected at least one reply",
        )
        .help("the last reply is given again and again, so one is enough")),
        Replies::Scripted(replies) => {
            for (i, reply) in replies.iter().enumerate() {
                let at = format!("{at}.replies.scripted.{i}");
                if reply.text.is_some() == reply.error.is_some() {
                    return Err(Mistake::at(&at, "expected either `text` or `error`")
                        .help("a model says something, or something goes wrong"));
                }
                if !(0.0..=86_400.0).contains(&reply.delay_seconds) {
                    let what = format!(
                        "expected 0 to 86,400 seconds, found {}",
                        reply.delay_seconds
                    );
                    return Err(Mistake::at(&format!("{at}.delay_seconds"), what));
                }
            }
            Ok(())
        }
        Replies::Generated(generated) => drawn(at, generated),
        Replies::Live(live) => live::check(at, live),
    }
}

pub(super) fn generated_replies(at: &str, replies: &GeneratedReplies) -> Result<(), Mistake> {
    delays(at, replies.delay_ms_min, replies.delay_ms_max)?;
    let shares = [
        replies.proceed_per_mille,
        replies.modify_per_mille,
        replies.bold_per_mille,
        replies.abort_per_mille,
        replies.error_per_mille,
        replies.garbage_per_mille,
        replies.odd_per_mille,
    ];
    let total: u64 = shares.iter().copied().map(u64::from).sum();
    if total > 1_000 {
        let at = format!("{at}.replies.generated");
        return Err(
            Mistake::at(&at, format!("the shares add up to {total} in a thousand"))
                .help("what remains of the thousand is `wait`"),
        );
    }
    Ok(())
}

/// The shortest delay of drawn replies is not longer than the longest.
pub(in crate::config) fn delays(at: &str, least: u64, most: u64) -> Result<(), Mistake> {
    if least <= most {
        return Ok(());
    }
    let at = format!("{at}.replies.generated.delay_ms_min");
    let what = format!("expected at most delay_ms_max, {most}, found {least}");
    Err(Mistake::at(&at, what))
}

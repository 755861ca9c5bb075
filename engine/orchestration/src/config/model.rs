//! The language models: which replies they give, and how long they take.

use serde::{Deserialize, Serialize};

use super::live::{LiveReplies, TemplateConfig};
use crate::message::Name;

/// The two models that conflicts are resolved by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LlmConfig {
    /// Asked first.
    pub primary: ModelConfig,
    /// Asked if the primary fails.
    pub fallback: ModelConfig,
    /// The longest answer, in tokens.
    pub max_tokens: u32,
    /// The prompt of resolutions, instead of the built-in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<TemplateConfig>,
    /// What models are not told: in every prompt, those of agents too.
    #[serde(skip_serializing_if = "MaskConfig::is_default")]
    pub mask: MaskConfig,
}

/// What is hidden in prompts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MaskConfig {
    /// Symbols and assets: neutral names stand for them.
    pub symbols: bool,
    /// Dates: days since the first of the run stand for them.
    pub dates: bool,
}

impl MaskConfig {
    /// Whether nothing is hidden: then it is not written into the plan of a log either.
    fn is_default(&self) -> bool {
        *self == MaskConfig::default()
    }
}

impl Default for LlmConfig {
    fn default() -> LlmConfig {
        let model = |name| ModelConfig {
            model: Name::fixed(name),
            replies: Replies::default(),
            knowledge_cutoff: None,
        };
        LlmConfig {
            primary: model("deepseek-chat"),
            fallback: model("claude-3-5-sonnet-20241022"),
            max_tokens: 500,
            template: None,
            mask: MaskConfig::default(),
        }
    }
}

/// One model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// Its name at the provider.
    pub model: Name,
    /// What it answers.
    #[serde(default)]
    pub replies: Replies,
    /// The day from whose beginning (UTC) on it has read nothing, such as 2024-07-01.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub knowledge_cutoff: Option<String>,
}

/// Where the replies of a model come from; `G` says how they are drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Replies<G = GeneratedReplies> {
    /// In this order; the last one is given again and again.
    Scripted(Vec<ScriptedReply>),
    /// Drawn from the seed.
    Generated(G),
    /// Asked of a provider while a run is recorded.
    Live(LiveReplies),
}

impl<G: Default> Default for Replies<G> {
    fn default() -> Replies<G> {
        Replies::Generated(G::default())
    }
}

impl<G> Replies<G> {
    /// How the model is asked live, if it is.
    pub fn live(&self) -> Option<&LiveReplies> {
        match self {
            Replies::Live(live) => Some(live),
            Replies::Scripted(_) | Replies::Generated(_) => None,
        }
    }
}

/// One reply.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScriptedReply {
    /// How long the model takes, in seconds.
    pub delay_seconds: f64,
    /// What it says.
    pub text: Option<String>,
    /// What goes wrong instead.
    pub error: Option<String>,
}

/// How replies are drawn. The shares are in a thousand; what remains is `wait`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GeneratedReplies {
    /// The shortest delay, in milliseconds.
    pub delay_ms_min: u64,
    /// The longest delay, in milliseconds.
    pub delay_ms_max: u64,
    /// `proceed`.
    pub proceed_per_mille: u32,
    /// `modify`, with a smaller size.
    pub modify_per_mille: u32,
    /// `modify`, with a leverage of 1 to 5, an entry moved by up to 5 % either way, or both. None unless asked for.
    #[serde(skip_serializing_if = "is_none")]
    pub bold_per_mille: u32,
    /// `abort`.
    pub abort_per_mille: u32,
    /// An error instead of a reply.
    pub error_per_mille: u32,
    /// Text that is no usable reply.
    pub garbage_per_mille: u32,
    /// A reply of an odd shape: at the edge of JSON, or of what may be changed. None unless asked for.
    #[serde(skip_serializing_if = "is_none")]
    pub odd_per_mille: u32,
}

impl Default for GeneratedReplies {
    fn default() -> GeneratedReplies {
        GeneratedReplies {
            delay_ms_min: 300,
            delay_ms_max: 2_500,
            proceed_per_mille: 400,
            modify_per_mille: 300,
            bold_per_mille: 0,
            abort_per_mille: 100,
            error_per_mille: 20,
            garbage_per_mille: 10,
            odd_per_mille: 0,
        }
    }
}

/// Plans of scenarios that ask for none stay what they were.
fn is_none(share: &u32) -> bool {
    *share == 0
}

/// How the replies of an agent are drawn: messages as its topic wants them, but for these shares in a thousand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GeneratedMessages {
    /// The shortest delay, in milliseconds.
    pub delay_ms_min: u64,
    /// The longest delay, in milliseconds.
    pub delay_ms_max: u64,
    /// An error instead of a reply.
    pub error_per_mille: u32,
    /// Text that is no usable reply.
    pub garbage_per_mille: u32,
}

impl Default for GeneratedMessages {
    fn default() -> GeneratedMessages {
        GeneratedMessages {
            delay_ms_min: 300,
            delay_ms_max: 2_500,
            error_per_mille: 20,
            garbage_per_mille: 10,
        }
    }
}

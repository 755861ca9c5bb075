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
}

impl Default for LlmConfig {
    fn default() -> LlmConfig {
        let model = |name| ModelConfig {
            model: Name::fixed(name),
            replies: Replies::default(),
        };
        LlmConfig {
            primary: model("deepseek-chat"),
            fallback: model("claude-3-5-sonnet-20241022"),
            max_tokens: 500,
            template: None,
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
}

impl ModelConfig {
    /// How it is asked live, if it is.
    pub fn live(&self) -> Option<&LiveReplies> {
        match &self.replies {
            Replies::Live(live) => Some(live),
            Replies::Scripted(_) | Replies::Generated(_) => None,
        }
    }
}

/// Where the replies of a model come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Replies {
    /// In this order; the last one is given again and again.
    Scripted(Vec<ScriptedReply>),
    /// Drawn from the seed.
    Generated(GeneratedReplies),
    /// Asked of a provider while a run is recorded.
    Live(LiveReplies),
}

impl Default for Replies {
    fn default() -> Replies {
        Replies::Generated(GeneratedReplies::default())
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
        }
    }
}

/// Plans of scenarios that ask for none stay what they were.
fn is_none(share: &u32) -> bool {
    *share == 0
}

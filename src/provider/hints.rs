//! The rules with the hints on a provider's errors: its own, then those that it shares with
//! another.

use super::resolve::from_text;
use super::{ErrorRule, Provider, catalogue};

pub fn rules(provider: &Provider) -> Vec<ErrorRule> {
    let shared = provider.hints_of.as_deref().and_then(catalogue::find);
    let shared = shared.and_then(|(id, text)| from_text(id, text, None).ok()).map(|other| other.errors);
    provider.errors.iter().cloned().chain(shared.into_iter().flatten()).collect()
}

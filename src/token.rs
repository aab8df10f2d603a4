//! The token set that a login obtains, with absolute times.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::secret::Secret;
use crate::stored;

/// A token response as it is stored. Times are Unix seconds by this machine's clock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TokenSet {
    #[serde(serialize_with = "stored::expose")]
    pub access_token: Secret,
    /// As the server sent it, or the provider's default.
    pub token_type: String,
    #[serde(default, deserialize_with = "stored::fitting", skip_serializing_if = "Option::is_none")]
    #[serde(serialize_with = "stored::expose_some")]
    pub refresh_token: Option<Secret>,
    /// When the response came. Lifetimes count from here (RFC 6749, section 5.1).
    pub received_at: i64,
    /// `None`: the server gave no lifetime, so the token is used until a server refuses it.
    #[serde(default, deserialize_with = "stored::fitting", skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
    #[serde(default, deserialize_with = "stored::fitting", skip_serializing_if = "Option::is_none")]
    pub refresh_expires_at: Option<i64>,
    /// The granted scopes. `None`: the response named none, so they are the requested ones.
    #[serde(default, deserialize_with = "stored::list", skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    #[serde(default, deserialize_with = "stored::fitting", skip_serializing_if = "Option::is_none")]
    #[serde(serialize_with = "stored::expose_some")]
    pub id_token: Option<Secret>,
    /// Provider-specific members of the response (`user_id`, …), unchanged.
    #[serde(default, deserialize_with = "stored::fitting", skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
}

/// How fresh an access token is at a given time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    Fresh,
    /// Still valid, but for less time than requested.
    Stale,
    Expired,
    /// The lifetime is unknown.
    Unknown,
}

impl TokenSet {
    /// A token without anything else known of it.
    pub fn new(access_token: Secret, token_type: impl Into<String>, received_at: i64) -> TokenSet {
        TokenSet {
            access_token,
            token_type: token_type.into(),
            refresh_token: None,
            received_at,
            expires_at: None,
            refresh_expires_at: None,
            scopes: None,
            id_token: None,
            extra: Map::new(),
        }
    }

    /// Returns how many seconds before expiry the token counts as stale: a minute, but at most a
    /// tenth of the lifetime (T-34).
    pub fn margin(&self) -> i64 {
        match self.expires_at {
            Some(at) => ((at - self.received_at) / 10).clamp(0, 60),
            None => 0,
        }
    }

    /// Judges the token at `now`. `min_ttl`, in seconds, may ask for more than the usual margin.
    pub fn freshness(&self, now: i64, min_ttl: Option<i64>) -> Freshness {
        let Some(expires_at) = self.expires_at else { return Freshness::Unknown };
        let left = expires_at.saturating_sub(now);
        if left <= 0 {
            Freshness::Expired
        } else if left < min_ttl.unwrap_or(0).max(self.margin()) {
            Freshness::Stale
        } else {
            Freshness::Fresh
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(received_at: i64, expires_at: Option<i64>) -> TokenSet {
        TokenSet { expires_at, ..TokenSet::new("access-1".into(), "Bearer", received_at) }
    }

    #[test]
    fn the_margin_is_a_minute_or_a_tenth_of_the_lifetime() {
        assert_eq!(set(0, Some(3600)).margin(), 60);
        assert_eq!(set(0, Some(100)).margin(), 10);
        assert_eq!(set(0, Some(1)).margin(), 0);
        assert_eq!(set(0, Some(-5)).margin(), 0);
        assert_eq!(set(0, None).margin(), 0);
    }

    #[test]
    fn freshness_is_judged_by_what_is_left() {
        let hour = set(1000, Some(4600));
        assert_eq!(hour.freshness(1000, None), Freshness::Fresh);
        assert_eq!(hour.freshness(4540, None), Freshness::Fresh);
        assert_eq!(hour.freshness(4541, None), Freshness::Stale);
        assert_eq!(hour.freshness(4600, None), Freshness::Expired);
        assert_eq!(hour.freshness(1000, Some(3601)), Freshness::Stale);
        assert_eq!(set(0, None).freshness(i64::MAX, Some(60)), Freshness::Unknown);
        assert_eq!(set(10, Some(9)).freshness(10, None), Freshness::Expired);
    }
}

//! The token set that a login obtains, with absolute times.

use serde_json::{Map, Value};

use crate::secret::Secret;

/// A token response as it is stored. Times are Unix seconds by this machine's clock.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenSet {
    pub access_token: Secret,
    /// As the server sent it, or the provider's default.
    pub token_type: String,
    pub refresh_token: Option<Secret>,
    /// When the response came. Lifetimes count from here (RFC 6749, section 5.1).
    pub received_at: i64,
    /// `None`: the server gave no lifetime, so the token is used until a server refuses it.
    pub expires_at: Option<i64>,
    pub refresh_expires_at: Option<i64>,
    /// The granted scopes. `None`: the response named none, so they are the requested ones.
    pub scopes: Option<Vec<String>>,
    pub id_token: Option<Secret>,
    /// Provider-specific members of the response (`user_id`, …), unchanged.
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

    /// Returns the token set as the JSON object that records store.
    pub fn to_json(&self) -> Value {
        let mut map = Map::new();
        map.insert("access_token".into(), self.access_token.expose().into());
        map.insert("token_type".into(), self.token_type.as_str().into());
        if let Some(t) = &self.refresh_token {
            map.insert("refresh_token".into(), t.expose().into());
        }
        map.insert("received_at".into(), self.received_at.into());
        if let Some(at) = self.expires_at {
            map.insert("expires_at".into(), at.into());
        }
        if let Some(at) = self.refresh_expires_at {
            map.insert("refresh_expires_at".into(), at.into());
        }
        if let Some(scopes) = &self.scopes {
            map.insert("scopes".into(), scopes.clone().into());
        }
        if let Some(t) = &self.id_token {
            map.insert("id_token".into(), t.expose().into());
        }
        if !self.extra.is_empty() {
            map.insert("extra".into(), Value::Object(self.extra.clone()));
        }
        Value::Object(map)
    }

    /// Reads the form of [`TokenSet::to_json`]. `None`: `value` has another form.
    pub fn from_json(value: &Value) -> Option<TokenSet> {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let time = |name: &str| value.get(name).and_then(Value::as_i64);
        Some(TokenSet {
            access_token: Secret::new(text("access_token")?),
            token_type: text("token_type")?.to_owned(),
            refresh_token: text("refresh_token").map(Secret::from),
            received_at: time("received_at")?,
            expires_at: time("expires_at"),
            refresh_expires_at: time("refresh_expires_at"),
            scopes: value
                .get("scopes")
                .and_then(Value::as_array)
                .map(|scopes| scopes.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
            id_token: text("id_token").map(Secret::from),
            extra: value.get("extra").and_then(Value::as_object).cloned().unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(received_at: i64, expires_at: Option<i64>) -> TokenSet {
        TokenSet {
            access_token: "access-1".into(),
            token_type: "Bearer".into(),
            refresh_token: Some("refresh-1".into()),
            received_at,
            expires_at,
            refresh_expires_at: None,
            scopes: Some(vec!["a".into(), "b".into()]),
            id_token: None,
            extra: Map::from_iter([("user_id".to_owned(), Value::from(7))]),
        }
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

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        let set = set(5, Some(3605));
        assert_eq!(TokenSet::from_json(&set.to_json()), Some(set));
    }
}

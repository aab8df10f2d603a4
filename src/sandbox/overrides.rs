//! A provider's entry, pointed at a practice server: how `sandbox run` makes the built-in names mean the server, through the same
//! files that a person writes, with no variable made for tests.

use super::Manners;

/// The text of `providers/<name>.toml`: everything of the built-in entry of that name but its addresses, all of which lead to
/// `base` (`http://127.0.0.1:PORT`), those of its environments included.
pub fn provider_overrides(base: &str, manners: Manners) -> String {
    let name = manners.name();
    let base = base.trim_end_matches('/');
    let mut text = format!(
        "# written by `oauthctl sandbox`: everything as in the built-in entry, at the practice server's address\n\
         id = \"{name}\"\nextends = \"{name}\"\n"
    );
    if manners == Manners::Sandbox {
        text.push_str(&format!("issuer = \"{base}\"\n"));
    }
    let tables: &[(&str, &str, &str)] = match manners {
        Manners::Sandbox => &[
            ("vars.base", "default", ""),
            ("authorize", "url", "/authorize"),
            ("token", "url", "/token"),
            ("revoke", "url", "/revoke"),
            ("api", "base-url", "/api"),
            ("whoami", "url", "/api/me"),
        ],
        Manners::GetResponse => &[
            ("authorize", "url", "/oauth2_authorize.html"),
            ("token", "url", "/v3/token"),
            ("api", "base-url", "/v3"),
            ("whoami", "url", "/v3/accounts?fields=accountId,email"),
            ("environments.max.authorize", "url", "/oauth2_authorize.html"),
            ("environments.max.token", "url", "/v3/token"),
            ("environments.max.api", "base-url", "/v3"),
        ],
        Manners::VerticalResponse => &[
            ("authorize", "url", "/api/v1/oauth/authorize"),
            ("token", "url", "/api/v1/oauth/access_token"),
            ("api", "base-url", "/api/v1"),
            ("whoami", "url", "/api/v1/users/{user_id}"),
        ],
        Manners::VerticalResponseVr2 => &[
            ("authorize", "url", "/oauth/authorize"),
            ("token", "url", "/api/v1/authorize"),
            ("revoke", "url", "/api/v1/oauth/revoke"),
            ("api", "base-url", "/api/v1"),
            ("whoami", "url", "/api/v1/contacts"),
        ],
        Manners::ConstantContact => &[
            ("authorize", "url", "/oauth2/default/v1/authorize"),
            ("token", "url", "/oauth2/default/v1/token"),
            ("device", "url", "/oauth2/default/v1/device/authorize"),
            ("api", "base-url", "/v3"),
            ("whoami", "url", "/v3/account/user/privileges"),
        ],
    };
    for (table, key, path) in tables {
        text.push_str(&format!("\n[{table}]\n{key} = \"{base}{path}\"\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_leads_to_the_practice_server() {
        for manners in Manners::ALL {
            let text = provider_overrides("http://127.0.0.1:9/", manners);
            let document: toml_edit::DocumentMut = text.parse().unwrap();
            assert_eq!(document["extends"].as_str(), Some(manners.name()));
            let addresses: Vec<&str> = text.lines().filter_map(|l| l.split_once("url = \"")).map(|(_, u)| u).collect();
            assert!(addresses.len() >= 4, "{text}");
            assert!(addresses.iter().all(|u| u.starts_with("http://127.0.0.1:9/")), "{text}");
        }
    }
}

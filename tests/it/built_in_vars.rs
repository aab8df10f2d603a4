//! The variables of the built-in providers: none leads a token to a host that the file doesn't mean.

use oauthctl::provider::expand::unfilled;
use oauthctl::provider::{Provider, StringKind, VarFrom, catalogue, resolve};

fn known(id: &str) -> Provider {
    resolve::resolve(id, None, &|_| Ok(None)).unwrap()
}

/// The keys whose host a server can choose by what it tells.
fn led_astray(provider: &Provider) -> Vec<String> {
    let mut found = Vec::new();
    for name in provider.vars.iter().filter(|(_, var)| var.from != VarFrom::User).map(|(name, _)| name) {
        for evil in ["evil.example", "https://evil.example", "https://evil.example/", "a.evil.example"] {
            let filled = provider.filled_upto(VarFrom::Whoami, &[(name.clone(), evil.to_owned())].into());
            let Ok(mut filled) = filled else { continue };
            filled
                .each_string(&mut |key, kind, text| {
                    let host = match kind {
                        StringKind::Url => text.split('/').nth(2).unwrap_or_default(),
                        StringKind::Host => text,
                        _ => "",
                    };
                    if host.ends_with("evil.example") {
                        found.push(format!("{name} = {evil} makes {key} = {text}"));
                    }
                    Ok::<(), ()>(())
                })
                .unwrap();
        }
    }
    found
}

#[test]
fn no_variable_that_a_server_tells_leads_to_another_host() {
    for id in catalogue::names().filter(|id| *id != "sandbox") {
        assert_eq!(led_astray(&known(id)), [""; 0], "{id}");
    }
    // what such a file would look like
    let open = "id = \"x\"\ntoken.url = \"https://x.example/t\"\nvars.h.from = \"token\"\n";
    let [address, host, narrow] = [
        "api.base-url = \"https://{h}/v1\"\n",
        "api.hosts = [\"{h}\"]\n",
        "api.hosts = [\"{h}.x.example\"]\napi.base-url = \"https://{h}.x.example\"\n",
    ]
    .map(|more| led_astray(&resolve::from_text("x", &format!("{open}{more}"), None).unwrap()));
    assert_eq!(address[0], "h = evil.example makes api.base-url = https://evil.example/v1");
    assert_eq!(host[0], "h = evil.example makes api.hosts = evil.example");
    assert_eq!(narrow, [""; 0]);
}

#[test]
fn every_variable_that_is_asked_has_its_question_and_stands_somewhere() {
    for id in catalogue::names().filter(|id| *id != "sandbox") {
        let mut provider = known(id);
        let mut used = Vec::new();
        let environments = provider.environments.clone();
        let mut inside: Vec<Provider> =
            environments.iter().map(|it| resolve::resolve(id, Some(it), &|_| Ok(None)).unwrap()).collect();
        inside.push(provider.clone());
        for provider in &mut inside {
            provider
                .each_string(&mut |_, _, text| {
                    used.extend(unfilled(text).into_iter().map(str::to_owned));
                    Ok::<(), ()>(())
                })
                .unwrap();
        }
        used.extend(provider.callback.token_host_from.take());
        for (name, var) in &provider.vars {
            assert!(used.contains(name), "{id}: nothing needs `{name}`");
            assert_eq!(var.prompt.is_some(), var.from == VarFrom::User, "{id}: {name}");
        }
    }
}

//! The variables of the built-in providers: none leads a token to a host that the file doesn't mean.

use oauthctl::provider::expand::unfilled;
use oauthctl::provider::{Provider, StringKind, VarFrom, catalogue, resolve};

fn known(id: &str) -> Provider {
    resolve::resolve(id, None, &|_| Ok(None)).unwrap()
}

#[test]
fn no_variable_that_a_server_tells_leads_to_another_host() {
    for id in catalogue::names().filter(|id| *id != "sandbox") {
        let provider = known(id);
        for (name, var) in provider.vars.iter().filter(|(_, var)| var.from != VarFrom::User) {
            for evil in ["evil.example", "https://evil.example", "https://evil.example/", "a.evil.example"] {
                if provider.takes(name, evil).is_err() {
                    continue;
                }
                let filled = provider.filled_upto(VarFrom::Whoami, &[(name.clone(), evil.to_owned())].into());
                let Ok(mut filled) = filled else { continue };
                filled
                    .each_string(&mut |key, kind, text| {
                        let host = text.split('/').nth(2).unwrap_or_default();
                        let leads = matches!(kind, StringKind::Url | StringKind::Host) && host.contains("evil");
                        assert!(!leads, "{id}: {name} = {evil} makes {key} = {text}");
                        Ok::<(), ()>(())
                    })
                    .unwrap();
            }
            assert!(var.prompt.is_none(), "{id}: {name} is not asked");
        }
    }
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

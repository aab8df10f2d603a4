//! Refresh tokens that are used once, and reused.

use std::sync::Arc;

use serde_json::json;

use super::visitor::{Answer, bearer, code, get, post};
use super::{Seeds, clock, start};
use crate::sandbox::{Manners, Options, Rotation, Server};

const REQUEST: &[(&str, &str)] =
    &[("response_type", "code"), ("client_id", "practice-client"), ("redirect_uri", "http://127.0.0.1:8976/callback")];
const CLIENT: [(&str, &str); 2] = [("client_id", "practice-client"), ("client_secret", "practice-secret")];

fn login(server: &Server) -> (String, String) {
    let code = code(server, "/authorize", REQUEST);
    let mut params = CLIENT.to_vec();
    params.extend([("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", REQUEST[2].1)]);
    pair(&post(server, "/token", &[], &params))
}

fn pair(answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, 200, "{answer:?}");
    (answer.text("access_token"), answer.text("refresh_token"))
}

fn refresh(server: &Server, token: &str) -> Answer {
    let mut params = CLIENT.to_vec();
    params.extend([("grant_type", "refresh_token"), ("refresh_token", token)]);
    post(server, "/token", &[], &params)
}

fn works(server: &Server, access: &str) -> bool {
    get(server, "/api/me", &[bearer(access)]).status == 200
}

fn sandbox(rotation: Rotation) -> Options {
    Options { rotation, ..Options::new(Manners::Sandbox) }
}

#[test]
fn without_rotation_the_old_one_stays_and_no_new_one_comes() {
    let (server, clock) = start(sandbox(Rotation::None));
    let (_, token) = login(&server);
    for _ in 0..3 {
        let answer = refresh(&server, &token);
        let expected =
            json!({ "access_token": answer.text("access_token"), "token_type": "Bearer", "expires_in": 600 });
        assert_eq!(answer.json(), expected);
        // use extends its life
        clock.pass(29 * 86_400);
    }
    clock.pass(86_400);
    assert_eq!(refresh(&server, &token).json()["error_description"], "the refresh token has expired");
}

#[test]
fn strict_rotation_ends_the_login_at_the_first_reuse() {
    let (server, _) = start(sandbox(Rotation::Strict));
    let (_, first) = login(&server);
    let (access, second) = pair(&refresh(&server, &first));
    assert!(works(&server, &access));
    assert_eq!(
        refresh(&server, &first).json(),
        json!({ "error": "invalid_grant", "error_description": "the refresh token was used before" })
    );
    assert_eq!(
        refresh(&server, &second).json(),
        json!({ "error": "invalid_grant", "error_description": "the refresh token has been revoked" })
    );
    assert!(!works(&server, &access));
    // other logins stay valid
    let (_, other) = login(&server);
    assert_eq!(refresh(&server, &other).status, 200);
}

#[test]
fn single_use_without_detection_refuses_the_old_one_and_no_more() {
    let (server, _) = start(sandbox(Rotation::Once));
    let (_, first) = login(&server);
    let (access, second) = pair(&refresh(&server, &first));
    assert_eq!(refresh(&server, &first).status, 400);
    assert!(works(&server, &access));
    assert_eq!(refresh(&server, &second).status, 200);
}

#[test]
fn grace_lets_the_one_before_live_for_a_moment() {
    let (server, clock) = start(sandbox(Rotation::Grace(30)));
    let (_, first) = login(&server);
    let (_, second) = pair(&refresh(&server, &first));
    clock.pass(30);
    // the response was lost and the client repeats: it gets another pair of the same login
    let (_, twin) = pair(&refresh(&server, &first));
    assert_ne!(second, twin);
    clock.pass(1);
    assert_eq!(refresh(&server, &first).status, 400, "too late");
    assert_eq!(refresh(&server, &twin).status, 400, "and it was taken for theft");
}

#[test]
fn grace_ends_when_the_successor_is_used() {
    let (server, _) = start(sandbox(Rotation::Grace(30)));
    let (_, first) = login(&server);
    let (_, second) = pair(&refresh(&server, &first));
    let (access, third) = pair(&refresh(&server, &second));
    assert_eq!(refresh(&server, &first).status, 400);
    assert!(!works(&server, &access));
    assert_eq!(refresh(&server, &third).status, 400);
}

#[test]
fn a_refresh_token_expires_and_belongs_to_its_client() {
    let (server, clock) = start(Options { refresh_life: Some(100), ..sandbox(Rotation::Strict) });
    let (_, token) = login(&server);
    let foreign = post(
        &server,
        "/token",
        &[],
        &[("grant_type", "refresh_token"), ("client_id", "oauthctl"), ("refresh_token", &token)],
    );
    assert_eq!(foreign.json()["error_description"], "the refresh token is unknown");
    clock.pass(100);
    assert_eq!(refresh(&server, &token).json()["error_description"], "the refresh token has expired");
}

#[test]
fn narrower_scopes_hold_for_the_access_token_alone() {
    let (server, _) = start(sandbox(Rotation::Strict));
    let mut request = REQUEST.to_vec();
    request.push(("scope", "read write"));
    let code = code(&server, "/authorize", &request);
    let mut params = CLIENT.to_vec();
    params.extend([("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", REQUEST[2].1)]);
    let (_, token) = pair(&post(&server, "/token", &[], &params));
    let ask = |token: &str, scope: &str| {
        let mut params = CLIENT.to_vec();
        params.extend([("grant_type", "refresh_token"), ("refresh_token", token), ("scope", scope)]);
        post(&server, "/token", &[], &params)
    };
    assert_eq!(ask(&token, "read write admin").text("error"), "invalid_scope");
    let narrow = ask(&token, "read");
    assert_eq!(narrow.text("scope"), "read");
    assert_eq!(refresh(&server, &narrow.text("refresh_token")).text("scope"), "read write");
}

#[test]
fn logins_survive_in_a_folder_as_hashes_only() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { state: Some(folder.path().join("new")), ..sandbox(Rotation::Strict) };
    let clock = clock();
    let first = Server::start(options.clone(), clock.clone(), &Seeds).unwrap();
    let (access, token) = login(&first);
    let unused = code(&first, "/authorize", REQUEST);
    drop(first);

    let mut bytes = Vec::new();
    for file in std::fs::read_dir(folder.path().join("new")).unwrap() {
        let file = file.unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
        }
        bytes.extend(std::fs::read(file.path()).unwrap());
    }
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("practice-client"), "{text}");
    for secret in [&access, &token, &unused] {
        assert!(!text.contains(secret.as_str()), "{secret} in {text}");
    }

    let second = Server::start(options, clock, &Seeds).unwrap();
    assert!(works(&second, &access));
    pair(&refresh(&second, &token));
    let mut params = CLIENT.to_vec();
    params.extend([("grant_type", "authorization_code"), ("code", &unused), ("redirect_uri", REQUEST[2].1)]);
    pair(&post(&second, "/token", &[], &params));
}

#[test]
fn a_broken_file_is_put_aside() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("sandbox.json"), "{ half").unwrap();
    let (server, _) = start(Options { state: Some(folder.path().to_owned()), ..sandbox(Rotation::Strict) });
    login(&server);
    assert_eq!(std::fs::read_to_string(folder.path().join("sandbox.json.broken")).unwrap(), "{ half");
}

#[test]
fn of_many_who_use_one_token_at_once_on_two_servers_one_wins_and_then_the_login_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { state: Some(folder.path().to_owned()), ..sandbox(Rotation::Strict) };
    let clock = clock();
    let servers: Vec<Arc<Server>> =
        (0..2).map(|_| Arc::new(Server::start(options.clone(), clock.clone(), &Seeds).unwrap())).collect();
    let (_, token) = login(&servers[0]);
    let racers: Vec<_> = (0..16)
        .map(|n| {
            let (server, token) = (Arc::clone(&servers[n % 2]), token.clone());
            std::thread::spawn(move || refresh(&server, &token))
        })
        .collect();
    let answers: Vec<Answer> = racers.into_iter().map(|r| r.join().unwrap()).collect();
    let won: Vec<&Answer> = answers.iter().filter(|a| a.status == 200).collect();
    assert_eq!(won.len(), 1, "{answers:?}");
    for lost in answers.iter().filter(|a| a.status != 200) {
        assert_eq!((lost.status, lost.text("error")), (400, "invalid_grant".to_owned()));
    }
    let (access, next) = pair(won[0]);
    assert_eq!(refresh(&servers[1], &next).status, 400);
    assert!(servers.iter().all(|s| !works(s, &access)));
}

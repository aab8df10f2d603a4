//! A minimal browser and HTTP client for the tests.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::sandbox::Server;

/// A response.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    /// Returns the first header with this name (in lower case).
    pub fn header(&self, name: &str) -> &str {
        crate::wire::header(&self.headers, name).unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }

    /// Parses the body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// Returns a text member of a JSON response.
    pub fn text(&self, name: &str) -> String {
        self.json()[name].as_str().unwrap_or_else(|| panic!("no {name} in {self:?}")).to_owned()
    }

    /// Returns a parameter of the redirect's address.
    pub fn redirected(&self, name: &str) -> Option<String> {
        let location = url::Url::parse(self.header("location")).unwrap();
        location.query_pairs().find(|(n, _)| n == name).map(|(_, v)| v.into_owned())
    }
}

/// Makes a Basic `Authorization` header.
pub fn basic(id: &str, secret: &str) -> (&'static str, String) {
    ("Authorization", format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))))
}

/// Makes a Bearer `Authorization` header.
pub fn bearer(token: &str) -> (&'static str, String) {
    ("Authorization", format!("Bearer {token}"))
}
/// Encodes parameters as a form.
pub fn encode(params: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish()
}

/// Sends a request to `target`, a path with its query.
pub fn send(server: &Server, method: &str, target: &str, headers: &[(&str, String)], body: &str) -> Answer {
    let host = server.base().replace("http://", "");
    let mut stream = TcpStream::connect(&host).unwrap();
    let mut head = format!("{method} {target} HTTP/1.1\r\n");
    if !headers.iter().any(|(n, _)| *n == "Host") {
        head.push_str(&format!("Host: {host}\r\n"));
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{method} {target}: {answer:?}"));
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers =
        lines.filter_map(|l| l.split_once(": ")).map(|(n, v)| (n.to_ascii_lowercase(), v.to_owned())).collect();
    Answer { status, headers, body: body.to_owned() }
}

/// Sends a GET request.
pub fn get(server: &Server, target: &str, headers: &[(&str, String)]) -> Answer {
    send(server, "GET", target, headers, "")
}

/// Sends a request with a form body.
pub fn form(server: &Server, method: &str, path: &str, headers: &[(&str, String)], params: &[(&str, &str)]) -> Answer {
    let mut headers = headers.to_vec();
    headers.push(("Content-Type", "application/x-www-form-urlencoded".to_owned()));
    send(server, method, path, &headers, &encode(params))
}

/// Sends a POST request with a form body.
pub fn post(server: &Server, path: &str, headers: &[(&str, String)], params: &[(&str, &str)]) -> Answer {
    form(server, "POST", path, headers, params)
}

/// Opens the authorization page and presses a button on it.
pub fn decide(server: &Server, path: &str, params: &[(&str, &str)], decision: &str) -> Answer {
    let page = get(server, &format!("{path}?{}", encode(params)), &[]);
    assert_eq!(page.status, 200, "{page:?}");
    let ticket = page.body.split("name=\"ticket\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    post(server, path, &[], &[("ticket", ticket), ("account", "alice@example.test"), ("decision", decision)])
}

/// Completes a login and returns its code.
pub fn code(server: &Server, path: &str, params: &[(&str, &str)]) -> String {
    let back = decide(server, path, params, "allow");
    assert_eq!(back.status, 303, "{back:?}");
    back.redirected("code").unwrap_or_else(|| panic!("no code in {back:?}"))
}

/// Returns the claims of a JWT.
pub fn claims(jwt: &str) -> Value {
    let part = jwt.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

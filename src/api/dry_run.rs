//! `--dry-run`: the request as a curl command that is safe to paste anywhere. Its configuration
//! goes through a pipe, and `oauthctl token` fetches the token when the command runs. So the token
//! is neither in an argument list nor in the text.

use std::path::{Path, PathBuf};

use url::Url;

use super::body::Body;
use super::download::is_folder;
use super::items::Items;
use super::multipart;
use super::request::{Draft, carries, token_header};
use crate::error::Error;
use crate::protocol::dpop::SCHEME;
use crate::provider::Provider;
use crate::text::{for_a_shell, safe};

/// The command that prints the token.
#[derive(Clone, Debug)]
pub struct Token {
    pub words: Vec<String>,
    /// Whether the token is bound to a key. Each request then carries a proof (RFC 9449) that the
    /// same command makes.
    pub bound: bool,
}

/// How the response is printed.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub include: bool,
    /// Prints only status and headers.
    pub head: bool,
    pub output: Option<PathBuf>,
}

/// A request to print instead of sending it.
pub struct Call<'a> {
    pub provider: &'a Provider,
    pub draft: &'a Draft,
    pub url: &'a Url,
    pub items: &'a Items,
    pub body: &'a Body,
    /// `None`: the request carries no token.
    pub token: Option<Token>,
}

impl Call<'_> {
    /// Returns the shell command.
    pub fn script(&self, answer: &Answer) -> Result<String, Error> {
        let mut lines = Vec::new();
        self.head(&mut lines);
        let by_pipe = matches!(self.body, Body::Input { .. });
        self.body(&mut lines)?;
        answer.lines(&self.draft.method, &mut lines)?;
        let text = lines.join("\n");
        // the end marker must not appear as a line of the text
        let mut end = "CURL".to_owned();
        while text.lines().any(|line| line == end) {
            end.push('L');
        }
        // standard input carries the body, so the configuration needs another descriptor
        let (input, fd) = if by_pipe { ("/dev/fd/3", "3") } else { ("-", "") };
        Ok(format!("curl --fail-with-body -K {input} {fd}<<{end}\n{text}\n{end}\n"))
    }

    /// Adds address, method and headers.
    fn head(&self, lines: &mut Vec<String>) {
        let Call { provider, draft, url, body, .. } = *self;
        let substitution = self.token.as_ref().map(|token| substituted(&token.words));
        let in_header = token_header(provider);
        let address = match (&substitution, &in_header) {
            (Some(token), None) => {
                let mark = if url.query().is_some() { '&' } else { '?' };
                format!("\"{}{mark}{}={token}\"", in_quotes(url.as_str()), in_quotes(&provider.api.auth.name))
            }
            _ => quoted(url.as_str()),
        };
        lines.push(format!("url = {address}"));
        // curl would expand brackets and braces in the address
        lines.push("globoff".to_owned());
        lines.push(format!("request = {}", quoted(&draft.method)));
        let own_kind = body.kind();
        for (name, value) in &draft.headers {
            // curl makes its own boundary
            if matches!(body, Body::Parts(_)) && name == "content-type" && Some(value) == own_kind.as_ref() {
                continue;
            }
            let line = if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") };
            lines.push(format!("header = {}", quoted(&line)));
        }
        // drops the headers that curl would add; its `Accept: */*` equals ours
        let added = |name: &&str| matches!(*name, "content-type" | "user-agent");
        let mut dropped: Vec<&str> = draft.dropped.iter().map(String::as_str).filter(added).collect();
        let typed = draft.headers.iter().any(|(name, _)| name == "content-type");
        if self.is_empty() && !typed && !dropped.contains(&"content-type") {
            dropped.push("content-type");
        }
        lines.extend(dropped.iter().map(|name| format!("header = {}", quoted(&format!("{name}:")))));
        let bound = self.token.as_ref().filter(|token| token.bound);
        if let (Some(token), Some(name)) = (&substitution, &in_header) {
            let scheme = if bound.is_some() { SCHEME } else { &provider.api.auth.scheme };
            let scheme = format!("{name}: {scheme}");
            lines.push(format!("header = \"{} {token}\"", in_quotes(scheme.trim_end())));
        }
        if let Some(token) = bound {
            let more = ["--format", "dpop-proof", "--method", &draft.method, "--url", url.as_str()];
            let words: Vec<String> = token.words.iter().cloned().chain(more.map(str::to_owned)).collect();
            lines.push(format!("header = \"dpop: {}\"", substituted(&words)));
        }
    }

    /// Tells whether the request has an empty body.
    fn is_empty(&self) -> bool {
        self.body.is_none() && carries(&self.draft.method)
    }

    fn body(&self, lines: &mut Vec<String>) -> Result<(), Error> {
        match self.body {
            Body::None if self.draft.method == "HEAD" => lines.push("head".to_owned()),
            Body::None if self.is_empty() => lines.push("data-raw = \"\"".to_owned()),
            Body::None => {}
            Body::Text { text, .. } => lines.push(format!("data-raw = {}", quoted(text.expose()))),
            // `upload-file` would append the file's name to an address that ends in `/`
            Body::File { path, .. } => lines.push(format!("data-binary = {}", quoted(&format!("@{}", named(path)?)))),
            Body::Input { .. } => lines.push("upload-file = \"-\"".to_owned()),
            Body::Parts(_) => {
                for (name, value) in super::body::texts(self.items)? {
                    lines.push(format!("form-string = {}", quoted(&format!("{}={value}", part_name(&name)?))));
                }
                for file in &self.items.files {
                    let path = named(&file.path)?.replace('\\', "\\\\").replace('"', "\\\"");
                    let mut line = format!("{}=@\"{path}\";type={}", part_name(&file.name)?, multipart::kind_of(file));
                    if let Some(name) = &file.filename {
                        line += &format!(";filename=\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
                    }
                    lines.push(format!("form = {}", quoted(&line)));
                }
            }
        }
        Ok(())
    }
}

impl Answer {
    fn lines(&self, method: &str, lines: &mut Vec<String>) -> Result<(), Error> {
        let discards = self.head && method != "HEAD";
        if self.include && !self.head || discards && self.output.is_some() {
            lines.push("include".to_owned());
        }
        match &self.output {
            Some(path) if is_folder(path) => {
                lines.push(format!("output-dir = {}", quoted(&named(path)?)));
                lines.extend(["remote-name", "remote-header-name", "no-clobber"].map(str::to_owned));
            }
            Some(path) => lines.push(format!("output = {}", quoted(&named(path)?))),
            None if discards => {
                lines.push("dump-header = \"-\"".to_owned());
                lines.push("output = \"/dev/null\"".to_owned());
            }
            None => {}
        }
        Ok(())
    }
}

/// Returns the file's name for curl, which reads `-` as standard input.
fn named(path: &Path) -> Result<String, Error> {
    match path.to_str() {
        Some("-") => Ok("./-".to_owned()),
        Some(name) => Ok(name.to_owned()),
        None => Err(Error::usage(format!("`{}` can't be passed to curl", safe(&path.to_string_lossy())))
            .because("the file's name is not text in UTF-8")),
    }
}

fn part_name(name: &str) -> Result<&str, Error> {
    match name.contains('=') {
        false => Ok(name),
        true => Err(Error::usage(format!("`{}` can't be passed to curl", safe(name)))
            .because("the field's name has a `=` in it, where curl ends it")),
    }
}

/// Returns a shell substitution by the command's output.
fn substituted(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|w| for_a_shell(w)).collect();
    format!("$({})", words.join(" "))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", in_quotes(text))
}

/// Applies curl's escapes, then those of a here-document that expands `$(…)`.
fn in_quotes(text: &str) -> String {
    let mut curl = String::new();
    for c in text.chars() {
        match c {
            '\\' => curl.push_str("\\\\"),
            '"' => curl.push_str("\\\""),
            '\n' => curl.push_str("\\n"),
            '\r' => curl.push_str("\\r"),
            '\t' => curl.push_str("\\t"),
            '\u{b}' => curl.push_str("\\v"),
            c => curl.push(c),
        }
    }
    curl.chars().fold(String::new(), |mut out, c| {
        if matches!(c, '\\' | '$' | '`') {
            out.push('\\');
        }
        out.push(c);
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn script(provider: &Provider, draft: &Draft, url: &Url, body: &Body, token: Token) -> String {
        let items = &Items::default();
        Call { provider, draft, url, items, body, token: Some(token) }.script(&Answer::default()).unwrap()
    }

    #[test]
    fn a_bound_token_comes_with_its_proof() {
        let provider = Provider::bare("p");
        let draft = Draft::new(&provider, "GET", &Items::default(), None, true);
        let url = Url::parse("https://a.example/x?q=1&r=2").unwrap();
        let token = Token { words: ["oauthctl", "token", "p"].map(str::to_owned).to_vec(), bound: true };
        let script = script(&provider, &draft, &url, &Body::None, token);
        assert!(script.contains("header = \"authorization: DPoP $(oauthctl token p)\"\n"), "{script}");
        let proof = "$(oauthctl token p --format dpop-proof --method GET --url 'https://a.example/x?q=1&r=2')";
        assert!(script.contains(&format!("header = \"dpop: {proof}\"\n")), "{script}");
    }

    #[test]
    fn nothing_in_it_is_taken_for_a_command() {
        let provider = Provider::bare("p");
        let draft = Draft::new(&provider, "POST", &Items::default(), Some("application/json".into()), true);
        let body = Body::Text { text: Secret::unlisted("{\"a\":\"$(reboot) `x` \\n\"}"), kind: "application/json" };
        let url = Url::parse("https://a.example/x?q=%24a").unwrap();
        let token = Token { words: ["oauthctl", "token", "it's mine"].map(str::to_owned).to_vec(), bound: false };
        assert_eq!(
            script(&provider, &draft, &url, &body, token),
            "curl --fail-with-body -K - <<CURL\nurl = \"https://a.example/x?q=%24a\"\ngloboff\nrequest = \"POST\"\nheader = \"accept: \
             application/json, */*;q=0.5\"\nheader = \"content-type: application/json\"\nheader = \"authorization: Bearer \
             $(oauthctl token 'it'\\''s mine')\"\ndata-raw = \"{\\\\\"a\\\\\":\\\\\"\\$(reboot) \\`x\\` \\\\\\\\n\\\\\"}\"\nCURL\n"
        );
    }
}

//! `--dry-run`: the request as a shell line for curl, safe to paste anywhere. The configuration goes in through a pipe, and the token
//! is fetched by `oauthctl token` when the line runs: it stands in no argument list and not in the text.

use url::Url;

use super::body::Body;
use super::items::Items;
use super::request::{Draft, token_header};
use crate::error::Error;
use crate::protocol::dpop::SCHEME;
use crate::provider::Provider;
use crate::text::safe;

/// `token`: the words of the command that prints the token; `None`: it isn't sent. `bound`: the token is bound to a key, and each
/// request carries a proof of it (RFC 9449), which the same command makes.
pub fn script(
    provider: &Provider,
    draft: &Draft,
    url: &Url,
    items: &Items,
    body: &Body,
    token: Option<&[String]>,
    bound: bool,
) -> Result<String, Error> {
    let substitution = token.map(substituted);
    let mut lines = Vec::new();
    let mut address = quoted(url.as_str());
    let in_header = token_header(provider);
    if let (Some(token), None) = (&substitution, &in_header) {
        let mark = if url.query().is_some() { '&' } else { '?' };
        address = format!("\"{}{mark}{}={token}\"", in_quotes(url.as_str()), in_quotes(&provider.api.auth.name));
    }
    lines.push(format!("url = {address}"));
    lines.push(format!("request = {}", quoted(&draft.method)));
    let is_multipart = matches!(body, Body::Parts(_));
    for (name, value) in &draft.headers {
        // curl draws a boundary of its own
        if is_multipart && name == "content-type" {
            continue;
        }
        let line = if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") };
        lines.push(format!("header = {}", quoted(&line)));
    }
    if let (Some(token), Some(name)) = (&substitution, &in_header) {
        let scheme = if bound { SCHEME } else { &provider.api.auth.scheme };
        let scheme = format!("{name}: {scheme}");
        lines.push(format!("header = \"{} {token}\"", in_quotes(scheme.trim_end())));
    }
    if let Some(words) = token.filter(|_| bound) {
        let more = ["--format", "dpop-proof", "--method", &draft.method, "--url", url.as_str()];
        let words: Vec<String> = words.iter().cloned().chain(more.map(str::to_owned)).collect();
        lines.push(format!("header = \"dpop: {}\"", substituted(&words)));
    }
    let mut input = "-";
    match body {
        Body::None if draft.method == "HEAD" => lines.push("head".to_owned()),
        Body::None => {}
        Body::Text { text, .. } => lines.push(format!("data-raw = {}", quoted(text.expose()))),
        Body::File { path, .. } => lines.push(format!("upload-file = {}", quoted(&path.to_string_lossy()))),
        Body::Input { .. } => {
            // standard input is the body's: the configuration comes by another way
            input = "/dev/fd/3";
            lines.push("upload-file = \"-\"".to_owned());
        }
        Body::Parts(_) => {
            for (name, value) in super::body::texts(items)? {
                lines.push(format!("form-string = {}", quoted(&format!("{name}={value}"))));
            }
            for file in &items.files {
                let kind = file.kind.as_ref().map(|kind| format!(";type={kind}")).unwrap_or_default();
                let path = file.path.to_string_lossy();
                if path.contains([';', ',', '"']) {
                    return Err(Error::usage(format!("`{}` can't be said to curl", safe(&path)))
                        .cause("the file's name has a `;`, `,` or `\"` in it"));
                }
                lines.push(format!("form = {}", quoted(&format!("{}=@{path}{kind}", file.name))));
            }
        }
    }
    let text = lines.join("\n");
    // the word that ends the text must not be a line of it
    let mut end = "CURL".to_owned();
    while text.lines().any(|line| line == end) {
        end.push('L');
    }
    let fd = if input == "-" { "" } else { "3" };
    Ok(format!("curl --fail-with-body -K {input} {fd}<<{end}\n{text}\n{end}\n"))
}

/// What the shell puts in: the output of a command.
fn substituted(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|w| shell_word(w)).collect();
    format!("$({})", words.join(" "))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", in_quotes(text))
}

/// curl's escapes, then those of a here-document in which `$(…)` is meant.
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

fn shell_word(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:=@,+".contains(&b);
    match !word.is_empty() && word.bytes().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn a_bound_token_comes_with_its_proof() {
        let provider = Provider::bare("p");
        let draft = Draft::new(&provider, "GET", &Items::default(), None, true);
        let url = Url::parse("https://a.example/x?q=1&r=2").unwrap();
        let token = ["oauthctl", "token", "p"].map(str::to_owned);
        let script = script(&provider, &draft, &url, &Items::default(), &Body::None, Some(&token), true).unwrap();
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
        let token = ["oauthctl", "token", "it's mine"].map(str::to_owned);
        assert_eq!(
            script(&provider, &draft, &url, &Items::default(), &body, Some(&token), false).unwrap(),
            "curl --fail-with-body -K - <<CURL\nurl = \"https://a.example/x?q=%24a\"\nrequest = \"POST\"\nheader = \"accept: \
             application/json, */*;q=0.5\"\nheader = \"content-type: application/json\"\nheader = \"authorization: Bearer \
             $(oauthctl token 'it'\\''s mine')\"\ndata-raw = \"{\\\\\"a\\\\\":\\\\\"\\$(reboot) \\`x\\` \\\\\\\\n\\\\\"}\"\nCURL\n"
        );
    }
}

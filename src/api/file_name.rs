//! The name of the file for a response: the one that it proposes (RFC 6266), else the last segment
//! of its address. Either is the server's, so it is made harmless.

use url::{Url, form_urlencoded};

use crate::protocol::api_error::parameter;
use crate::secret::redact;
use crate::text::is_unsafe;
use crate::wire::header;

/// The harmless name for a response.
pub fn name_for(headers: &[(String, String)], url: &Url) -> String {
    let said = header(headers, "content-disposition").unwrap_or_default();
    let extended = parameter(said, "filename*").and_then(|value| {
        let (charset, rest) = value.split_once('\'')?;
        charset.eq_ignore_ascii_case("utf-8").then_some(percent_decoded(rest.split_once('\'')?.1))
    });
    let segment = url.path_segments().and_then(|mut all| all.rfind(|segment| !segment.is_empty())).map(percent_decoded);
    let proposed = [extended, parameter(said, "filename"), segment];
    proposed.into_iter().flatten().find_map(|name| harmless(&name)).unwrap_or_else(|| "response".to_owned())
}

pub(super) fn percent_decoded(text: &str) -> String {
    let text = text.replace('+', "%2B").replace('&', "%26");
    form_urlencoded::parse(format!("={text}").as_bytes()).map(|(_, value)| value.into_owned()).collect()
}

/// The longest name that a server chooses, in bytes: file systems take 255.
const LONGEST_NAME: usize = 200;

/// Returns the last part of a path as a plain file name of any system. `None`: nothing is left of
/// it.
fn harmless(path: &str) -> Option<String> {
    let name = redact(path.rsplit(['/', '\\']).next()?);
    // the log of a CI runner obeys `##vso[…]`
    let name = name.replace("##", "__");
    let name: String =
        name.chars().filter(|c| !is_unsafe(*c)).map(|c| if "<>:\"|?*".contains(c) { '_' } else { c }).collect();
    // not hidden, no option of a command, and as Windows keeps it
    let name = name.trim_start_matches(['.', ' ', '-', '~']).trim_end_matches(['.', ' ']);
    let (stem, end) = split(name);
    let room = LONGEST_NAME - end.len();
    let cut = (0..=room.min(stem.len())).rev().find(|at| stem.is_char_boundary(*at));
    let name = format!("{}{end}", &stem[..cut.unwrap_or(0)]);
    // devices of Windows, whatever follows a point
    let word = name.split('.').next()?.trim_end().to_ascii_uppercase();
    let port = (word.starts_with("COM") || word.starts_with("LPT")) && word.chars().count() == 4;
    let device = port || matches!(&*word, "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$");
    (!name.is_empty()).then(|| if device { format!("_{name}") } else { name })
}

/// Splits a name before its extension.
pub(super) fn split(name: &str) -> (&str, &str) {
    let at = name.rfind('.').filter(|at| *at > 0 && name.len() - at <= 20);
    name.split_at(at.unwrap_or(name.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    // curl -J and wget took paths and dot files from servers (CVE-2010-3842, CVE-2020-8177)
    #[test]
    fn a_name_of_the_servers_is_a_plain_file() {
        let url = Url::parse("https://a.example/v1/reports/q%203.csv?x=/y").unwrap();
        let of = |said: &str| name_for(&[("content-disposition".into(), said.into())], &url);
        for (said, want) in [
            ("", "q 3.csv"),
            ("attachment", "q 3.csv"),
            ("attachment; filename=\"a b.pdf\"", "a b.pdf"),
            ("attachment; FileName=a.pdf; size=3", "a.pdf"),
            ("attachment; filename=a.pdf; filename*=UTF-8''%e2%82%ac+&.pdf", "€+&.pdf"),
            ("attachment; filename*=KOI8-R''%e2; filename=\"a.pdf\"", "a.pdf"),
            ("attachment; filename=\"../../.ssh/authorized_keys\"", "authorized_keys"),
            ("attachment; filename=\"C:\\\\x\\\\y.txt\"", "y.txt"),
            ("attachment; filename*=UTF-8''..%2f..%5c.bashrc", "bashrc"),
            ("attachment; filename=\"..\"", "q 3.csv"),
            ("attachment; filename=\"/\"", "q 3.csv"),
            ("attachment; filename=\"-rf \"", "rf"),
            ("attachment; filename*=UTF-8''a%00%0a%1b%e2%80%ae.txt", "a.txt"),
            ("attachment; filename=\"a:b|c?.txt\"", "a_b_c_.txt"),
            ("attachment; filename=\"nul.txt\"", "_nul.txt"),
            ("attachment; filename=\"Com1 .x\"", "_Com1 .x"),
            ("attachment; filename=\"x. . \"", "x"),
            ("attachment; filename=\"##vso[x]::y #2\"", "__vso[x]__y #2"),
        ] {
            assert_eq!(of(said), want, "{said}");
        }
        let long = of(&format!("attachment; filename=\"{}.csv\"", "ä".repeat(300)));
        assert!(long.len() <= 200 && long.ends_with("ä.csv"), "{long}");
        assert_eq!(name_for(&[], &Url::parse("https://a.example/").unwrap()), "response");
    }
}

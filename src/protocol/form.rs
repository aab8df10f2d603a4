//! `application/x-www-form-urlencoded`, for bodies and queries. Decoding is strict: a redirect with
//! a broken escape is noise, not a login (L-56).

use url::form_urlencoded::byte_serialize;
use zeroize::Zeroizing;

/// `a=b&c=d`, names and values encoded.
pub fn encode<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::new());
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        out.extend(byte_serialize(name.as_bytes()));
        out.push('=');
        out.extend(byte_serialize(value.as_bytes()));
    }
    out
}

/// The same for a URL's query, with `%20` for a space: some servers read `+` as a plus sign.
pub fn encode_query<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Zeroizing<String> {
    Zeroizing::new(encode(pairs).replace('+', "%20"))
}

/// Adds encoded pairs to the query of a URL.
pub fn add_to_query(url: &mut url::Url, encoded: &str) {
    let joined = match url.query() {
        Some(query) if !query.is_empty() => format!("{query}&{encoded}"),
        _ => encoded.to_owned(),
    };
    url.set_query(Some(&joined));
}

/// Names and values in order; `None` when an escape is broken or the bytes aren't UTF-8.
pub fn decode(text: &str) -> Option<Vec<(String, String)>> {
    text.split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            Some((unescape(name)?, unescape(value)?))
        })
        .collect()
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let high = (rest.next()? as char).to_digit(16)?;
                let low = (rest.next()? as char).to_digit(16)?;
                (high * 16 + low) as u8
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

/// Removes the parameters of these names from an address. The others stay as they are written.
pub fn leave_out(url: &mut url::Url, is_one: impl Fn(&str) -> bool) {
    let Some(query) = url.query() else { return };
    let stays = |pair: &&str| {
        let name = url::form_urlencoded::parse(pair.as_bytes()).next().map(|(name, _)| name.into_owned());
        !name.is_some_and(|name| is_one(&name))
    };
    let left: Vec<&str> = query.split('&').filter(stays).collect();
    let left = Some(left.join("&")).filter(|left| !left.is_empty());
    url.set_query(left.as_deref());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_reads_back() {
        let pairs = [("a b", "ü&="), ("", "+%"), ("x", "")];
        let text = encode(pairs);
        let back = decode(&text).unwrap();
        assert_eq!(back, pairs.map(|(n, v)| (n.to_owned(), v.to_owned())));
        assert_eq!(decode(&encode_query(pairs)).unwrap(), back);
        assert_eq!(encode_query([("a b", "c d")]).as_str(), "a%20b=c%20d");
    }

    // L-56
    #[test]
    fn a_broken_escape_is_refused() {
        for text in ["a=%zz", "a=%", "a=%4", "%ff=1", "a=%c0%af"] {
            assert_eq!(decode(text), None, "{text}");
        }
        assert_eq!(decode("a;b=c"), Some(vec![("a;b".into(), "c".into())]));
    }
}

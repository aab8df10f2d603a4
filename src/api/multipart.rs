//! A body of several parts (RFC 7578): texts and files. Files are read while they are sent, so
//! memory stays flat. The length is known beforehand.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::PathBuf;

use super::items::FileItem;
use crate::secret::hex;
use crate::world::Upload;

/// A form with files (RFC 7578).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Multipart {
    boundary: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    File(PathBuf),
}

impl Multipart {
    /// Makes a form. `random`: 16 bytes for a boundary that no file contains.
    pub fn new(texts: &[(String, String)], files: &[FileItem], random: [u8; 16]) -> Multipart {
        let boundary = format!("oauthctl-{}", hex(&random));
        let mut parts = Vec::new();
        for (name, value) in texts {
            let name = quoted(name);
            parts.push(Part::Text(format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            )));
        }
        for file in files {
            let called = file.called();
            let kind = kind_of(file);
            parts.push(Part::Text(format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"; filename=\"{}\"\r\nContent-Type: {kind}\r\n\r\n",
                quoted(&file.name),
                quoted(&called),
            )));
            parts.push(Part::File(file.path.clone()));
            parts.push(Part::Text("\r\n".to_owned()));
        }
        parts.push(Part::Text(format!("--{boundary}--\r\n")));
        Multipart { boundary, parts }
    }

    /// Returns the media type with the boundary.
    pub fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }

    /// Opens the files. Each call starts anew.
    pub fn upload(&self) -> io::Result<Upload> {
        let mut length = 0;
        let mut reader: Box<dyn Read + Send> = Box::new(io::empty());
        for part in &self.parts {
            let next: Box<dyn Read + Send> = match part {
                Part::Text(text) => {
                    length += text.len() as u64;
                    Box::new(Cursor::new(text.clone().into_bytes()))
                }
                Part::File(path) => {
                    let file = File::open(path)?;
                    let size = file.metadata()?.len();
                    length += size;
                    // a file that grows meanwhile would exceed the announced length
                    Box::new(file.take(size))
                }
            };
            reader = Box::new(reader.chain(next));
        }
        Ok(Upload { reader, length: Some(length) })
    }
}

/// Escapes a name as browsers do (WHATWG HTML, "multipart/form-data encoding algorithm").
fn quoted(text: &str) -> String {
    text.replace('\r', "%0D").replace('\n', "%0A").replace('"', "%22")
}

/// Returns the media type that the user typed, else the one of the file's extension.
pub fn kind_of(file: &FileItem) -> &str {
    file.kind.as_deref().unwrap_or_else(|| kind_by_name(&file.called()))
}

fn kind_by_name(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase()).as_deref() {
        Some("json") => "application/json",
        Some("csv") => "text/csv",
        Some("txt" | "md" | "log") => "text/plain",
        Some("htm" | "html") => "text/html",
        Some("xml") => "application/xml",
        Some("pdf") => "application/pdf",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("gif") => "image/gif",
        Some("zip") => "application/zip",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_framed_and_their_length_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.csv");
        std::fs::write(&path, "x,y\n").unwrap();
        let files = [FileItem { name: "file".into(), path, kind: None, filename: Some("a \"b\".csv".into()) }];
        let body = Multipart::new(&[("list".into(), "1".into())], &files, [7; 16]);
        let boundary = format!("oauthctl-{}", "07".repeat(16));
        assert_eq!(body.content_type(), format!("multipart/form-data; boundary={boundary}"));
        let want = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"list\"\r\n\r\n1\r\n--{boundary}\r\nContent-Disposition: \
             form-data; name=\"file\"; filename=\"a %22b%22.csv\"\r\nContent-Type: text/csv\r\n\r\nx,y\n\r\n--{boundary}--\r\n"
        );
        for _ in 0..2 {
            let mut upload = body.upload().unwrap();
            let mut sent = String::new();
            upload.reader.read_to_string(&mut sent).unwrap();
            assert_eq!(sent, want);
            assert_eq!(upload.length, Some(want.len() as u64));
        }
    }
}

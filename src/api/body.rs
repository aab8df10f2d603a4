//! The body of an API request: JSON or a form made of items, parts with files, a text, a file, or
//! standard input as a stream.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::items::{self, Items};
use super::multipart::Multipart;
use super::nested_json;
use crate::error::Error;
use crate::secret::Secret;
use crate::text::safe;
use crate::world::{Upload, World};

/// The body flags of the command line.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// `-d`: a text, `@FILE`, `-`.
    pub data: Option<String>,
    /// `--input`: a file, `-`.
    pub input: Option<String>,
    pub form: bool,
}

/// The body of a request to the API.
#[derive(Debug)]
pub enum Body {
    None,
    Text {
        text: Secret,
        kind: &'static str,
    },
    Parts(Multipart),
    /// Opened anew for each attempt.
    File {
        path: PathBuf,
        kind: &'static str,
    },
    /// Standard input. A pipe can be sent only once.
    Input {
        kind: &'static str,
        sent: bool,
        file: Option<Rest>,
    },
}

/// An open file from its position at the start. Reads use explicit offsets, so two attempts that
/// overlap don't disturb each other.
#[derive(Clone, Debug)]
pub struct Rest {
    file: Arc<File>,
    at: u64,
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

impl Body {
    /// Makes the body from the command line's flags and items. Giving it twice is a usage error.
    pub fn of(world: &World, asked: &Asked, items: &Items) -> Result<Body, Error> {
        let home = world.env.home();
        let given = [asked.data.is_some(), asked.input.is_some(), !items.data.is_empty() || !items.files.is_empty()];
        if given.iter().filter(|g| **g).count() > 1 {
            let by = ["`-d`", "`--input`", "items"];
            let by: Vec<&str> = by.into_iter().zip(given).filter(|(_, g)| *g).map(|(b, _)| b).collect();
            return Err(Error::usage(format!("the body is given twice: by {}", by.join(" and by "))));
        }
        let kind = if asked.form { FORM } else { JSON };
        if let Some(data) = &asked.data {
            return match data.as_str() {
                "-" | "@-" => Ok(Body::input(world, kind)),
                text => match text.strip_prefix('@') {
                    Some(file) => Body::file(file, home.as_deref(), kind),
                    None => Ok(Body::Text { text: Secret::unlisted(text), kind }),
                },
            };
        }
        match asked.input.as_deref() {
            Some("-") => return Ok(Body::input(world, kind)),
            Some(file) => return Body::file(file, home.as_deref(), kind),
            None => {}
        }
        if !items.files.is_empty() {
            let mut random = [0; 16];
            world.random.fill(&mut random);
            return Ok(Body::Parts(Multipart::new(&texts(items)?, &items.files, random)));
        }
        if items.data.is_empty() {
            return Ok(Body::None);
        }
        let text = if asked.form {
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(texts(items)?).finish()
        } else {
            nested_json::body(&items.data)?.to_string()
        };
        Ok(Body::Text { text: Secret::unlisted(text), kind })
    }

    fn input(world: &World, kind: &'static str) -> Body {
        let rest = |mut file: File| Some(Rest { at: file.stream_position().ok()?, file: Arc::new(file) });
        Body::Input { kind, sent: false, file: world.terminal.stdin_file().and_then(rest) }
    }

    fn file(typed: &str, home: Option<&Path>, kind: &'static str) -> Result<Body, Error> {
        let path = items::resolve(typed, home);
        let failed = || Error::usage(format!("`{}` can't be read", safe(typed)));
        let metadata = std::fs::metadata(&path).map_err(|e| failed().cause(e))?;
        if metadata.is_dir() {
            return Err(failed().because("it is a folder"));
        }
        Ok(Body::File { path, kind })
    }

    /// Whether there is no body.
    pub fn is_none(&self) -> bool {
        matches!(self, Body::None)
    }

    /// Returns the default `Content-Type`, for requests whose headers name none.
    pub fn kind(&self) -> Option<String> {
        match self {
            Body::None => None,
            Body::Parts(parts) => Some(parts.content_type()),
            Body::Text { kind, .. } | Body::File { kind, .. } | Body::Input { kind, .. } => Some((*kind).to_owned()),
        }
    }

    /// Tells whether the body can be read again: a file can, a pipe can't.
    pub fn can_be_sent_again(&self) -> bool {
        match self {
            Body::Input { sent, file, .. } => file.is_some() || !sent,
            // a path may also name a pipe
            Body::File { path, .. } => std::fs::metadata(path).is_ok_and(|m| m.is_file()),
            _ => true,
        }
    }

    /// Returns the text to send, or the upload to stream.
    pub fn open(&mut self, world: &World) -> Result<(Option<Secret>, Option<Upload>), Error> {
        let failed =
            |path: &Path, e| Error::usage(format!("`{}` can't be read", safe(&path.to_string_lossy()))).cause(e);
        Ok(match self {
            Body::None => (None, None),
            Body::Text { text, .. } => (Some(text.clone()), None),
            Body::Parts(parts) => {
                let upload = parts.upload().map_err(|e| Error::usage("a file to send can't be read").cause(e))?;
                (None, Some(upload))
            }
            Body::File { path, .. } => {
                let file = std::fs::File::open(&*path).map_err(|e| failed(path, e))?;
                let metadata = file.metadata().map_err(|e| failed(path, e))?;
                let length = metadata.is_file().then_some(metadata.len());
                (None, Some(Upload { reader: Box::new(file), length }))
            }
            Body::Input { file: Some(rest), .. } => {
                let upload = rest.upload().map_err(|e| Error::usage("standard input can't be read").cause(e))?;
                (None, Some(upload))
            }
            Body::Input { sent, .. } => {
                *sent = true;
                (None, Some(Upload { reader: world.terminal.stdin(), length: None }))
            }
        })
    }
}

impl Rest {
    fn upload(&self) -> io::Result<Upload> {
        let length = self.file.metadata()?.len().saturating_sub(self.at);
        // the next reader of the same input continues behind the bytes that were sent
        (&*self.file).seek(SeekFrom::Start(self.at + length))?;
        Ok(Upload { reader: Box::new(self.clone().take(length)), length: Some(length) })
    }
}

impl Read for Rest {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        #[cfg(unix)]
        let n = std::os::unix::fs::FileExt::read_at(&*self.file, buffer, self.at)?;
        #[cfg(windows)]
        let n = std::os::windows::fs::FileExt::seek_read(&*self.file, buffer, self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}

/// Returns the fields of a form. Names are literal. A value that is an array, an object or `null`
/// is a usage error.
pub fn texts(items: &Items) -> Result<Vec<(String, String)>, Error> {
    items
        .data
        .iter()
        .map(|(key, value)| {
            let name = items::unescaped(key);
            match value {
                Value::String(text) => Ok((name, text.clone())),
                Value::Bool(_) | Value::Number(_) => Ok((name, value.to_string())),
                _ => Err(Error::usage(format!("`{}` can't be a field of a form", safe(&name)))
                    .because("a form holds texts, numbers and booleans")),
            }
        })
        .collect()
}

//! D-Bus values: the contents of a message's body and head.

use zeroize::Zeroizing;

/// Arguments, in little endian.
#[derive(Default)]
pub struct Body(Zeroizing<Vec<u8>>);

impl Body {
    pub fn new() -> Body {
        Body::default()
    }

    /// The bytes so far.
    pub fn written(&self) -> &[u8] {
        &self.0
    }

    /// Goes on to the next multiple of this many bytes: 8 before each struct or dictionary entry.
    pub fn align(&mut self, to: usize) {
        let length = self.0.len().next_multiple_of(to);
        self.0.resize(length, 0);
    }

    /// An array of bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub fn u32(&mut self, value: u32) {
        self.align(4);
        self.bytes(&value.to_le_bytes());
    }

    /// `b`.
    pub fn boolean(&mut self, value: bool) {
        self.u32(value.into());
    }

    /// `s` or `o`.
    pub fn string(&mut self, text: &str) {
        self.u32(text.len() as u32);
        self.bytes(text.as_bytes());
        self.bytes(&[0]);
    }

    /// `g`.
    pub fn signature(&mut self, text: &str) {
        self.bytes(&[text.len() as u8]);
        self.bytes(text.as_bytes());
        self.bytes(&[0]);
    }

    /// `ay`.
    pub fn byte_array(&mut self, bytes: &[u8]) {
        self.u32(bytes.len() as u32);
        self.bytes(bytes);
    }

    /// `a{ss}`.
    pub fn string_map(&mut self, pairs: &[(&str, &str)]) {
        let array = self.open_array(8);
        for (name, value) in pairs {
            self.align(8);
            self.string(name);
            self.string(value);
        }
        self.close_array(array, 8);
    }

    /// Begins an array with elements aligned to `to`; pass the result to [`Body::close_array`].
    pub fn open_array(&mut self, to: usize) -> usize {
        self.u32(0);
        let length_at = self.0.len() - 4;
        self.align(to);
        length_at
    }

    /// Writes the array's length, now that it is known.
    pub fn close_array(&mut self, length_at: usize, to: usize) {
        let first = (length_at + 4).next_multiple_of(to);
        let length = (self.0.len() - first) as u32;
        self.0[length_at..length_at + 4].copy_from_slice(&length.to_le_bytes());
    }
}

/// The number at an offset; `None`: the bytes end before.
pub fn read_u32(bytes: &[u8], at: usize, little: bool) -> Option<u32> {
    let four: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    Some(if little { u32::from_le_bytes(four) } else { u32::from_be_bytes(four) })
}

/// Reads values in sequence; `None` if the bytes don't fit the type.
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    little: bool,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8], little: bool) -> Reader<'a> {
        Reader::from(bytes, 0, little)
    }

    /// Begins `at` bytes into the message, since alignment counts from the message's first byte.
    pub fn from(bytes: &'a [u8], at: usize, little: bool) -> Reader<'a> {
        Reader { bytes, at, little }
    }

    /// Whether all bytes were read.
    pub fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// Goes on to the next multiple of this many bytes.
    pub fn align(&mut self, to: usize) {
        self.at = self.at.next_multiple_of(to);
    }

    pub fn u32(&mut self) -> Option<u32> {
        self.align(4);
        let value = read_u32(self.bytes, self.at, self.little)?;
        self.at += 4;
        Some(value)
    }

    pub fn u64(&mut self) -> Option<u64> {
        self.align(8);
        let eight: [u8; 8] = self.take(8)?.try_into().ok()?;
        Some(if self.little { u64::from_le_bytes(eight) } else { u64::from_be_bytes(eight) })
    }

    /// The next bytes; `None`: there are fewer.
    pub fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(length)?;
        let bytes = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(bytes)
    }

    /// `b`.
    pub fn boolean(&mut self) -> Option<bool> {
        self.u32().map(|number| number != 0)
    }

    /// `s` or `o`.
    pub fn string(&mut self) -> Option<String> {
        let length = self.u32()? as usize;
        self.text(length)
    }

    /// `g`.
    pub fn signature(&mut self) -> Option<String> {
        let length = self.take(1)?[0].into();
        self.text(length)
    }

    fn text(&mut self, length: usize) -> Option<String> {
        let text = std::str::from_utf8(self.take(length)?).ok()?.to_owned();
        self.take(1)?;
        Some(text)
    }

    /// `ay`.
    pub fn byte_array(&mut self) -> Option<&'a [u8]> {
        let length = self.u32()? as usize;
        self.take(length)
    }

    /// `a{ss}`.
    pub fn string_map(&mut self) -> Option<Vec<(String, String)>> {
        self.array(8, |values| Some((values.string()?, values.string()?)))
    }

    /// `ao`.
    pub fn paths(&mut self) -> Option<Vec<String>> {
        self.array(4, Reader::string)
    }

    fn array<T>(&mut self, alignment: usize, element: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let length = self.u32()? as usize;
        self.align(alignment);
        let end = self.at.checked_add(length)?;
        let mut elements = Vec::new();
        while self.at < end {
            self.align(alignment);
            elements.push(element(self)?);
        }
        Some(elements)
    }
}

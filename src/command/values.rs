//! The practice server's manners as values of a flag: the help names and explains each.

use crate::config::words::{Explained, Words};
use crate::provider::catalogue;
use crate::sandbox::Manners;

const MANNERS: Explained = &[
    ("sandbox", "the practice server's own"),
    ("getresponse", "GetResponse's"),
    ("verticalresponse", "VerticalResponse's, classic"),
    ("verticalresponse-vr2", "VerticalResponse's, VR2"),
    ("constantcontact", "Constant Contact's"),
];

pub fn manners() -> Words<Manners> {
    Words { read: manner, known: MANNERS }
}

fn manner(text: &str) -> Result<Manners, String> {
    let name = catalogue::find(text).map_or(text, |(name, _)| name);
    Manners::from_name(name).ok_or_else(|| Manners::ALL.map(Manners::name).join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_that_is_read_is_explained() {
        let names: Vec<&str> = MANNERS.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, Manners::ALL.map(Manners::name));
    }
}

//! How stored records are written and read: functions for serde's derives.
//!
//! A member of an unexpected form counts as missing, so that it doesn't cost the rest of the
//! record. Records are read from text, where a secret is copied once, into its [`Secret`].

use std::collections::BTreeMap;

use serde::de::value::MapDeserializer;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use zeroize::Zeroizing;

use crate::secret::Secret;

/// A value, or `None` for a value of another form.
struct Fitting<T>(Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Fitting<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Fitting(serde_json::from_str(<&RawValue>::deserialize(from)?.get()).ok()))
    }
}

/// The members of an object. Of two with the same name the last counts.
pub struct Members<'a>(pub BTreeMap<String, &'a RawValue>);

impl<'a> Members<'a> {
    /// The members of a text; none if it is JSON but no object. `None`: it is not JSON.
    pub fn of(text: &'a str) -> Option<Members<'a>> {
        serde_json::from_str::<Fitting<_>>(text).ok().map(|members| Members(members.0.unwrap_or_default()))
    }

    /// Reads one member. `Some(None)`: it has another form.
    pub fn get<T: Deserialize<'a>>(&self, name: &str) -> Option<Option<T>> {
        self.0.get(name).map(|value| serde_json::from_str(value.get()).ok())
    }

    /// Reads a structure whose members may all be missing. A member that doesn't fit is left out.
    pub fn read<T: Deserialize<'a>>(self) -> Option<T> {
        let read =
            |members: &[(String, &'a RawValue)]| T::deserialize(MapDeserializer::new(members.iter().cloned())).ok();
        let mut members: Vec<_> = self.0.into_iter().collect();
        read(&members).or_else(|| {
            members.retain(|member| read(std::slice::from_ref(member)).is_some());
            read(&members)
        })
    }
}

/// Writes a structure with the version of its form and without the members that are `null`.
pub fn write(structure: &impl Serialize, version: u64) -> serde_json::Result<Secret> {
    let text = Zeroizing::new(serde_json::to_string(structure)?);
    let version = to_raw_value(&version)?;
    let mut members: BTreeMap<&str, &RawValue> = serde_json::from_str(&text)?;
    members.retain(|_, value| value.get() != "null");
    members.insert("oauthctl", &version);
    serde_json::to_string(&members).map(Secret::unlisted)
}

/// Reads a member; the default stands for another form. No such member is an array, though a
/// derived structure could be read from one.
pub fn fitting<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    let text = <&RawValue>::deserialize(from)?.get();
    Ok(if text.starts_with('[') { T::default() } else { serde_json::from_str(text).unwrap_or_default() })
}

/// Reads the elements of a list that fit; `None` for another form.
pub fn list<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<T>>, D::Error> {
    let list = Fitting::<Vec<Fitting<T>>>::deserialize(from)?.0;
    Ok(list.map(|list| list.into_iter().filter_map(|element| element.0).collect()))
}

/// The same, or the one element that an older version wrote in the list's place.
pub fn one_or_list<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    let text = <&RawValue>::deserialize(from)?.get();
    let list = |text| serde_json::from_str::<Vec<Fitting<T>>>(text).unwrap_or_default();
    let found = if text.starts_with('[') { list(text) } else { vec![Fitting(serde_json::from_str(text).ok())] };
    Ok(found.into_iter().filter_map(|element| element.0).collect())
}

/// Reads the members of an object that fit.
pub fn map<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, T>, D::Error> {
    let members: BTreeMap<String, Fitting<T>> = fitting(from)?;
    Ok(members.into_iter().filter_map(|(name, value)| Some((name, value.0?))).collect())
}

/// Writes a secret into a record, where it is stored.
pub fn expose<S: Serializer>(secret: &Secret, to: S) -> Result<S::Ok, S::Error> {
    secret.expose().serialize(to)
}

/// Writes a secret that there may be.
pub fn expose_some<S: Serializer>(secret: &Option<Secret>, to: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(Secret::expose).serialize(to)
}

/// Writes secrets by name.
pub fn expose_map<S: Serializer>(secrets: &BTreeMap<String, Secret>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(secrets.iter().map(|(name, secret)| (name, secret.expose())))
}

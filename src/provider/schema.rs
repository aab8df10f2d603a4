//! Declares the keys of a provider's file, each once: `schema!` makes a structure of one table.

use std::collections::BTreeMap;

/// Structures whose fields are keys. A field has a doc comment (its row in `catalogue/README.md`),
/// the key in parentheses where that is not the field's own name, `as Url`, `as Host`, `as Text`…
/// where `{var}` means something in its strings, and `= VALUE` where its default is not the type's
/// own. A structure as a field is visited by `as Table`.
macro_rules! schema {
    ($(
        $(#[$about:meta])*
        pub struct $name:ident {
            $( $(#[$says:meta])* pub $field:ident $(($key:literal))? : $type:ty $(as $kind:ident)? $(= $default:expr)?, )*
        }
    )*) => {$(
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(default, rename_all = "kebab-case")]
        pub struct $name { $( $(#[$says])* $(#[serde(rename = $key)])? pub $field: $type, )* }

        impl Default for $name {
            fn default() -> $name {
                $name { $( $field: schema!(@default $($default)?), )* }
            }
        }

        impl $crate::provider::schema::Strings for $name {
            fn each<E>(
                &mut self,
                _path: &str,
                _: $crate::provider::schema::StringKind,
                _visit: $crate::provider::schema::Visit<'_, E>,
            ) -> Result<(), E> {
                $( schema!(@visit self _path _visit $field [$($key)?] $($kind)?); )*
                Ok(())
            }
        }
    )*};
    (@default) => { Default::default() };
    (@default $default:expr) => { $default };
    (@visit $self:ident $path:ident $visit:ident $field:ident [$($key:literal)?]) => {};
    (@visit $self:ident $path:ident $visit:ident $field:ident [$key:literal] $kind:ident) => {
        $self.$field.each(
            &$crate::provider::schema::below($path, $key),
            $crate::provider::schema::StringKind::$kind,
            $visit,
        )?
    };
    (@visit $self:ident $path:ident $visit:ident $field:ident [] $kind:ident) => {
        schema!(@visit $self $path $visit $field [(stringify!($field))] $kind)
    };
    (@visit $self:ident $path:ident $visit:ident $field:ident [($key:expr)] $kind:ident) => {
        $self.$field.each(
            &$crate::provider::schema::below($path, &$key.replace('_', "-")),
            $crate::provider::schema::StringKind::$kind,
            $visit,
        )?
    };
}

pub(super) use schema;

/// The kind of a string, which decides the values of its `{var}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StringKind {
    Url,
    Host,
    /// Anything else.
    Text,
    /// May hold line breaks, and other braces (a GraphQL query).
    Long,
    /// An address, or `oob`.
    Page,
    /// A table; its keys have kinds of their own.
    Table,
}

/// Gets the key, the kind and the text of each string.
pub type Visit<'a, E> = &'a mut dyn FnMut(&str, StringKind, &mut String) -> Result<(), E>;

/// A value with strings that may contain `{var}`.
pub trait Strings {
    /// Visits each string. `path` is the value's key.
    fn each<E>(&mut self, path: &str, kind: StringKind, visit: Visit<'_, E>) -> Result<(), E>;
}

/// The key of a field in the table at `path`. A key that starts with `*` stands for the table
/// itself.
pub fn below(path: &str, key: &str) -> String {
    match (path, key.starts_with('*')) {
        ("", _) => key.to_owned(),
        (_, true) => path.to_owned(),
        (_, false) => format!("{path}.{key}"),
    }
}

impl Strings for String {
    fn each<E>(&mut self, path: &str, kind: StringKind, visit: Visit<'_, E>) -> Result<(), E> {
        visit(path, kind, self)
    }
}

impl<T: Strings> Strings for Option<T> {
    fn each<E>(&mut self, path: &str, kind: StringKind, visit: Visit<'_, E>) -> Result<(), E> {
        self.iter_mut().try_for_each(|it| it.each(path, kind, visit))
    }
}

impl<T: Strings> Strings for Vec<T> {
    fn each<E>(&mut self, path: &str, kind: StringKind, visit: Visit<'_, E>) -> Result<(), E> {
        self.iter_mut().try_for_each(|it| it.each(path, kind, visit))
    }
}

impl<T: Strings> Strings for BTreeMap<String, T> {
    fn each<E>(&mut self, path: &str, kind: StringKind, visit: Visit<'_, E>) -> Result<(), E> {
        self.iter_mut().try_for_each(|(name, it)| it.each(&below(path, name), kind, visit))
    }
}

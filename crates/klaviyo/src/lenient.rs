//! Lenient reading: an attribute with a broken value does not make the other attributes unreadable.
//!
//! JSON leaves open what an object means in which a name stands twice. Here the last value stands, as in the
//! languages that Klaviyo's own clients are written in.
//!
//! An attribute is first taken as the raw text of its value, of which the parser checks only the grammar, and is
//! decoded later, by itself. So only that attribute is lost if it holds half of a surrogate pair, which is valid
//! JSON but in no string, or a number in place of a text. Each text is decoded once.

use std::fmt;

use fanfare_domain::time::Timestamp;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Visitor};
use serde_json::value::RawValue;

/// A value that is decoded later; `None` if it is `null` or absent.
pub(crate) type Raw<'a> = Option<&'a RawValue>;

/// The value; `None` if it is absent or of another type.
pub(crate) fn value<'a, T: Deserialize<'a>>(raw: Raw<'a>) -> Option<T> {
    serde_json::from_str(raw?.get()).ok()
}

/// The text of a time that is none.
#[derive(Debug)]
pub(crate) struct UnreadableTime;

/// The time; `None` if it is absent or blank.
pub(crate) fn time(raw: Raw<'_>) -> Result<Option<Timestamp>, UnreadableTime> {
    let Some(json) = raw else {
        return Ok(None);
    };
    let text: String = serde_json::from_str(json.get()).map_err(|_| UnreadableTime)?;
    if text.trim().is_empty() {
        return Ok(None);
    }
    let time = Timestamp::parse_iso8601(&text);
    time.map(Some).ok_or(UnreadableTime)
}

/// Declares an object of a document by the members that are read of it. Members of other names are skipped, and
/// one that is absent has its type's default.
macro_rules! object {
    ($(#[$doc:meta])* $vis:vis struct $name:ident<$life:lifetime $(, $of:ident)?> {
        $($(#[$member_doc:meta])* $member_vis:vis $member:ident: $type:ty,)+
    }) => {
        $(#[$doc])*
        $vis struct $name<$life $(, $of)?> {
            $($(#[$member_doc])* $member_vis $member: $type,)+
        }

        impl<$life $(, $of)?> Default for $name<$life $(, $of)?> {
            fn default() -> Self {
                Self { $($member: Default::default(),)+ }
            }
        }

        impl<$life $(, $of: ::serde::Deserialize<$life>)?> ::serde::Deserialize<$life>
            for $name<$life $(, $of)?>
        {
            fn deserialize<D: ::serde::Deserializer<$life>>(from: D) -> Result<Self, D::Error> {
                struct Members<T>(::std::marker::PhantomData<T>);

                impl<$life $(, $of: ::serde::Deserialize<$life>)?> ::serde::de::Visitor<$life>
                    for Members<$name<$life $(, $of)?>>
                {
                    type Value = $name<$life $(, $of)?>;

                    fn expecting(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A: ::serde::de::MapAccess<$life>>(
                        self,
                        mut map: A,
                    ) -> Result<Self::Value, A::Error> {
                        let names = $crate::lenient::Names(&[$(stringify!($member)),+]);
                        let mut object = Self::Value::default();
                        while let Some(name) = map.next_key_seed(names)? {
                            $(if name == Some(stringify!($member)) {
                                object.$member = map.next_value()?;
                                continue;
                            })+
                            map.next_value::<::serde::de::IgnoredAny>()?;
                        }
                        Ok(object)
                    }
                }

                from.deserialize_map(Members(::std::marker::PhantomData))
            }
        }
    };
}
pub(crate) use object;

/// The names that are looked for. One that no text can hold, with half of a surrogate pair in it, is another name.
#[derive(Clone, Copy)]
pub(crate) struct Names(pub(crate) &'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Names {
    type Value = Option<&'static str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        // As bytes, because a text would have to be valid.
        deserializer.deserialize_bytes(self)
    }
}

impl Visitor<'_> for Names {
    type Value = Option<&'static str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<Self::Value, E> {
        let known = self.0.iter().find(|known| known.as_bytes() == name);
        Ok(known.copied())
    }
}

/// An object. Any other JSON value in its place counts as an empty object.
#[derive(Default)]
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?.get();
        let is_object = json.starts_with('{');
        Ok(Self(if is_object {
            serde_json::from_str(json).map_err(serde::de::Error::custom)?
        } else {
            T::default()
        }))
    }
}

//! The macro that writes a set of events: an enum, and the table that gives each kind its number and version.

/// Writes an enum of events with explicit numbers and versions, and its [`EventSet`](crate::EventSet).
///
/// Each row is `number "name" vVERSION Role => Variant(Body)`. An older version of a body is
/// lifted by `From` where a row ends in `, was VERSION as OldBody`.
///
/// Where a row ends in `, or VERSION as ShortBody`, those bodies that `ShortBody::of(&body)` has a shorter form of are
/// written in that form and version, and lifted by `From` when they are read; all others stay as they were, byte for
/// byte. `ShortBody::is_of(&body)` says the same as `of` without making anything.
///
/// Where a body is followed by ` in Box`, the variant holds it on the heap. An event is as large as its largest variant
/// and is moved a few times, so a body that is rare and large stands there. In the log it makes no difference.
///
/// ```
/// use dacapo_kernel::events;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
/// pub struct Taken { pub item: u32 }
///
/// events! {
///     /// What happens in a shop.
///     pub enum ShopEvent {
///         /// Somebody took an item.
///         64 "item taken" v 1 Consequence => Taken(Taken);
///     }
/// }
/// ```
#[macro_export]
macro_rules! events {
    (
        $(#[$meta:meta])*
        $vis:vis enum $Name:ident {
            $(
                $(#[$row:meta])*
                $number:literal $name:literal v $version:literal $role:ident
                    => $Variant:ident($Body:ty)
                        $(in $Box:ident)?
                        $(, was $old:literal as $Old:ty)*
                        $(, or $short:literal as $Short:ty)?;
            )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        $vis enum $Name {
            $($(#[$row])* $Variant($crate::held!($($Box)? $Body)),)*
        }

        impl $crate::EventSet for $Name {
            const KINDS: &'static [$crate::Kind] = &[
                $($crate::Kind {
                    number: $number,
                    name: $name,
                    version: {
                        const VERSIONS: &[u8] = &[$version $(, $short)?];
                        VERSIONS[VERSIONS.len() - 1]
                    },
                    role: $crate::Role::$role,
                },)*
            ];

            #[inline]
            fn kind(&self) -> &'static $crate::Kind {
                match self {
                    $($($Name::$Variant(body) if <$Short>::is_of(body) => &const {
                        $crate::Kind {
                            number: $number,
                            name: $name,
                            version: $short,
                            role: $crate::Role::$role,
                        }
                    },)?
                    $Name::$Variant(_) => &const {
                        $crate::Kind {
                            number: $number,
                            name: $name,
                            version: $version,
                            role: $crate::Role::$role,
                        }
                    },)*
                }
            }

            #[inline]
            fn encode(&self, out: &mut Vec<u8>) -> Result<(), $crate::CodecError> {
                match self {
                    $($Name::$Variant(body) => {
                        $(if let Some(short) = <$Short>::of(body) {
                            return $crate::codec::encode(&short, out);
                        })?
                        $crate::codec::encode(body, out)
                    })*
                }
            }

            #[inline]
            fn decode(
                kind: u16,
                version: u8,
                bytes: &[u8],
            ) -> Result<Option<Self>, $crate::CodecError> {
                Ok(Some(match (kind, version) {
                    $(
                        ($number, $version) => $crate::codec::decode::<$Body>(bytes)?.into(),
                        $(($number, $old) => {
                            <$Body>::from($crate::codec::decode::<$Old>(bytes)?).into()
                        })*
                        $(($number, $short) => {
                            <$Body>::from($crate::codec::decode::<$Short>(bytes)?).into()
                        })?
                    )*
                    _ => return Ok(None),
                }))
            }

            fn serialize_body<S: ::serde::Serializer>(
                &self,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                match self {
                    $($Name::$Variant(body) => ::serde::Serialize::serialize(body, serializer),)*
                }
            }

            fn deserialize_body<'de, D: ::serde::Deserializer<'de>>(
                kind: u16,
                deserializer: D,
            ) -> Result<Option<Self>, D::Error> {
                match kind {
                    $($number => {
                        let body: $Body = ::serde::Deserialize::deserialize(deserializer)?;
                        Ok(Some(body.into()))
                    })*
                    _ => Ok(None),
                }
            }
        }

        /// The number of each kind, for whoever wants to be shown only some of them.
        #[expect(non_upper_case_globals, reason = "each has the name of its event")]
        #[allow(dead_code, reason = "a set may have kinds that nobody looks for")]
        pub mod number {
            $(#[doc = $name] pub const $Variant: u16 = $number;)*
        }

        $(impl From<$Body> for $Name {
            fn from(body: $Body) -> Self {
                $Name::$Variant($crate::held!($($Box)? = body))
            }
        })*
    };
}

/// How a variant holds its body: as it is, or on the heap.
#[doc(hidden)]
#[macro_export]
macro_rules! held {
    (Box = $body:ident) => { Box::new($body) };
    (= $body:ident) => { $body };
    (Box $Body:ty) => { Box<$Body> };
    ($Body:ty) => { $Body };
}

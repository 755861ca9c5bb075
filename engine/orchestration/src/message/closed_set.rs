//! A macro for the small closed sets of words that messages use: topics, priorities, biases, regimes.
//!
//! Each word has a name, which is what JSON says, and a number, which is what the log says; the
//! order in which the variants are written means nothing. Open sets (symbols, sources, task
//! names) are [`Name`](super::Name)s.

/// Defines an enum whose variants have a number and a name.
macro_rules! closed_set {
    (
        $(#[$meta:meta])*
        pub enum $Set:ident {
            $($(#[$variant_meta:meta])* $Variant:ident = $code:literal $name:literal,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $Set {
            $($(#[$variant_meta])* $Variant = $code,)*
        }

        impl $Set {
            /// Every member, in the order in which they are listed to people.
            pub const ALL: &'static [$Set] = &[$($Set::$Variant,)*];

            /// The names of all, in the same order.
            pub const NAMES: &'static [&'static str] = &[$($name,)*];

            /// The number that stands for it in the log.
            pub const fn code(self) -> u8 {
                self as u8
            }

            /// The name that stands for it in JSON.
            pub const fn name(self) -> &'static str {
                match self {
                    $($Set::$Variant => $name,)*
                }
            }

            /// The member with this number.
            pub const fn from_code(code: u8) -> Option<$Set> {
                match code {
                    $($code => Some($Set::$Variant),)*
                    _ => None,
                }
            }

            /// The member with exactly this name.
            pub fn from_name(name: &str) -> Option<$Set> {
                match name {
                    $($name => Some($Set::$Variant),)*
                    _ => None,
                }
            }
        }

        impl std::fmt::Display for $Set {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl serde::Serialize for $Set {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.serialize_str(self.name())
                } else {
                    serializer.serialize_u8(self.code())
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $Set {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<$Set, D::Error> {
                use serde::de::Error;
                if deserializer.is_human_readable() {
                    let name = String::deserialize(deserializer)?;
                    $Set::from_name(&name).ok_or_else(|| D::Error::unknown_variant(&name, &[$($name,)*]))
                } else {
                    let code = u8::deserialize(deserializer)?;
                    $Set::from_code(code).ok_or_else(|| {
                        D::Error::custom(format_args!(
                            concat!("no ", stringify!($Set), " has the number {}"), code
                        ))
                    })
                }
            }
        }
    };
}

pub(crate) use closed_set;

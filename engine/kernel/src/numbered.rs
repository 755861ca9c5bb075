//! Enums inside bodies of events, with explicit numbers.
//!
//! What a serializer makes of a plain enum depends on the order of its variants, which would
//! become the file format. Here each variant has a number, as each kind of event has.

/// Writes an enum whose variants have explicit numbers, for use inside the bodies of events.
///
/// In a log a value is its number and what it holds; for people and other tools it is its name.
/// A variant holds nothing, or one value.
///
/// ```
/// dacapo_kernel::numbered! {
///     /// How a delivery ended.
///     pub enum Ending {
///         /// It arrived.
///         1 Arrived,
///         /// It was refused, for a reason.
///         2 Refused(String),
///     }
/// }
/// ```
#[macro_export]
macro_rules! numbered {
    (
        $(#[$meta:meta])*
        $vis:vis enum $Name:ident {
            $($(#[$row:meta])* $number:literal $Variant:ident $(($Held:ty))?,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        $vis enum $Name {
            $($(#[$row])* $Variant $(($Held))?,)*
        }

        impl ::serde::Serialize for $Name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let people = serializer.is_human_readable();
                match self {
                    $($crate::numbered!(@pattern $Name $Variant held $(($Held))?) => {
                        let number: u8 = $number;
                        if people {
                            $crate::numbered!(@tell serializer $Name $Variant number held $(($Held))?)
                        } else {
                            let pair = $crate::numbered!(@pair number held $(($Held))?);
                            ::serde::Serialize::serialize(&pair, serializer)
                        }
                    })*
                }
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $Name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;

                impl<'de> ::serde::de::Visitor<'de> for Visitor {
                    type Value = $Name;

                    fn expecting(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                        f.write_str(concat!("a ", stringify!($Name), ": the name or number of its variant, and what it holds"))
                    }

                    fn visit_str<E: ::serde::de::Error>(self, name: &str) -> Result<$Name, E> {
                        $($crate::numbered!(@bare name $Name $Variant $(($Held))?);)*
                        Err(E::custom(::std::format_args!(
                            concat!("no ", stringify!($Name), " without content is called {:?}"),
                            name
                        )))
                    }

                    fn visit_map<A: ::serde::de::MapAccess<'de>>(
                        self,
                        mut map: A,
                    ) -> Result<$Name, A::Error> {
                        use ::serde::de::Error;
                        let name: String = map
                            .next_key()?
                            .ok_or_else(|| A::Error::custom(concat!("a ", stringify!($Name), " without a name")))?;
                        $($crate::numbered!(@held name map $Name $Variant $(($Held))?);)*
                        Err(A::Error::custom(::std::format_args!(
                            concat!("no ", stringify!($Name), " with content is called {:?}"),
                            name
                        )))
                    }

                    fn visit_seq<A: ::serde::de::SeqAccess<'de>>(
                        self,
                        mut seq: A,
                    ) -> Result<$Name, A::Error> {
                        use ::serde::de::Error;
                        let short = || A::Error::custom(concat!("a ", stringify!($Name), " is cut off"));
                        let number: u8 = seq.next_element()?.ok_or_else(short)?;
                        match number {
                            $($number => $crate::numbered!(@read seq short $Name $Variant $(($Held))?),)*
                            other => Err(A::Error::custom(::std::format_args!(
                                concat!("no ", stringify!($Name), " has the number {}"),
                                other
                            ))),
                        }
                    }
                }

                if deserializer.is_human_readable() {
                    return deserializer.deserialize_any(Visitor);
                }
                deserializer.deserialize_tuple(2, Visitor)
            }
        }
    };
    (@pattern $Name:ident $Variant:ident $held:ident) => { $Name::$Variant };
    (@pattern $Name:ident $Variant:ident $held:ident ($Held:ty)) => { $Name::$Variant($held) };
    (@pair $number:ident $held:ident) => { ($number, ()) };
    (@pair $number:ident $held:ident ($Held:ty)) => { ($number, $held) };
    (@tell $serializer:ident $Name:ident $Variant:ident $number:ident $held:ident) => {
        $serializer.serialize_unit_variant(stringify!($Name), $number.into(), stringify!($Variant))
    };
    (@tell $serializer:ident $Name:ident $Variant:ident $number:ident $held:ident ($Held:ty)) => {
        $serializer.serialize_newtype_variant(
            stringify!($Name),
            $number.into(),
            stringify!($Variant),
            $held,
        )
    };
    (@bare $name:ident $Name:ident $Variant:ident) => {
        if $name == stringify!($Variant) {
            return Ok($Name::$Variant);
        }
    };
    (@bare $name:ident $Name:ident $Variant:ident ($Held:ty)) => {};
    (@held $name:ident $map:ident $Name:ident $Variant:ident) => {};
    (@held $name:ident $map:ident $Name:ident $Variant:ident ($Held:ty)) => {
        if $name == stringify!($Variant) {
            let held: $Held = $map.next_value()?;
            return Ok($Name::$Variant(held));
        }
    };
    (@read $seq:ident $short:ident $Name:ident $Variant:ident) => {{
        let () = $seq.next_element()?.ok_or_else($short)?;
        Ok($Name::$Variant)
    }};
    (@read $seq:ident $short:ident $Name:ident $Variant:ident ($Held:ty)) => {{
        let held: $Held = $seq.next_element()?.ok_or_else($short)?;
        Ok($Name::$Variant(held))
    }};
}

#[cfg(test)]
mod tests {
    use crate::codec;

    numbered! {
        /// Two variants whose numbers are not their order.
        enum Kept {
            /// Holds nothing.
            7 Nothing,
            /// Holds a text.
            3 Text(String),
        }
    }

    #[test]
    fn the_number_is_in_the_bytes_and_the_order_is_not() {
        let mut bytes = Vec::new();
        codec::encode(&Kept::Nothing, &mut bytes).unwrap();
        assert_eq!(bytes, [7]);
        bytes.clear();
        codec::encode(&Kept::Text("a".to_owned()), &mut bytes).unwrap();
        assert_eq!(bytes, [3, 1, b'a']);
    }

    #[test]
    fn what_was_written_comes_back_and_an_unknown_number_is_refused() {
        for value in [Kept::Nothing, Kept::Text("x".to_owned())] {
            let mut bytes = Vec::new();
            codec::encode(&value, &mut bytes).unwrap();
            assert_eq!(codec::decode::<Kept>(&bytes).unwrap(), value);
        }
        let refused = codec::decode::<Kept>(&[9]).unwrap_err().to_string();
        assert!(refused.contains("no Kept has the number 9"), "{refused}");
    }

    #[test]
    fn people_read_and_write_the_name() {
        let kept = [Kept::Nothing, Kept::Text("x".to_owned())];
        let told = serde_json::to_string(&kept).unwrap();
        assert_eq!(told, r#"["Nothing",{"Text":"x"}]"#);
        let read: Vec<Kept> = serde_json::from_str(&told).unwrap();
        assert_eq!(read, kept);
        for wrong in [
            r#""Text""#,
            r#"{"Nothing": 1}"#,
            r#"{"Else": 1}"#,
            "{}",
            "1",
        ] {
            assert!(serde_json::from_str::<Kept>(wrong).is_err(), "{wrong}");
        }
    }
}

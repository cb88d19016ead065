//! The macros that declare a config type once: its fields, defaults, documentation and forms.
//!
//! Each macro writes the type as it reads, an implementation of decoding that collects every
//! mistake, and a constant table from which merging, the JSON Schema and `explain` are derived. The
//! logic is in [`decode`](super::decode); the macros only list.

/// Declares a block: a struct whose fields are keys.
///
/// Every field is `name: Type = "default as YAML"` or `= required`, and becomes `pub name:
/// Spanned<Type>`. `in 1..=64` after the default is the range of its whole numbers, `likely
/// "1ms..4ms"` what is known of the real figure that the default stands for, and `source "…"` says
/// where both come from. A key that is a word of
/// Rust is written raw, `r#in`. `short = key` names the key that a scalar in place of the block
/// sets; `presets = TABLE` names sets of defaults, one of which a key chooses;
/// `check = function` runs `fn(&Self, Span, &mut Diagnostics)` on the decoded block;
/// `others` takes all keys that are no fields, as a table; `include` adds the keys of other blocks
/// at the same level; `unbuilt` lists the keys that the language has and this version does not.
#[macro_export]
macro_rules! config {
    (
        $(#[doc = $doc:literal])*
        $(#[derive($($derive:ident),*)])?
        pub struct $Name:ident $(, short = $short:ident)? $(, presets = $presets:path)?
        $(, check = $check:path)? {
            $(
                $(#[doc = $field_doc:literal])*
                $field:ident : $ty:ty = $presence:tt $(in $from:literal ..= $to:literal)?
                $(likely $likely:literal)? $(source $source:literal)?
            ),* $(,)?
        }
        $(others { $(#[doc = $others_doc:literal])* $others:ident : $Others:ty $(,)? })?
        $(include { $($(#[doc = $group_doc:literal])* $group:ident : $Group:ty),* $(,)? })?
        $(unbuilt { $($unbuilt:ident : $about:literal),* $(,)? })?
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone $($(, $derive)*)?)]
        pub struct $Name {
            $($(#[doc = $field_doc])* pub $field: $crate::language::Spanned<$ty>,)*
            $($(#[doc = $others_doc])* pub $others: $crate::language::Table<$Others>,)?
            $($($(#[doc = $group_doc])* pub $group: $Group,)*)?
        }

        impl $crate::language::Block for $Name {
            const SHAPE: &'static $crate::language::shape::BlockShape =
                &$crate::language::shape::BlockShape {
                    name: stringify!($Name),
                    doc: concat!($($doc, "\n"),*),
                    short: $crate::config!(@option $($crate::config!(@key $short))?),
                    fields: &[$($crate::language::shape::Field {
                        name: $crate::config!(@key $field),
                        doc: concat!($($field_doc, "\n"),*),
                        presence: $crate::config!(@presence $presence),
                        source: concat!($($source)?),
                        likely: $crate::config!(@option $($likely)?),
                        range: $crate::config!(@option $(($from, $to))?),
                        shape: <$ty as $crate::language::Decode>::shape,
                        probe: |node, out| {
                            <$ty as $crate::language::Decode>::decode(node, out)
                            $(.and_then(|value| {
                                let key = $crate::config!(@key $field);
                                let field = $crate::language::Spanned::new(value, node.span);
                                $crate::language::range::check(key, &field, ($from, $to), out)
                            }))?;
                        },
                    }),*],
                    others: $crate::config!(
                        @option $(<$Others as $crate::language::Decode>::shape)?
                    ),
                    groups: &[$($(|| <$Group as $crate::language::Block>::SHAPE),*)?],
                    unbuilt: $crate::config!(@unbuilt $($($unbuilt : $about),*)?),
                    presets: $crate::config!(@option $(&$presets)?),
                };

            // A block may consist of groups only, or have no key at all.
            #[allow(unused_variables)]
            fn read(
                reader: &mut $crate::language::Reader<'_>,
                out: &mut $crate::language::Diagnostics,
            ) -> Option<Self> {
                // All keys are read before the first failure ends this: no mistake hides another.
                $(let $field = reader.field::<$ty>(
                    $crate::config!(@key $field),
                    $crate::config!(@presence $presence),
                    out,
                )$(.and_then(|field| {
                    let key = $crate::config!(@key $field);
                    $crate::language::range::check(key, &field, ($from, $to), out)?;
                    Some(field)
                }))?;)*
                $($(let $group = <$Group as $crate::language::Block>::read(reader, out);)*)?
                $(let $others = reader.others::<$Others>(Self::SHAPE, out);)?
                let value = $Name {
                    $($field: $field?,)*
                    $($others: $others?,)?
                    $($($group: $group?,)*)?
                };
                $($check(&value, reader.span(), out);)?
                Some(value)
            }
        }

        impl $crate::language::Decode for $Name {
            fn decode(
                node: &$crate::language::Spanned<$crate::language::Node>,
                out: &mut $crate::language::Diagnostics,
            ) -> Option<Self> {
                $crate::language::decode::block(node, out)
            }

            fn shape() -> $crate::language::Shape {
                $crate::language::Shape::Block(<$Name as $crate::language::Block>::SHAPE)
            }

            fn bare() -> Option<&'static str> {
                Some("{}")
            }
        }
    };
    (@presence required) => { $crate::language::shape::Presence::Required };
    (@presence $default:literal) => { $crate::language::shape::Presence::Default($default) };
    (@key $key:ident) => { const { $crate::language::shape::key_name(stringify!($key)) } };
    (@option) => { None };
    (@option $value:expr) => { Some($value) };
    (@unbuilt $($unbuilt:ident : $about:literal),*) => {
        &[$($crate::language::shape::Unbuilt {
            name: $crate::config!(@key $unbuilt),
            about: $about,
        }),*]
    };
}

/// Declares a choice: an enum of which exactly one variant is written.
///
/// `key: Variant` is written `key`; `key: Variant(Type)` is written `{ key: … }`, or `key` alone
/// when the type has a default form (a block without required keys, an optional value), and holds a
/// `Spanned<Type>`. `bare { Variant(Type) }` is the meaning of a scalar that is no variant's name.
#[macro_export]
macro_rules! choice {
    (
        $(#[doc = $doc:literal])*
        $(#[derive($($derive:ident),*)])?
        pub enum $Name:ident {
            $($(#[doc = $variant_doc:literal])* $key:ident : $Variant:ident $(($ty:ty))?),* $(,)?
        }
        $(bare { $(#[doc = $bare_doc:literal])* $Bare:ident($bare:ty) $(,)? })?
        $(unbuilt { $($unbuilt:ident : $about:literal),* $(,)? })?
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone $($(, $derive)*)?)]
        pub enum $Name {
            $($(#[doc = $variant_doc])* $Variant $(($crate::language::Spanned<$ty>))?,)*
            $($(#[doc = $bare_doc])* $Bare($crate::language::Spanned<$bare>),)?
        }

        impl $Name {
            /// The variants as data.
            pub const SHAPE: &'static $crate::language::shape::ChoiceShape =
                &$crate::language::shape::ChoiceShape {
                    name: stringify!($Name),
                    doc: concat!($($doc, "\n"),*),
                    variants: &[$($crate::language::shape::Variant {
                        name: $crate::config!(@key $key),
                        doc: concat!($($variant_doc, "\n"),*),
                        payload: $crate::config!(
                            @option $(<$ty as $crate::language::Decode>::shape)?
                        ),
                    }),*],
                    bare: $crate::config!(@option $(<$bare as $crate::language::Decode>::shape)?),
                    unbuilt: $crate::config!(@unbuilt $($($unbuilt : $about),*)?),
                };
        }

        impl $crate::language::Decode for $Name {
            fn decode(
                node: &$crate::language::Spanned<$crate::language::Node>,
                out: &mut $crate::language::Diagnostics,
            ) -> Option<Self> {
                let picked = $crate::language::decode::pick(Self::SHAPE, node, out)?;
                $(if picked.is($crate::config!(@key $key)) {
                    return $crate::choice!(@variant picked, out, $Name::$Variant $(, $ty)?);
                })*
                $(if let $crate::language::decode::Picked::Bare(_) = picked {
                    return picked.payload::<$bare>(out).map($Name::$Bare);
                })?
                unreachable!("pick returns a variant of the table")
            }

            fn shape() -> $crate::language::Shape {
                $crate::language::Shape::Choice(Self::SHAPE)
            }
        }
    };
    (@variant $picked:ident, $out:ident, $Variant:path) => {
        $picked.unit($out).map(|()| $Variant)
    };
    (@variant $picked:ident, $out:ident, $Variant:path, $ty:ty) => {
        $picked.payload::<$ty>($out).map($Variant)
    };
}

/// Declares a block whose key `kind` (or another) selects one of several blocks.
#[macro_export]
macro_rules! kinded {
    (
        $(#[doc = $doc:literal])*
        $(#[derive($($derive:ident),*)])?
        pub enum $Name:ident, $tag:ident {
            $($(#[doc = $kind_doc:literal])* $key:ident : $Variant:ident($Config:ty)),* $(,)?
        }
        $(unbuilt { $($unbuilt:ident : $about:literal),* $(,)? })?
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone $($(, $derive)*)?)]
        // Configs are few and long-lived: boxing the large ones would only cost readability.
        #[allow(clippy::large_enum_variant)]
        pub enum $Name {
            $($(#[doc = $kind_doc])* $Variant($Config),)*
        }

        impl $Name {
            /// The kinds as data.
            pub const SHAPE: &'static $crate::language::shape::KindedShape =
                &$crate::language::shape::KindedShape {
                    name: stringify!($Name),
                    doc: concat!($($doc, "\n"),*),
                    tag: $crate::config!(@key $tag),
                    kinds: &[$($crate::language::shape::Table {
                        name: $crate::config!(@key $key),
                        doc: concat!($($kind_doc, "\n"),*),
                        block: || <$Config as $crate::language::Block>::SHAPE,
                    }),*],
                    unbuilt: $crate::config!(@unbuilt $($($unbuilt : $about),*)?),
                };

            /// The word that selects this kind.
            pub fn kind_name(&self) -> &'static str {
                match self {
                    $($Name::$Variant(_) => $crate::config!(@key $key),)*
                }
            }
        }

        impl $crate::language::Decode for $Name {
            fn decode(
                node: &$crate::language::Spanned<$crate::language::Node>,
                out: &mut $crate::language::Diagnostics,
            ) -> Option<Self> {
                let (kind, entries) = $crate::language::decode::kind(Self::SHAPE, node, out)?;
                $(if kind == $crate::config!(@key $key) {
                    let tag = Some($crate::config!(@key $tag));
                    return $crate::language::decode::read_table(entries, node.span, tag, out)
                        .map($Name::$Variant);
                })*
                unreachable!("kind returns a kind of the table")
            }

            fn shape() -> $crate::language::Shape {
                $crate::language::Shape::Kinded(Self::SHAPE)
            }
        }
    };
}

/// Declares the verb form: a map with exactly one verb, and that verb's modifiers beside it.
///
/// `verb: Variant(Block)`; the verb is itself a key of its block, usually `= required`.
#[macro_export]
macro_rules! verbs {
    (
        $(#[doc = $doc:literal])*
        $(#[derive($($derive:ident),*)])?
        pub enum $Name:ident, $what:literal {
            $($(#[doc = $verb_doc:literal])* $key:ident : $Variant:ident($Config:ty)),* $(,)?
        }
        $(unbuilt { $($unbuilt:ident : $about:literal),* $(,)? })?
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone $($(, $derive)*)?)]
        // Configs are few and long-lived: boxing the large ones would only cost readability.
        #[allow(clippy::large_enum_variant)]
        pub enum $Name {
            $($(#[doc = $verb_doc])* $Variant($Config),)*
        }

        impl $Name {
            /// The verbs as data.
            pub const SHAPE: &'static $crate::language::shape::VerbShape =
                &$crate::language::shape::VerbShape {
                    name: stringify!($Name),
                    doc: concat!($($doc, "\n"),*),
                    what: $what,
                    verbs: &[$($crate::language::shape::Table {
                        name: $crate::config!(@key $key),
                        doc: concat!($($verb_doc, "\n"),*),
                        block: || <$Config as $crate::language::Block>::SHAPE,
                    }),*],
                    unbuilt: $crate::config!(@unbuilt $($($unbuilt : $about),*)?),
                };
        }

        impl $crate::language::Decode for $Name {
            fn decode(
                node: &$crate::language::Spanned<$crate::language::Node>,
                out: &mut $crate::language::Diagnostics,
            ) -> Option<Self> {
                let (verb, entries) = $crate::language::decode::verb(Self::SHAPE, node, out)?;
                $(if verb == $crate::config!(@key $key) {
                    return $crate::language::decode::read_table(entries, node.span, None, out)
                        .map($Name::$Variant);
                })*
                unreachable!("verb returns a verb of the table")
            }

            fn shape() -> $crate::language::Shape {
                $crate::language::Shape::Verb(Self::SHAPE)
            }
        }
    };
}

/// Implements decoding for a one-word type with `parse(&str) -> Result<Self, UnitError>`, or with
/// the parser given last.
#[macro_export]
macro_rules! scalar {
    ($ty:ty, $a_name:literal, $json:expr, [$($example:literal),+]) => {
        $crate::scalar!($ty, $a_name, $json, [$($example),+], <$ty>::parse);
    };
    ($ty:ty, $a_name:literal, $json:expr, [$($example:literal),+], $parse:expr) => {
        const _: () = {
            const SHAPE: &$crate::language::shape::ScalarShape =
                &$crate::language::shape::ScalarShape {
                    a_name: $a_name,
                    examples: &[$($example),+],
                    json: $json,
                };

            impl $crate::language::Decode for $ty {
                fn decode(
                    node: &$crate::language::Spanned<$crate::language::Node>,
                    out: &mut $crate::language::Diagnostics,
                ) -> Option<Self> {
                    $crate::language::values::decode_scalar(SHAPE, node, out, $parse)
                }

                fn shape() -> $crate::language::Shape {
                    $crate::language::Shape::Scalar(SHAPE)
                }
            }
        };
    };
}

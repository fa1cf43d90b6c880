//! [`model!`](crate::model!): a struct, its description and its checks from one declaration.

/// Declares a model: `name: type [rules] = default`, where rules (those of
/// [`Rules`](crate::model::Rules)) and default (a JSON literal) may be left out, and
/// `name as "other-name"` says what it is called in a document. `closed struct` makes fields that it
/// does not have errors.
///
/// See [the module](mod@crate::model) for an example.
#[macro_export]
macro_rules! model {
    ($(#[$meta:meta])* $vis:vis struct $name:ident <$life:lifetime> { $($body:tt)* }) => {
        $crate::model!(@struct false, [$(#[$meta])* $vis], $name, $life, [$name<$life>], [<$life>], [$name<'static>], $($body)*);
    };
    ($(#[$meta:meta])* $vis:vis closed struct $name:ident <$life:lifetime> { $($body:tt)* }) => {
        $crate::model!(@struct true, [$(#[$meta])* $vis], $name, $life, [$name<$life>], [<$life>], [$name<'static>], $($body)*);
    };
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($body:tt)* }) => {
        $crate::model!(@struct false, [$(#[$meta])* $vis], $name, 'v, [$name], [], [$name], $($body)*);
    };

    (@struct $closed:literal, [$(#[$meta:meta])* $vis:vis], $name:ident, $life:lifetime, [$self:ty], [$($generics:tt)*], [$family:ty],
        $($(#[$doc:meta])* $field:ident $(as $alias:literal)? : $type:ty
            $([$($rule:ident = $($number:literal)? $([$($list:tt)*])?),* $(,)?])? $(= $default:tt $($digits:literal)?)?),* $(,)?
    ) => {
        $(#[$meta])*
        #[derive(Debug)]
        $vis struct $name $($generics)* { $($(#[$doc])* #[allow(missing_docs, reason = "its name says it")] pub $field: $type),* }

        impl<$life> $crate::model::Model<$life> for $self {
            const SCHEMA: &'static $crate::model::Schema = &$crate::model::Schema {
                name: stringify!($name),
                closed: $closed,
                fields: &[$($crate::model::Field {
                    name: $crate::model!(@name $field $($alias)?),
                    shape: <$type as $crate::model::Check<$life>>::SHAPE,
                    rules: $crate::model::Rules {
                        $($($rule: $crate::model!(@rule $rule $($number)? $([$($list)*])?),)*)?
                        ..$crate::model::Rules::NONE
                    },
                    default: $crate::model!(@json $($default $($digits)?)?),
                }),*],
            };

            fn build(
                find: &mut dyn FnMut(usize) -> Option<$crate::model::Value<$life>>,
                whole: &$crate::model::Spot<$life, '_>,
                checker: &mut $crate::model::Checker,
            ) -> Option<Self> {
                let fields = Self::SCHEMA.fields.iter().enumerate();
                let mut fields = fields.map(|(i, field)| (field, find(i)));
                $(let $field = fields.next().and_then(|(field, value)| {
                    let default: Option<fn() -> $type> = $crate::model!(@value $($default $($digits)?)?);
                    $crate::model::field(field, value, default, whole, checker)
                });)*
                Some($name { $($field: $field?),* })
            }
        }

        impl $crate::model::Family for $family {
            type At<$life> = $self;
        }

        impl<$life> $crate::model::Check<$life> for $self {
            const SHAPE: $crate::model::Shape =
                $crate::model::Shape::Model(<$self as $crate::model::Model<$life>>::SCHEMA);
            const TAG: &'static str = stringify!($name);

            fn check(
                spot: &$crate::model::Spot<$life, '_>,
                checker: &mut $crate::model::Checker,
            ) -> Option<Self> {
                $crate::model::object(spot, checker)
            }
        }

        impl $($generics)* $crate::model::ToJson for $self {
            fn write_json<W: ::std::io::Write + ?Sized>(&self, out: &mut W) -> ::std::io::Result<()> {
                let mut comma = "";
                out.write_all(b"{")?;
                $(if $crate::model::ToJson::is_set(&self.$field) {
                    out.write_all(comma.as_bytes())?;
                    out.write_all($crate::model!(@key $field $($alias)?).as_bytes())?;
                    $crate::model::ToJson::write_json(&self.$field, out)?;
                    comma = ",";
                })*
                let _ = comma;
                out.write_all(b"}")
            }
        }
    };

    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $alias:literal) => { $alias };

    (@key $field:ident) => { concat!("\"", stringify!($field), "\":") };
    (@key $field:ident $alias:literal) => { concat!("\"", $alias, "\":") };

    (@rule pattern $text:literal) => {
        Some(|| {
            static PATTERN: $crate::model::Pattern = $crate::model::Pattern::new($text);
            &PATTERN
        })
    };
    (@rule one_of $choices:tt) => { &$choices };
    (@rule unique_items $unique:literal) => { $unique };
    (@rule each [$($rule:ident = $value:literal),*]) => {
        Some(&$crate::model::Rules {
            $($rule: $crate::model!(@rule $rule $value),)*
            ..$crate::model::Rules::NONE
        })
    };
    (@rule min_length $count:literal) => { Some($count) };
    (@rule max_length $count:literal) => { Some($count) };
    (@rule min_items $count:literal) => { Some($count) };
    (@rule max_items $count:literal) => { Some($count) };
    (@rule $bound:ident $number:literal) => { Some(|| $crate::model::Bound::from($number)) };

    (@json) => { None };
    (@json $default:tt) => { Some(stringify!($default)) };
    (@json - $digits:literal) => { Some(concat!("-", $digits)) };

    (@value) => { None };
    (@value null) => { Some(Default::default) };
    (@value []) => { Some(Default::default) };
    (@value - $digits:literal) => { Some(|| (-$digits).into()) };
    (@value $default:literal) => { Some(|| $default.into()) };
}

/// Writes an object to `out`, and is what that gives: `object!(out, "name": value, ...)`, where each
/// value has [`ToJson`](crate::model::ToJson).
#[macro_export]
macro_rules! object {
    ($out:expr, $first:literal: $value:expr $(, $name:literal: $more:expr)* $(,)?) => {
        ::std::io::Write::write_all($out, concat!("{\"", $first, "\":").as_bytes())
            .and_then(|()| $crate::model::ToJson::write_json(&$value, $out))
            $(
                .and_then(|()| ::std::io::Write::write_all($out, concat!(",\"", $name, "\":").as_bytes()))
                .and_then(|()| $crate::model::ToJson::write_json(&$more, $out))
            )*
            .and_then(|()| ::std::io::Write::write_all($out, b"}"))
    };
}

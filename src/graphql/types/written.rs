//! Objects written as JSON in one go. The library resolves an object field by field, each with a context, a value and a
//! place in a map of its own, and writes the answer from those values: that was half of what the server did for a page.
//! Where all that is selected of an object is there and waits for nothing, the functions that write it are looked up once
//! for all rows of a list, and what they wrote goes into the answer as it is. It is what the library would have answered,
//! byte for byte; where anything else is selected, the library answers. Only for transports that say they can send it.

use std::io::Write;

use async_graphql::parser::types::{Field, Selection};
use async_graphql::resolver_utils::EnumType;
use async_graphql::{ContainerType, Context, ContextSelectionSet, ID, Positioned, Value};

use super::at_hand::{AtHand, collect};
use super::branch::BranchStatus;
use super::delinquency::DelinquencyBucket;
use super::group::{GroupStatus, Weekday};
use super::loan::balances::Balances;
use super::loan::{LoanStatus, LoanTransition};
use super::loan_product::LoanProductStatus;
use super::scalars::{CurrencyCode, Date, DateTime, Decimal};
use super::selection::Related;
use super::term_choices::PeriodUnit;
use super::terms::LoanTerms;
use crate::graphql::request::ReadyJson;

/// It takes the library.
#[derive(Debug, Clone, Copy)]
pub struct Later;

/// Whether it was written.
pub type Wrote = Result<(), Later>;

/// What a field of a scalar or enum type, or a list of them, is written as.
pub trait Json {
    /// Writes it at the end of the text.
    fn write(&self, text: &mut Vec<u8>) -> Wrote;
}

/// An object as a field has it.
pub trait Part<T> {
    /// The object, or `None` where the field is null.
    fn part(&self) -> Result<Option<&T>, Later>;
}

/// Writes the value of one field of an object.
pub type Step<T> = Box<dyn Fn(&T, &Context<'_>, &mut Vec<u8>) -> Wrote>;

/// An object with fields that can be written in one go.
pub trait Written: ContainerType + Sized + 'static {
    /// How this field is written; `None` where it takes the library.
    fn step(field: Place<'_>) -> Option<Step<Self>>;
}

/// A field where it stands in the document.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    context: &'a ContextSelectionSet<'a>,
    field: &'a Positioned<Field>,
}

impl<'a> Place<'a> {
    /// The field's name.
    pub fn name(self) -> &'a str {
        &self.field.node.name.node
    }

    /// What is selected of the object that the field is.
    pub fn outline<T: Written>(self) -> Option<Outline<T>> {
        Outline::of(self.context, &self.field.node.selection_set.node.items)
    }
}

/// What is selected of objects of a type: each field's name with all that stands before its value, and how it is written.
pub struct Outline<T>(Vec<(String, Step<T>)>);

impl<T: Written> Outline<T> {
    fn of<'a>(context: &'a ContextSelectionSet<'a>, selections: &'a [Positioned<Selection>]) -> Option<Self> {
        let mut fields = Vec::with_capacity(selections.len());
        if !collect::<T>(context, selections, &mut fields) || fields.is_empty() {
            return None;
        }
        let step = |field: &&'a Positioned<Field>| -> Option<Step<T>> {
            match field.node.name.node.as_str() {
                "__typename" => Some(Box::new(|_, _, text| T::type_name().write(text))),
                _ => T::step(Place { context, field }),
            }
        };
        // Before any name is written: where the library answers, every row of a list comes here in vain.
        let steps: Vec<Step<T>> = fields.iter().map(step).collect::<Option<_>>()?;
        let name = |(at, field): (usize, &Positioned<Field>)| {
            let before = if at == 0 { '{' } else { ',' };
            format!("{before}\"{}\":", field.node.response_key().node)
        };
        Some(Self(fields.into_iter().enumerate().map(name).zip(steps).collect()))
    }

    fn write(&self, object: &T, context: &Context<'_>, text: &mut Vec<u8>) -> Wrote {
        for (name, step) in &self.0 {
            text.extend_from_slice(name.as_bytes());
            step(object, context, text)?;
        }
        text.push(b'}');
        Ok(())
    }

    /// Writes a field's object.
    pub fn write_part(&self, part: &impl Part<T>, context: &Context<'_>, text: &mut Vec<u8>) -> Wrote {
        match part.part()? {
            Some(object) => self.write(object, context, text),
            None => ().write(text),
        }
    }
}

/// The object that the field being resolved is.
pub fn object<'a, T: Written>(
    context: &'a ContextSelectionSet<'a>,
    field: &'a Positioned<Field>,
    object: &T,
) -> Option<Value> {
    text_of(context, field, |outline: &Outline<T>, context, text| outline.write(object, context, text))
}

/// The list of objects that the field being resolved is.
pub fn list<'a, 'r, T: Written>(
    context: &'a ContextSelectionSet<'a>,
    field: &'a Positioned<Field>,
    rows: impl Iterator<Item = &'r T>,
) -> Option<Value> {
    text_of(context, field, |outline: &Outline<T>, context, text| {
        text.push(b'[');
        for (at, row) in rows.enumerate() {
            if at > 0 {
                text.push(b',');
            }
            outline.write(row, context, text)?;
        }
        text.push(b']');
        Ok(())
    })
}

fn text_of<'a, T: Written>(
    context: &'a ContextSelectionSet<'a>,
    field: &'a Positioned<Field>,
    write: impl FnOnce(&Outline<T>, &Context<'_>, &mut Vec<u8>) -> Wrote,
) -> Option<Value> {
    context.data_opt::<ReadyJson>()?;
    let outline = Outline::of(context, &context.item.node.items)?;
    let mut text = Vec::with_capacity(256);
    write(&outline, &context.with_field(field), &mut text).ok()?;
    Some(Value::Binary(text.into()))
}

/// Says how the fields of an object are written, by their names in the schema.
macro_rules! written {
    (impl<$of:ident> $type:ty { $($fields:tt)+ }) => {
        impl<$of: $crate::graphql::types::written::Written> $crate::graphql::types::written::Written for $type {
            $crate::graphql::types::written::written!(@step $($fields)+);
        }
    };
    ($type:ty { $($fields:tt)+ }) => {
        impl $crate::graphql::types::written::Written for $type {
            $crate::graphql::types::written::written!(@step $($fields)+);
        }
    };
    (@step $($name:literal: $kind:ident |$it:pat_param, $context:pat_param| $what:expr,)+) => {
        fn step(
            field: $crate::graphql::types::written::Place<'_>,
        ) -> Option<$crate::graphql::types::written::Step<Self>> {
            match field.name() {
                $($name => $crate::graphql::types::written::written!(@$kind field |$it, $context| $what),)+
                _ => None,
            }
        }
    };
    (@value $field:ident |$it:pat_param, $context:pat_param| $what:expr) => {
        Some(Box::new(|it: &Self, context: &async_graphql::Context<'_>, text: &mut Vec<u8>| {
            let ($it, $context) = (it, context);
            $crate::graphql::types::written::Json::write(&$what, text)
        }))
    };
    (@object $field:ident |$it:pat_param, $context:pat_param| $what:expr) => {{
        let outline = $field.outline()?;
        Some(Box::new(move |it: &Self, context: &async_graphql::Context<'_>, text: &mut Vec<u8>| {
            let ($it, $context) = (it, context);
            outline.write_part(&$what, context, text)
        }))
    }};
}
pub(crate) use written;

/// Objects of these types are always left to the library.
macro_rules! unwritten {
    ($($type:ty),+) => {$(
        impl $crate::graphql::types::written::Written for $type {
            fn step(
                _: $crate::graphql::types::written::Place<'_>,
            ) -> Option<$crate::graphql::types::written::Step<Self>> {
                None
            }
        }
    )+};
}
pub(crate) use unwritten;

impl<T> Part<T> for AtHand<T> {
    fn part(&self) -> Result<Option<&T>, Later> {
        Ok(Some(&self.0))
    }
}

impl<T> Part<T> for Option<AtHand<T>> {
    fn part(&self) -> Result<Option<&T>, Later> {
        Ok(self.as_ref().map(|object| &object.0))
    }
}

impl<T> Part<T> for &Related<T> {
    fn part(&self) -> Result<Option<&T>, Later> {
        match self {
            Related::Fetched(row) => Ok(row.as_ref()),
            Related::Later => Err(Later),
        }
    }
}

/// Objects that a field has as they are.
macro_rules! as_they_are {
    ($($type:ty),+) => {$(
        impl Part<$type> for $type {
            fn part(&self) -> Result<Option<&$type>, Later> {
                Ok(Some(self))
            }
        }

        impl Part<$type> for Option<$type> {
            fn part(&self) -> Result<Option<&$type>, Later> {
                Ok(self.as_ref())
            }
        }
    )+};
}

as_they_are!(Balances, DelinquencyBucket, LoanTerms);

/// Types that are in JSON what `serde` makes of them.
macro_rules! as_serde_has_it {
    ($($type:ty),+) => {$(
        impl Json for $type {
            fn write(&self, text: &mut Vec<u8>) -> Wrote {
                serde_json::to_writer(text, self).map_err(|_| Later)
            }
        }
    )+};
}

as_serde_has_it!((), bool, i64, u32, str, String, ID, std::borrow::Cow<'_, str>);

impl<T: Json + ?Sized> Json for &T {
    fn write(&self, text: &mut Vec<u8>) -> Wrote {
        (**self).write(text)
    }
}

impl<T: Json> Json for Option<T> {
    fn write(&self, text: &mut Vec<u8>) -> Wrote {
        match self {
            Some(value) => value.write(text),
            None => ().write(text),
        }
    }
}

impl<T: Json> Json for Vec<T> {
    fn write(&self, text: &mut Vec<u8>) -> Wrote {
        text.push(b'[');
        for (at, value) in self.iter().enumerate() {
            if at > 0 {
                text.push(b',');
            }
            value.write(text)?;
        }
        text.push(b']');
        Ok(())
    }
}

impl Json for Decimal {
    fn write(&self, text: &mut Vec<u8>) -> Wrote {
        self.0.write(text)
    }
}

impl Json for CurrencyCode {
    fn write(&self, text: &mut Vec<u8>) -> Wrote {
        self.0.write(text)
    }
}

impl Json for Date {
    fn write(&self, text: &mut Vec<u8>) -> Wrote {
        write!(text, "\"{}\"", self.0).map_err(|_| Later)
    }
}

impl Json for DateTime {
    fn write(&self, text: &mut Vec<u8>) -> Wrote {
        self.as_text().write(text)
    }
}

/// An enum's value is its name.
macro_rules! by_name {
    ($($type:ty),+ $(,)?) => {$(
        impl Json for $type {
            fn write(&self, text: &mut Vec<u8>) -> Wrote {
                let item = Self::items().iter().find(|item| item.value == *self).ok_or(Later)?;
                item.name.write(text)
            }
        }
    )+};
}

by_name!(BranchStatus, GroupStatus, LoanProductStatus, LoanStatus, LoanTransition, PeriodUnit, Weekday);

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Object, Request, Schema, SimpleObject};

    use super::*;

    #[derive(Clone, SimpleObject)]
    #[graphql(complex)]
    struct Thing {
        name: String,
        size: Option<u32>,
        sealed: bool,
        #[graphql(skip)]
        part: Related<Part>,
    }

    #[derive(Clone, SimpleObject)]
    struct Part {
        on: Date,
    }

    written!(Thing {
        "name": value |it, _| it.name,
        "size": value |it, _| it.size,
        "part": object |it, _| &it.part,
    });

    written!(Part {
        "on": value |it, _| it.on,
    });

    struct Query;

    #[Object]
    impl Query {
        fn thing(&self) -> AtHand<Thing> {
            let part = Part { on: Date(chrono::NaiveDate::from_ymd_opt(2026, 1, 31).unwrap_or_default()) };
            let name = "a \"b\"\n\u{1}é".to_owned();
            AtHand(Thing { name, size: Some(3), sealed: true, part: Related::Fetched(Some(part)) })
        }

        fn later(&self) -> AtHand<Thing> {
            AtHand(Thing { name: "c".to_owned(), size: None, sealed: true, part: Related::Later })
        }

        fn none(&self) -> AtHand<Thing> {
            AtHand(Thing { name: "d".to_owned(), size: None, sealed: true, part: Related::Fetched(None) })
        }
    }

    #[async_graphql::ComplexObject]
    impl Thing {
        async fn part(&self) -> Option<AtHand<Part>> {
            match &self.part {
                Related::Fetched(part) => part.clone().map(AtHand),
                Related::Later => None,
            }
        }
    }

    /// What was written of the field `it`, or `None` where the library resolved it.
    async fn written(query: &str) -> Option<String> {
        let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
        let answer = schema.execute(Request::new(query).data(ReadyJson)).await;
        assert_eq!(answer.errors, [], "{query}");
        match answer.data {
            Value::Object(mut fields) => match fields.swap_remove("it") {
                Some(Value::Binary(text)) => Some(String::from_utf8(text.to_vec()).unwrap()),
                _ => None,
            },
            _ => None,
        }
    }

    #[tokio::test]
    async fn what_is_at_hand_is_written() {
        for (query, expected) in [
            ("{ it: thing { name } }", r#"{"name":"a \"b\"\n\u0001é"}"#),
            ("{ it: thing { size other: size __typename } }", r#"{"size":3,"other":3,"__typename":"Thing"}"#),
            (
                "{ it: thing { ...It size } } fragment It on Thing { part { on } size }",
                r#"{"part":{"on":"2026-01-31"},"size":3}"#,
            ),
            ("{ it: none { size part { on } } }", r#"{"size":null,"part":null}"#),
            ("{ it: later { size name @skip(if: true) } }", r#"{"size":null}"#),
        ] {
            assert_eq!(written(query).await.as_deref(), Some(expected), "{query}");
        }
    }

    #[tokio::test]
    async fn everything_else_is_left_to_the_library() {
        for query in ["{ it: thing { name sealed } }", "{ it: later { name part { on } } }"] {
            assert_eq!(written(query).await, None, "{query}");
        }
    }

    #[tokio::test]
    async fn it_is_only_for_who_can_send_it() {
        let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
        let answer = schema.execute("{ thing { size part { on } } }").await;
        assert_eq!(answer.data.to_string(), r#"{thing: {size: 3, part: {on: "2026-01-31"}}}"#);
    }
}

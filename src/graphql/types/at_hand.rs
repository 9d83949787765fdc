//! An object most of whose fields are at hand. The library makes a future of each field of an object, keeps them all, and
//! polls them when the last is made: for a page of 20 loans that is three hundred of them, and was half of what GraphQL
//! took of it. Here each is polled as soon as it is made, and only one that has to wait is kept; those that wait do so
//! together, as they would otherwise. No field of a schema extension's is called here, and the schema has none. Where the
//! answer is sent as JSON, an object that can be written in one go is ([`super::written`]).

use std::borrow::Cow;
use std::task::Poll;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, Selection};
use async_graphql::registry::Registry;
use async_graphql::{ContainerType, ContextSelectionSet, Name, OutputType, Positioned, ServerResult, Value};
use futures_util::{future, poll};
use tokio_util::sync::ReusableBoxFuture;

use super::written::{self, Written};

/// The object. In the schema it is what it holds.
#[derive(Debug, Clone)]
pub struct AtHand<T>(pub T);

impl<T> AtHand<T> {
    /// The object, unless it failed.
    pub fn of<E>(object: Result<T, E>) -> Result<Self, E> {
        object.map(Self)
    }
}

impl<T: Written> OutputType for AtHand<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn introspection_type_name(&self) -> Cow<'static, str> {
        self.0.introspection_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, context: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        if let Some(written) = written::object(context, field, &self.0) {
            return Ok(written);
        }
        let mut fields = Vec::with_capacity(context.item.node.items.len());
        if collect::<T>(context, &context.item.node.items, &mut fields) {
            return object(&self.0, context, &fields).await;
        }
        Box::pin(self.0.resolve(context, field)).await
    }
}

/// The fields that are selected, those of fragments included, each once; `false` where it takes the library to tell which
/// they are, or to put two selections of one object together.
pub fn collect<'a, T: OutputType>(
    context: &ContextSelectionSet<'a>,
    selections: &'a [Positioned<Selection>],
    fields: &mut Vec<&'a Positioned<Field>>,
) -> bool {
    selections.iter().all(|selection| {
        let (of, below) = match &selection.node {
            Selection::Field(field) => {
                let name = field.node.response_key();
                let is_again = fields.iter().any(|other| other.node.response_key().node == name.node);
                if !is_again {
                    fields.push(field);
                }
                // Two of one name are the same field, or the document is not valid: the first one's value stands.
                return field.node.directives.is_empty() && !(is_again && has_fields(field));
            }
            Selection::InlineFragment(fragment) => {
                (fragment.node.type_condition.as_ref(), &fragment.node.selection_set)
            }
            Selection::FragmentSpread(spread) => {
                let Some(fragment) = context.query_env.fragments.get(&spread.node.fragment_name.node) else {
                    return false;
                };
                (Some(&fragment.node.type_condition), &fragment.node.selection_set)
            }
        };
        of.is_none_or(|of| *of.node.on.node == *T::type_name()) && collect::<T>(context, &below.node.items, fields)
    })
}

fn has_fields(field: &Positioned<Field>) -> bool {
    !field.node.selection_set.node.items.is_empty()
}

/// The object with these fields, of which no two go by the same name.
async fn object<T: ContainerType>(
    root: &T,
    context: &ContextSelectionSet<'_>,
    fields: &[&Positioned<Field>],
) -> ServerResult<Value> {
    let mut object = IndexMap::with_capacity(fields.len());
    let mut waiting: Vec<(Name, Answer<'_>)> = Vec::new();
    // What one field's future took on the heap is the next one's.
    let mut free: Option<Answer<'_>> = None;
    for field in fields {
        let name = field.node.response_key().node.clone();
        let value = if field.node.name.node == "__typename" {
            Value::String(root.introspection_type_name().into_owned())
        } else {
            let answer = async move {
                let context = context.with_field(field);
                Ok(root.resolve_field(&context).await?.unwrap_or_default())
            };
            let mut answer = match free.take() {
                Some(mut free) => {
                    free.set(answer);
                    free
                }
                None => ReusableBoxFuture::new(answer),
            };
            match poll!(&mut answer) {
                Poll::Ready(value) => {
                    free = Some(answer);
                    value?
                }
                Poll::Pending => {
                    waiting.push((name.clone(), answer));
                    Value::Null
                }
            }
        };
        object.insert(name, value);
    }
    let (names, answers): (Vec<Name>, Vec<_>) = waiting.into_iter().unzip();
    object.extend(names.into_iter().zip(future::try_join_all(answers).await?));
    Ok(Value::Object(object))
}

type Answer<'a> = ReusableBoxFuture<'a, ServerResult<Value>>;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_graphql::{EmptyMutation, EmptySubscription, Interface, Object, Result, Schema, SimpleObject};
    use tokio::sync::Barrier;

    use super::AtHand;
    use crate::graphql::types::written::unwritten;

    #[derive(Interface)]
    #[graphql(field(name = "name", ty = "&String"))]
    enum Named {
        Thing(Thing),
    }

    #[derive(Clone, SimpleObject)]
    #[graphql(complex)]
    struct Thing {
        name: String,
        size: i32,
        #[graphql(skip)]
        barrier: Arc<Barrier>,
    }

    #[async_graphql::ComplexObject]
    impl Thing {
        /// Two of these are answered when both have been asked for.
        async fn together(&self) -> i32 {
            self.barrier.wait().await;
            self.size
        }

        async fn broken(&self) -> Result<i32> {
            Err("it is broken".into())
        }

        async fn missing(&self) -> Option<Result<i32>> {
            Some(Err("it is missing".into()))
        }

        async fn part(&self) -> AtHand<Part> {
            AtHand(Part { one: 1, two: 2 })
        }
    }

    #[derive(SimpleObject)]
    struct Part {
        one: i32,
        two: i32,
    }

    unwritten!(Named, Thing, Part);

    struct Query;

    #[Object]
    impl Query {
        async fn thing(&self) -> Thing {
            Thing { name: "a".to_owned(), size: 3, barrier: Arc::new(Barrier::new(2)) }
        }

        async fn at_hand(&self) -> AtHand<Thing> {
            AtHand(Thing { name: "a".to_owned(), size: 3, barrier: Arc::new(Barrier::new(2)) })
        }

        async fn named(&self) -> AtHand<Named> {
            AtHand(Named::Thing(Thing { name: "a".to_owned(), size: 3, barrier: Arc::new(Barrier::new(2)) }))
        }
    }

    /// The answer to a selection of the object, from the library and from here.
    async fn both(selection: &str, further: &str) -> (String, String) {
        let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
        let ask = async |field: &str| {
            let answer = schema.execute(format!("{{ it: {field} {{ {selection} }} }} {further}")).await;
            let errors: Vec<_> = answer.errors.iter().map(|error| (&error.message, &error.path)).collect();
            format!("{} {errors:?}", answer.data)
        };
        (ask("thing").await, ask("atHand").await)
    }

    #[tokio::test]
    async fn it_answers_what_the_library_answers() {
        for (selection, further, expected) in [
            ("name size", "", r#"{it: {name: "a", size: 3}} []"#),
            ("size other: name size", "", r#"{it: {size: 3, other: "a"}} []"#),
            ("__typename kind: __typename", "", r#"{it: {__typename: "Thing", kind: "Thing"}} []"#),
            ("name ...Its size name", "fragment Its on Thing { size name }", r#"{it: {name: "a", size: 3}} []"#),
            ("part { two } name part { one }", "", r#"{it: {part: {two: 2, one: 1}, name: "a"}} []"#),
            (
                "...Its ... on Thing { size } ... { part { one } }",
                "fragment Its on Thing { name }",
                r#"{it: {name: "a", size: 3, part: {one: 1}}} []"#,
            ),
            ("...Its size", "fragment Its on Named { name }", r#"{it: {name: "a", size: 3}} []"#),
            ("name @skip(if: true) size @include(if: true)", "", r#"{it: {size: 3}} []"#),
        ] {
            let (library, here) = both(selection, further).await;
            assert_eq!(here, expected, "{selection}");
            assert_eq!(library, expected, "{selection}");
        }
    }

    #[tokio::test]
    async fn a_failure_goes_where_it_goes_in_the_library() {
        for (selection, data) in [("name broken", "null"), ("name missing", r#"{it: {name: "a", missing: null}}"#)] {
            let (library, here) = both(selection, "").await;
            assert_eq!(here, library, "{selection}");
            assert!(here.starts_with(data) && here.contains("Field(\"it\")"), "{here}");
        }
    }

    #[tokio::test]
    async fn fields_that_wait_wait_together_and_keep_their_places() {
        let (library, here) = both("one: together name two: together size", "").await;
        assert_eq!(here, r#"{it: {one: 3, name: "a", two: 3, size: 3}} []"#);
        assert_eq!(library, here);
    }

    #[tokio::test]
    async fn an_interface_is_what_its_object_is() {
        let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
        let answer = schema.execute("{ named { __typename name ... on Thing { size } } }").await;
        assert_eq!(answer.data.to_string(), r#"{named: {__typename: "Thing", name: "a", size: 3}}"#);
    }
}

//! A part of an object whose fields' futures are kept on the heap. The future that resolves a field of an object is as
//! large as that of the object's largest field, whichever field is asked for: what is asked for rarely and takes much
//! goes here, so that the fields of every page stay small. (A loan's were 8 KB each before, and a quarter of what a page
//! cost was making and moving them.)

use std::borrow::Cow;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult, Value,
};

/// The part. In the schema it is what it holds.
pub struct OnHeap<T>(pub T);

impl<T: ObjectType> ContainerType for OnHeap<T> {
    async fn resolve_field(&self, context: &Context<'_>) -> ServerResult<Option<Value>> {
        Box::pin(self.0.resolve_field(context)).await
    }
}

impl<T: ObjectType> OutputType for OnHeap<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, context: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        self.0.resolve(context, field).await
    }
}

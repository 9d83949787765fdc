//! What can be changed, one file per area. Every mutation takes one input and answers with a payload: the object, or
//! what to mend.

pub mod borrowers;
pub mod branch_calendar;
pub mod branches;
pub mod close_day;
pub mod groups;
pub mod loan_books;
pub mod loan_products;
pub mod loans;

use async_graphql::{MaybeUndefined, MergedObject};

use crate::service::check::Change;

/// What can be changed.
#[derive(MergedObject, Default)]
pub struct Mutation(
    branches::BranchMutation,
    branch_calendar::BranchCalendarMutation,
    borrowers::BorrowerMutation,
    groups::GroupMutation,
    loan_products::LoanProductMutation,
    loans::LoanMutation,
    loan_books::LoanBooksMutation,
    close_day::CloseDayMutation,
);

/// A field of an update: what is left out stays, null removes.
fn change<T>(value: MaybeUndefined<T>) -> Change<T> {
    match value {
        MaybeUndefined::Undefined => Change::Keep,
        MaybeUndefined::Null => Change::Clear,
        MaybeUndefined::Value(value) => Change::Set(value),
    }
}

/// Defines the payload of a mutation: its object, null when something is to be mended, and what that is.
macro_rules! payload {
    ($(#[$doc:meta])+ $name:ident { $(#[$field_doc:meta])+ $field:ident: $type:ty }) => {
        $(#[$doc])+
        #[derive(async_graphql::SimpleObject)]
        pub struct $name {
            $(#[$field_doc])+
            pub $field: Option<$type>,
            /// What to mend; empty when all went well. Nothing was written otherwise.
            pub user_errors: Vec<$crate::graphql::types::user_error::UserError>,
        }

        impl $name {
            fn of<R>(
                outcome: Result<R, $crate::service::ServiceError>,
            ) -> async_graphql::Result<Self>
            where
                $type: From<R>,
            {
                let (value, user_errors) = $crate::graphql::types::user_error::split(outcome)?;
                Ok(Self { $field: value.map(<$type>::from), user_errors })
            }
        }
    };
}
use payload;

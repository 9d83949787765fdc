//! What can be asked, one file per area.

pub mod audit;
pub mod borrowers;
pub mod branches;
pub mod collection_sheet;
pub mod groups;
pub mod ledger;
pub mod loan_products;
pub mod loans;
pub mod node;
pub mod portfolio;
pub mod simulations;
pub mod verify;
pub mod viewer;

use async_graphql::MergedObject;

/// What can be asked. Nothing here changes anything.
#[derive(MergedObject, Default)]
pub struct Query(
    node::NodeQuery,
    viewer::ViewerQuery,
    branches::BranchQuery,
    borrowers::BorrowerQuery,
    groups::GroupQuery,
    loan_products::LoanProductQuery,
    loans::LoanQuery,
    portfolio::PortfolioQuery,
    ledger::LedgerQuery,
    collection_sheet::CollectionSheetQuery,
    simulations::SimulationQuery,
    verify::VerifyQuery,
    audit::AuditQuery,
);

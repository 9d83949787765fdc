//! stub
use std::collections::BTreeSet;
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Officer,
    Manager,
    Admin,
    Auditor,
    Service,
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BranchGrant {
    All,
    Codes(Vec<String>),
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub subject: String,
    pub roles: BTreeSet<Role>,
    pub branches: BranchGrant,
}
pub mod policy {
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Action {
        ReadBranches,
        ReadBorrowers,
        ReadProducts,
        ReadLoans,
        ReadPortfolio,
        ReadPersonalData,
        CreateBranch,
        UpdateBranch,
        CloseBranch,
        RegisterBorrower,
        UpdateBorrower,
        CreateProduct,
        UpdateProduct,
        RetireProduct,
        ApplyForLoan,
        ApproveLoan,
        RejectLoan,
        WithdrawLoan,
    }
    pub fn can(_: &super::Actor, _: Action) -> bool {
        true
    }
}

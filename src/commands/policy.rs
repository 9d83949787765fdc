//! `policy`: prints which role may do what, as a table in Markdown. It needs no settings and no database.

use std::io::Write as _;

use branch_loan_api::auth::policy;

use super::Failure;

pub fn run() -> Result<(), Failure> {
    std::io::stdout().write_all(policy::table_markdown().as_bytes())?;
    Ok(())
}

//! `schema`: prints the schema definition language. It needs no settings and no database.

use std::io::Write as _;

use super::Failure;

pub fn run() -> Result<(), Failure> {
    std::io::stdout().write_all(branch_loan_api::graphql::schema::sdl().as_bytes())?;
    Ok(())
}

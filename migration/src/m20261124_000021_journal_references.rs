//! What a journal line refers to is checked once for all lines of a statement on PostgreSQL: the end of a day adds a line
//! for every running loan, and three foreign keys looked up row by row took it a third of its time. The check is as
//! strict, and stricter about the branch, which must be the entry's. Nothing it looks at goes away later: entries are
//! append-only, and a loan that has lines has transactions, which are append-only too and keep their foreign key.
//! SQLite's foreign keys cost little and stay.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// A plan is kept for a whole connection, whose first statement may add two lines and the next ten thousand: whatever
/// is not looked up by key would be wrong for one of them.
const CHECK: &str = "CREATE FUNCTION refuse_lines_of_nothing() RETURNS trigger LANGUAGE plpgsql
     SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET jit = off AS $$
     BEGIN
         IF EXISTS (
             SELECT 1 FROM (SELECT DISTINCT entry_id, branch_id FROM added) line WHERE NOT EXISTS (
                 SELECT 1 FROM journal_entries e WHERE e.id = line.entry_id AND e.branch_id = line.branch_id
             )
         ) THEN
             RAISE EXCEPTION 'a journal line has no entry in its branch' USING ERRCODE = 'foreign_key_violation';
         END IF;
         IF EXISTS (
             SELECT 1 FROM added line WHERE line.loan_id IS NOT NULL AND NOT EXISTS (
                 SELECT 1 FROM loans l WHERE l.id = line.loan_id
             )
         ) THEN
             RAISE EXCEPTION 'a journal line has no loan' USING ERRCODE = 'foreign_key_violation';
         END IF;
         RETURN NULL;
     END $$";

const TRIGGER: &str = "CREATE TRIGGER journal_lines_references AFTER INSERT ON journal_lines
     REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION refuse_lines_of_nothing()";

const NO_LONGER: &str = "ALTER TABLE journal_lines DROP CONSTRAINT fk_journal_lines_entry_id,
     DROP CONSTRAINT fk_journal_lines_branch_id, DROP CONSTRAINT fk_journal_lines_loan_id";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::Postgres {
            for sql in [CHECK, TRIGGER, NO_LONGER] {
                manager.get_connection().execute_unprepared(sql).await?;
            }
        }
        Ok(())
    }
}

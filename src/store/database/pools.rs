//! How the pools of connections stand.

use super::Database;

/// A pool of connections, at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// What it is for.
    pub purpose: Purpose,
    /// Connections open, in use or not.
    pub open: u32,
    /// Those of them that wait for work.
    pub idle: u32,
    /// The most there can be.
    pub max: u32,
}

/// What a pool is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Reading.
    Read,
    /// Writing.
    Write,
    /// Both: PostgreSQL has one pool.
    Both,
    /// Reading from the replica.
    Replica,
}

impl Database {
    /// The pools as they stand.
    #[must_use]
    pub fn pools(&self) -> Vec<Pool> {
        if self.is_postgres() {
            let replica = self.replica().map(|it| of(it.pool().get_postgres_connection_pool(), Purpose::Replica));
            let both = self.with_kept(of(self.writer.get_postgres_connection_pool(), Purpose::Both));
            return [both].into_iter().chain(replica).collect();
        }
        vec![
            self.with_kept(of(self.reader.primary.get_sqlite_connection_pool(), Purpose::Read)),
            of(self.writer.get_sqlite_connection_pool(), Purpose::Write),
        ]
    }

    /// What is kept for the next statement waits for work, wherever it is.
    fn with_kept(&self, pool: Pool) -> Pool {
        let kept = u32::try_from(self.reader.kept.number()).unwrap_or(u32::MAX);
        Pool { idle: pool.idle.saturating_add(kept).min(pool.open), ..pool }
    }
}

fn of<DB: sea_orm::sqlx::Database>(pool: &sea_orm::sqlx::Pool<DB>, purpose: Purpose) -> Pool {
    let open = pool.size();
    let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX).min(open);
    Pool { purpose, open, idle, max: pool.options().get_max_connections() }
}

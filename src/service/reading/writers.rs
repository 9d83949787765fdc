//! Who has written through this server, and up to which position of the log: in memory, by subject, and forgotten once the
//! replica has it or when there are too many, for whom the furthest position stands then. It asks no database.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::store::Position;

/// Callers remembered, at a hundred bytes or so each.
const REMEMBERED: usize = 10_000;

/// What a caller's query must see of what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Nothing in particular.
    Nothing,
    /// Everything before this position.
    Position(Position),
    /// A change of theirs is under way.
    Primary,
    /// They made a change whose position nobody knows.
    Unknown,
}

/// Everybody who has written.
#[derive(Default)]
pub(in crate::service) struct Writers(Mutex<Known>);

#[derive(Default)]
struct Known {
    of: HashMap<String, Wrote>,
    /// Of those who were forgotten.
    others: Option<Position>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Wrote {
    running: u32,
    is_unknown: bool,
    last: Option<Position>,
}

impl Wrote {
    /// Whether all there is to remember is a position.
    fn is_settled(self) -> bool {
        self.running == 0 && !self.is_unknown
    }
}

/// A change under way. However it ends, also by a panic, its caller is remembered.
pub(super) struct Writing<'a> {
    writers: &'a Writers,
    subject: &'a str,
    /// Where it ended, once that is known.
    pub(super) position: Option<Position>,
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        let mut known = self.writers.lock();
        let wrote = known.of.entry(self.subject.to_owned()).or_default();
        wrote.running = wrote.running.saturating_sub(1);
        wrote.is_unknown |= self.position.is_none();
        wrote.last = wrote.last.max(self.position);
    }
}

impl Writers {
    /// Remembers that a caller begins a change. Those whose changes the replica `has` may be forgotten.
    pub(super) fn begin<'a>(&'a self, subject: &'a str, has: impl Fn(Position) -> bool) -> Writing<'a> {
        let mut known = self.lock();
        if known.of.len() >= REMEMBERED {
            known.make_room(has);
        }
        known.of.entry(subject.to_owned()).or_default().running += 1;
        drop(known);
        Writing { writers: self, subject, position: None }
    }

    /// What a query of this caller must see.
    pub(super) fn need(&self, subject: &str) -> Need {
        let known = self.lock();
        let wrote = known.of.get(subject).copied().unwrap_or_default();
        if wrote.running > 0 {
            return Need::Primary;
        }
        if wrote.is_unknown {
            return Need::Unknown;
        }
        wrote.last.max(known.others).map_or(Need::Nothing, Need::Position)
    }

    /// Everything this caller has done is before this position.
    pub(super) fn settle(&self, subject: &str, position: Position) {
        if let Some(wrote) = self.lock().of.get_mut(subject) {
            wrote.is_unknown = false;
            wrote.last = wrote.last.max(Some(position));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn make_room(&mut self, has: impl Fn(Position) -> bool) {
        self.of.retain(|_, wrote| !(wrote.is_settled() && wrote.last.is_none_or(&has)));
        if self.of.len() >= REMEMBERED {
            self.others = self.of.values().map(|wrote| wrote.last).max().flatten().max(self.others);
            self.of.retain(|_, wrote| !wrote.is_settled());
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn at(number: usize) -> Position {
        format!("0/{number:X}").parse().unwrap()
    }

    fn write(writers: &Writers, subject: &str, position: Option<Position>) {
        writers.begin(subject, |_| false).position = position;
    }

    #[test]
    fn a_caller_needs_the_furthest_position_of_their_own() {
        let writers = Writers::default();
        assert_eq!(writers.need("amina"), Need::Nothing);
        write(&writers, "amina", Some(at(7)));
        write(&writers, "amina", Some(at(5)));
        assert_eq!((writers.need("amina"), writers.need("biko")), (Need::Position(at(7)), Need::Nothing));
    }

    #[test]
    fn a_change_under_way_and_one_that_ended_unknown_are_read_at_the_primary() {
        let writers = Writers::default();
        let mut writing = writers.begin("amina", |_| false);
        let second = writers.begin("amina", |_| false);
        assert_eq!(writers.need("amina"), Need::Primary);
        writing.position = Some(at(7));
        drop(writing);
        assert_eq!(writers.need("amina"), Need::Primary);
        drop(second);
        assert_eq!(writers.need("amina"), Need::Unknown);
        writers.settle("amina", at(9));
        assert_eq!(writers.need("amina"), Need::Position(at(9)));
        writers.settle("nobody", at(9));
        assert_eq!(writers.need("nobody"), Need::Nothing);
    }

    #[test]
    fn no_more_than_so_many_are_remembered_and_none_of_them_misses_their_own() {
        let writers = Writers::default();
        for number in 0..REMEMBERED {
            write(&writers, &format!("caller-{number}"), Some(at(number)));
        }
        let under_way = writers.begin("amina", |position| position < at(REMEMBERED / 2));
        assert_eq!(writers.lock().of.len(), REMEMBERED / 2 + 1, "what the replica has is forgotten");
        assert_eq!(writers.need("caller-1"), Need::Nothing);
        for number in 0..REMEMBERED {
            write(&writers, &format!("other-{number}"), Some(at(number)));
        }
        assert!(writers.lock().of.len() <= REMEMBERED);
        let furthest = Need::Position(at(REMEMBERED - 1));
        assert_eq!((writers.need("caller-7000"), writers.need("other-1")), (furthest, furthest));
        assert_eq!(writers.need("amina"), Need::Primary);
        drop(under_way);
        assert_eq!(writers.need("amina"), Need::Unknown);
    }
}

//! How far a replica is behind, by this machine's clock alone: the primary's positions are noted with the time, and once the
//! replica has come to one of them, it has everything from before then. The clocks of the databases, and how long ago the
//! last change was, do not matter.

use std::collections::VecDeque;

use tokio::time::Instant;

use crate::store::position::Position;

/// Positions kept that the replica has not come to. Older ones are forgotten, which makes it look further behind, at a time
/// when it is far behind anyway.
const KEPT: usize = 1_000;

/// Positions of the primary that the replica has still to come to, oldest first.
#[derive(Debug, Default)]
pub(super) struct Track {
    ahead: VecDeque<(Instant, Position)>,
}

impl Track {
    /// Notes where the primary was, at this moment or a little later.
    pub(super) fn primary_was_at(&mut self, position: Position, at: Instant) {
        match self.ahead.back_mut() {
            Some((when, last)) if *last == position => *when = at,
            // It was restored, or another one has taken over: what was noted is of another history.
            Some((_, last)) if *last > position => {
                self.ahead.clear();
                self.ahead.push_back((at, position));
            }
            _ => self.ahead.push_back((at, position)),
        }
        if self.ahead.len() > KEPT {
            self.ahead.pop_front();
        }
    }

    /// The last moment whose changes are all there, once the replica has come to this position; `None` if that is no later
    /// than it was.
    pub(super) fn replica_is_at(&mut self, position: Position) -> Option<Instant> {
        let mut complete = None;
        while let Some((when, _)) = self.ahead.pop_front_if(|(_, noted)| *noted <= position) {
            complete = Some(when);
        }
        complete
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(text: &str) -> Position {
        text.parse().unwrap()
    }

    #[test]
    fn a_replica_is_complete_as_of_the_last_position_it_has_come_to() {
        let (mut track, start) = (Track::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        for (seconds, position) in [(1, "0/10"), (2, "0/20"), (3, "0/20"), (4, "0/30")] {
            track.primary_was_at(at(position), after(seconds));
        }
        assert_eq!(track.replica_is_at(at("0/F")), None);
        assert_eq!(track.replica_is_at(at("0/1F")), Some(after(1)));
        assert_eq!(track.replica_is_at(at("0/1F")), None);
        assert_eq!(track.replica_is_at(at("0/20")), Some(after(3)), "nothing was done in between");
        assert_eq!(track.replica_is_at(at("0/40")), Some(after(4)));
        track.primary_was_at(at("0/30"), after(9));
        assert_eq!(track.replica_is_at(at("0/40")), Some(after(9)), "an idle primary has no replica behind it");
    }

    #[test]
    fn positions_of_another_history_are_forgotten() {
        let (mut track, start) = (Track::default(), Instant::now());
        track.primary_was_at(at("0/50"), start);
        track.primary_was_at(at("0/30"), start + Duration::from_secs(1));
        assert_eq!(track.replica_is_at(at("0/30")), Some(start + Duration::from_secs(1)));
    }

    #[test]
    fn what_is_kept_is_bounded_and_never_makes_it_look_closer() {
        let (mut track, start) = (Track::default(), Instant::now());
        let after = |number: usize| start + Duration::from_secs(u64::try_from(number).unwrap());
        for number in 1..=KEPT + 10 {
            track.primary_was_at(at(&format!("0/{number:X}")), after(number));
        }
        assert_eq!(track.ahead.len(), KEPT);
        assert_eq!(track.replica_is_at(at("0/5")), None);
        assert_eq!(track.replica_is_at(at("0/B")), Some(after(11)));
    }
}

//! What the work costs the processes that do it, as Linux tells it: processor time and memory. Elsewhere it is nothing.

use std::time::Duration;

/// Linux tells times to programs in hundredths of a second, whatever the kernel counts in.
const TICK: Duration = Duration::from_millis(10);

struct Process {
    id: u32,
    parent: u32,
    ticks: u32,
    /// Of its children that have ended.
    of_ended: u32,
}

/// Processor time of one process so far.
pub fn time_of(id: u32) -> Duration {
    process(id).map_or(Duration::ZERO, |process| TICK * process.ticks)
}

/// Processor time of a process and its children so far, those that have ended included.
pub fn time_of_family(id: u32) -> Duration {
    let folders = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = folders.filter_map(|folder| folder.file_name().to_str()?.parse().ok());
    let ticks: u32 = ids
        .filter_map(process)
        .filter(|one| one.id == id || one.parent == id)
        .map(|one| one.ticks + if one.id == id { one.of_ended } else { 0 })
        .sum();
    TICK * ticks
}

/// Memory that is resident now and was at most, in KiB.
pub fn memory_of(id: u32) -> (u64, u64) {
    let text = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let figure = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
    };
    (figure("VmRSS:"), figure("VmHWM:"))
}

fn process(id: u32) -> Option<Process> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name, in brackets, may hold anything; what follows is state, parent, and from the twelfth on user and system
    // time, its own and its ended children's.
    let after: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |place: usize| after.get(place)?.parse::<u32>().ok();
    let (ticks, of_ended) = (number(11)? + number(12)?, number(13)? + number(14)?);
    Some(Process { id, parent: number(1)?, ticks, of_ended })
}

//! What the work has cost, as Linux tells it: on a machine with other work the time on a clock says little, and the time
//! on its processors much. Elsewhere everything is nothing.

use std::time::Duration;

/// Linux tells times to programs in hundredths of a second, whatever the kernel counts in.
const TICK: Duration = Duration::from_millis(10);

/// The most memory this process has had so far.
pub fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().unwrap_or_default();
    format!("{} MiB", kilobytes / 1_024)
}

/// Processor time of this process and of a server with its children so far.
pub fn processor_time(server: Option<u32>) -> Duration {
    let own = std::process::id();
    let of_us = |one: &Process| Some(one.id) == server || Some(one.parent) == server || one.id == own;
    let ended = |one: &Process| if Some(one.id) == server { one.of_children } else { 0 };
    let ticks: u32 = processes().iter().filter(|one| of_us(one)).map(|one| one.ticks + ended(one)).sum();
    TICK * ticks
}

struct Process {
    id: u32,
    parent: u32,
    ticks: u32,
    /// Of its children that have ended.
    of_children: u32,
}

fn processes() -> Vec<Process> {
    let folders = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = folders.filter_map(|folder| folder.file_name().to_str()?.parse().ok());
    ids.filter_map(process).collect()
}

fn process(id: u32) -> Option<Process> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name, in brackets, may hold anything; what follows is state, parent, and from the twelfth on user
    // and system time, its own and its ended children's.
    let after: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |place: usize| after.get(place)?.parse::<u32>().ok();
    let (ticks, of_children) = (number(11)? + number(12)?, number(13)? + number(14)?);
    Some(Process { id, parent: number(1)?, ticks, of_children })
}

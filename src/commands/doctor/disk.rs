//! Room on the disk where SQLite's file is. A full disk refuses writes; PostgreSQL's disk is not to be seen from here.

use std::path::Path;

use super::report::Report;

/// Below this writes are about to be refused: a checkpoint or a VACUUM needs more.
#[cfg(unix)]
const TOO_LITTLE: u64 = 64 * 1024 * 1024;

/// Below this, or below the size of the file, a backup or an erasure does not fit.
#[cfg(unix)]
const LITTLE: u64 = 1024 * 1024 * 1024;

#[cfg(unix)]
pub fn check(file: &Path, report: &mut Report) {
    let folder = super::database::folder(file);
    let size = std::fs::metadata(file).map_or(0, |metadata| metadata.len());
    let room = match rustix::fs::statvfs(folder) {
        Ok(room) => room,
        Err(error) => {
            let remedy = "check that the folder can be read";
            return report.warn(
                "disk",
                format!("the file system of {} tells nothing ({error})", folder.display()),
                remedy,
            );
        }
    };
    let free = room.f_bavail.saturating_mul(room.f_frsize);
    let mebibytes = free / (1024 * 1024);
    let text = format!("{mebibytes} MiB free at {}", folder.display());
    match free {
        free if free < TOO_LITTLE => report.fail("disk", text, "make room, or move the database to a larger disk"),
        free if free < LITTLE.max(size) => {
            report.warn("disk", text, "make room: a backup or an erasure needs as much as the file again");
        }
        _ => report.ok("disk", text),
    }
}

#[cfg(not(unix))]
pub fn check(_: &Path, report: &mut Report) {
    report.skip("disk", "this system is not asked");
}

//! Memory that stays as it is through hours of video.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// Read by the system's library (glibc, mallopt(3)): blocks of this many bytes or more are given back when they are free. Unless it is
/// set, that size grows to 32 MiB with what is freed; pictures and inputs of networks then share heaps with small things, one heap
/// a thread, which break up slowly and are kept.
const GIVEN_BACK: (&str, &str) = ("MALLOC_MMAP_THRESHOLD_", "1048576");

/// Begins this program anew in the same process, with large blocks given back when they are free: it reads that only when it
/// begins. Does nothing where that was set, by this or by who started it, and goes on as it is where beginning anew fails.
pub fn steady_memory() {
    let (name, bytes) = GIVEN_BACK;
    if std::env::var_os(name).is_some() {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    let mut args = std::env::args_os();
    let mut command = Command::new(program);
    if let Some(called) = args.next() {
        command.arg0(called);
    }
    // Returns only when it failed.
    let _ = command.args(args).env(name, bytes).exec();
}

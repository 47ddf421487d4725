//! Films that tests make for themselves.

use std::process::Command;

/// Runs ffmpeg, which must succeed; false, and said, where it is not here.
#[expect(clippy::print_stdout, reason = "a skipped test says so in its output")]
pub fn ffmpeg(args: &[&str]) -> bool {
    match Command::new("ffmpeg").args(["-v", "error", "-y", "-nostdin"]).args(args).status() {
        Ok(status) => {
            assert!(status.success(), "ffmpeg {args:?}");
            true
        }
        Err(_) => {
            println!("skipped: ffmpeg is not here; `cargo xtask setup` installs it");
            false
        }
    }
}

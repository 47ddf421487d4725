//! Clips such as doorbells and recorders make: moving pictures with the time burnt in, in several containers.

use crate::shell::{self, Fail, Workspace};
use std::path::{Path, PathBuf};

/// How a clip is made.
pub struct Recipe {
    /// File name.
    pub name: &'static str,
    /// Seconds since 1970 of the first frame.
    pub start: i64,
    /// Length in seconds.
    pub seconds: u32,
    /// ffmpeg's test picture.
    pub picture: &'static str,
    /// ffmpeg's codec and what goes with it.
    pub codec: &'static [&'static str],
}

/// H.264, as most cameras record.
pub const H264: &[&str] = &["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"];
/// Motion JPEG, as old recorders do.
pub const MJPEG: &[&str] = &["-c:v", "mjpeg", "-q:v", "8", "-pix_fmt", "yuvj420p"];

/// Makes a clip with ffmpeg.
pub fn make(workspace: &Workspace, folder: &Path, recipe: &Recipe) -> Result<PathBuf, Fail> {
    let path = folder.join(recipe.name);
    let source = format!("{}=size=640x360:rate=10:duration={}", recipe.picture, recipe.seconds);
    let stamp = format!(
        "drawtext=text='%{{pts\\:gmtime\\:{}}} UTC':x=16:y=16:fontsize=28:fontcolor=white:box=1:boxcolor=black@0.6",
        recipe.start
    );
    let created = format!("creation_time=@{}", recipe.start);
    let mut command = workspace.command("ffmpeg");
    command.args(["-nostdin", "-loglevel", "error", "-y", "-f", "lavfi", "-i", &source, "-vf", &stamp]);
    command.args(recipe.codec).args(["-metadata", &created_as_date(recipe.start).unwrap_or(created)]);
    shell::run(command.arg(&path))?;
    // Recorders name the moment in the file's time too.
    let end = recipe.start + i64::from(recipe.seconds);
    shell::run(workspace.command("touch").args(["-d", &format!("@{end}")]).arg(&path))?;
    Ok(path)
}

fn created_as_date(start: i64) -> Option<String> {
    let mut command = std::process::Command::new("date");
    let text = shell::output(command.args(["-u", "-d", &format!("@{start}"), "+%Y-%m-%dT%H:%M:%SZ"])).ok()?;
    Some(format!("creation_time={}", text.trim()))
}

//! A camera on loopback: the few lines of RTSP that a client needs, MPEG-TS in RTP over the same connection.

use super::ffmpeg;
use crate::frames::{Camera, Limits, Retry};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

/// Answers one client, and hangs up after the whole stream was sent.
fn serve(client: TcpStream, stream: &[u8]) -> std::io::Result<()> {
    let mut out = client.try_clone()?;
    let mut lines = BufReader::new(client).lines();
    loop {
        let Some(first) = lines.next().transpose()? else { return Ok(()) };
        let mut number = String::new();
        while let Some(line) = lines.next().transpose()?.filter(|line| !line.is_empty()) {
            if let Some(value) = line.strip_prefix("CSeq:") {
                number = value.trim().to_owned();
            }
        }
        let method = first.split(' ').next().unwrap_or_default();
        let (headers, body) = match method {
            "OPTIONS" => ("Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n", ""),
            "DESCRIBE" => (
                "Content-Type: application/sdp\r\n",
                "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=test\r\nt=0 0\r\nm=video 0 RTP/AVP 33\r\na=control:track1\r\n",
            ),
            "SETUP" => ("Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n", ""),
            _ => ("Session: 1\r\n", ""),
        };
        let length = body.len();
        write!(out, "RTSP/1.0 200 OK\r\nCSeq: {number}\r\n{headers}Content-Length: {length}\r\n\r\n{body}")?;
        if method == "PLAY" {
            return send(&mut out, stream);
        }
    }
}

fn send(out: &mut TcpStream, stream: &[u8]) -> std::io::Result<()> {
    for (i, packets) in stream.chunks(7 * 188).enumerate() {
        let length = (packets.len() + 12) as u16;
        let mut packet = vec![b'$', 0];
        packet.extend(length.to_be_bytes());
        packet.extend([0x80, 33]);
        packet.extend((i as u16).to_be_bytes());
        packet.extend((i as u32 * 900).to_be_bytes());
        packet.extend(7u32.to_be_bytes());
        packet.extend(packets);
        out.write_all(&packet)?;
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

#[test]
fn a_camera_that_hangs_up_is_called_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stream.ts");
    if !ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc=s=160x90:r=10:d=3",
        "-c:v",
        "mpeg2video",
        "-g",
        "5",
        file.to_str().unwrap(),
    ]) {
        return;
    }
    let stream = std::fs::read(&file).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("rtsp://127.0.0.1:{}/1", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let _ = serve(client, &stream);
        }
    });
    let limits = Limits { patience: Duration::from_secs(8), frames_a_second: 0, ..Limits::default() };
    let retry = Retry { first: Duration::from_millis(50), most: Duration::from_millis(200) };
    let camera = Camera::start(&address, limits, retry, 200).unwrap();
    let mut last = None;
    for _ in 0..300 {
        let Some(frame) = camera.next_frame(Duration::from_secs(15)) else { break };
        assert!(last.is_none_or(|last| last < frame.time), "time runs backwards");
        last = Some(frame.time);
        if camera.state().connections >= 2 {
            break;
        }
    }
    let state = camera.state();
    assert!(state.connections >= 2 && state.frames > 10, "{state:?}");
    assert!(state.last_error.is_some());
}

#[test]
fn a_camera_that_is_not_there_is_tried_at_growing_distances() {
    let retry = Retry { first: Duration::from_secs(1), most: Duration::from_secs(60) };
    let waits: Vec<u64> = (1..9).map(|failures| retry.after(failures).as_secs()).collect();
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
    assert_eq!(retry.after(u32::MAX), Duration::from_secs(60));
    assert!(Camera::start("http://camera.example/", Limits::default(), retry, 4).is_err());
    assert!(Camera::start("file:///etc/passwd", Limits::default(), retry, 4).is_err());
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let quick = Retry { first: Duration::from_millis(20), most: Duration::from_millis(40) };
    let camera = Camera::start(&format!("rtsp://127.0.0.1:{free}/1"), Limits::default(), quick, 4).unwrap();
    assert!(camera.next_frame(Duration::from_secs(2)).is_none());
    assert!(super::ffmpeg_is_missing() || camera.state().failures >= 1, "{:?}", camera.state());
}

//! A camera on loopback: the few lines of RTSP that a client needs, MPEG-TS in RTP over the same connection.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// What a camera shows, and how.
#[derive(Debug, Clone)]
pub struct Show {
    /// An MPEG-TS stream.
    pub stream: Vec<u8>,
    /// Between two packets of 1,316 bytes.
    pub pause: Duration,
    /// After the whole was shown, before it hangs up.
    pub rest: Duration,
    /// Its clock, as sender reports tell it (RFC 3550 section 4); none: it sends none.
    pub clock: Option<fn() -> u64>,
}

/// Shows a stream to everybody who calls, for as long as the tests run; the answer is its address.
pub fn serve_camera(show: Show) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("rtsp://127.0.0.1:{}/1", listener.local_addr().unwrap().port());
    let show = Arc::new(show);
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let show = show.clone();
            // Who hangs up early has seen enough.
            std::thread::spawn(move || drop(serve(client, &show)));
        }
    });
    address
}

/// Answers one client, and hangs up after the whole stream was sent.
fn serve(client: TcpStream, show: &Show) -> std::io::Result<()> {
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
            send(&mut out, show)?;
            std::thread::sleep(show.rest);
            return Ok(());
        }
    }
}

fn send(out: &mut TcpStream, show: &Show) -> std::io::Result<()> {
    for (i, packets) in show.stream.chunks(7 * 188).enumerate() {
        if let Some(clock) = show.clock.filter(|_| i % 50 == 1) {
            report(out, clock(), i as u32)?;
        }
        let length = (packets.len() + 12) as u16;
        let mut packet = vec![b'$', 0];
        packet.extend(length.to_be_bytes());
        packet.extend([0x80, 33]);
        packet.extend((i as u16).to_be_bytes());
        packet.extend((i as u32 * 900).to_be_bytes());
        packet.extend(7u32.to_be_bytes());
        packet.extend(packets);
        out.write_all(&packet)?;
        std::thread::sleep(show.pause);
    }
    Ok(())
}

/// A sender report (RFC 3550 section 6.4.1) on the second channel.
fn report(out: &mut TcpStream, clock: u64, packets: u32) -> std::io::Result<()> {
    let mut packet = vec![b'$', 1, 0, 28, 0x80, 200, 0, 6];
    packet.extend(7u32.to_be_bytes());
    packet.extend(clock.to_be_bytes());
    packet.extend((packets * 900).to_be_bytes());
    packet.extend(packets.to_be_bytes());
    packet.extend((packets * 1316).to_be_bytes());
    out.write_all(&packet)
}

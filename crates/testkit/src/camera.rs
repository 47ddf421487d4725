//! A camera on loopback: the few lines of RTSP that a client needs, MPEG-TS in RTP over the same connection.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

/// Serves an MPEG-TS stream to everybody who calls, hanging up some `rest` after each whole showing, for as long as the tests
/// run; the answer is its address. `pause` is between two packets of 1,316 bytes.
pub fn serve_camera(stream: Vec<u8>, pause: Duration, rest: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("rtsp://127.0.0.1:{}/1", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // Who hangs up early has seen enough.
            let _ = serve(client, &stream, (pause, rest));
        }
    });
    address
}

/// Answers one client, and hangs up after the whole stream was sent.
fn serve(client: TcpStream, stream: &[u8], (pause, rest): (Duration, Duration)) -> std::io::Result<()> {
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
            send(&mut out, stream, pause)?;
            std::thread::sleep(rest);
            return Ok(());
        }
    }
}

fn send(out: &mut TcpStream, stream: &[u8], pause: Duration) -> std::io::Result<()> {
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
        std::thread::sleep(pause);
    }
    Ok(())
}

//! Bounded pipes between the threads of one sealing or opening: big buffers, few of them, each used again.

use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Size of one buffer.
pub(crate) const BUFFER_BYTES: usize = 128 * 1024;
/// Buffers on their way at once.
const DEPTH: usize = 16;

enum Message {
    Bytes(Vec<u8>),
    /// The writer finished; without it the reader sees a broken pipe, never an end.
    End,
}

pub(crate) struct PipeWriter {
    full: SyncSender<Message>,
    empty: Receiver<Vec<u8>>,
    current: Vec<u8>,
    made: usize,
}

pub(crate) struct PipeReader {
    full: Receiver<Message>,
    empty: SyncSender<Vec<u8>>,
    current: Vec<u8>,
    at: usize,
    ended: bool,
}

pub(crate) fn pipe() -> (PipeWriter, PipeReader) {
    let (full, incoming) = sync_channel(DEPTH);
    let (returned, empty) = sync_channel(DEPTH * 2);
    let writer = PipeWriter { full, empty, current: Vec::with_capacity(BUFFER_BYTES), made: 1 };
    (writer, PipeReader { full: incoming, empty: returned, current: Vec::new(), at: 0, ended: false })
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the other half of the work stopped")
}

/// Is this the echo of a failure elsewhere?
pub(crate) fn is_broken(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
}

impl PipeWriter {
    fn send(&mut self) -> io::Result<()> {
        let next = match self.empty.try_recv() {
            Ok(buffer) => buffer,
            Err(_) if self.made < DEPTH + 2 => {
                self.made = self.made.saturating_add(1);
                Vec::with_capacity(BUFFER_BYTES)
            }
            Err(_) => self.empty.recv().map_err(|_| broken())?,
        };
        let full = std::mem::replace(&mut self.current, next);
        self.full.send(Message::Bytes(full)).map_err(|_| broken())
    }

    pub(crate) fn finish(mut self) -> io::Result<()> {
        if !self.current.is_empty() {
            self.send()?;
        }
        self.full.send(Message::End).map_err(|_| broken())
    }
}

impl Write for PipeWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = BUFFER_BYTES.saturating_sub(self.current.len());
        let take = room.min(bytes.len());
        self.current.extend_from_slice(bytes.get(..take).unwrap_or_default());
        if self.current.len() >= BUFFER_BYTES {
            self.send()?;
        }
        Ok(take)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl PipeReader {
    /// Whole buffers, in order, until the end.
    pub(crate) fn each(&mut self, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        loop {
            match self.full.recv() {
                Ok(Message::Bytes(bytes)) => {
                    take(&bytes)?;
                    self.give_back(bytes);
                }
                Ok(Message::End) => return Ok(()),
                Err(_) => return Err(broken()),
            }
        }
    }

    fn give_back(&self, mut bytes: Vec<u8>) {
        bytes.clear();
        // A writer that is gone needs no buffers.
        let _ = self.empty.try_send(bytes);
    }
}

impl Read for PipeReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at >= self.current.len() {
            if self.ended {
                return Ok(0);
            }
            let spent = std::mem::take(&mut self.current);
            self.at = 0;
            if spent.capacity() > 0 {
                self.give_back(spent);
            }
            match self.full.recv() {
                Ok(Message::Bytes(bytes)) => self.current = bytes,
                Ok(Message::End) => self.ended = true,
                Err(_) => return Err(broken()),
            }
        }
        let rest = self.current.get(self.at..).unwrap_or_default();
        let n = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..n), rest.get(..n)) {
            to.copy_from_slice(from);
        }
        self.at = self.at.saturating_add(n);
        Ok(n)
    }
}

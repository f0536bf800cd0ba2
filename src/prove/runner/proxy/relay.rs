//! One connection through the proxy: two directions, in lock step where it matters.
//!
//! A server keeps its answers until it waits for the client. So behind each Execute of the extended protocol a Flush is sent, and what
//! the client sent behind it waits for the answer; and a simple query that is to be cut between two of its statements is sent with a
//! sleep in that place, in which the backend is ended.

use super::Shared;
use super::stream::{self, Frame, Stream};
use super::watch::{Action, Event, EventKind};
use crate::sql::split;
use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Codes of the packets that are no start-up (protocol documentation, *Message Formats*).
const CANCEL: u32 = 80_877_102;
const SSL: u32 = 80_877_103;
const GSS: u32 = 80_877_104;

/// How many characters of a text are kept.
const WORDS: usize = 80;

/// What both directions of a connection know.
#[derive(Debug)]
pub struct Link {
    pub number: usize,
    client: Stream,
    server: Stream,
    process: AtomicI32,
    /// Nothing more goes to the client.
    pub is_cut: AtomicBool,
    progress: Mutex<Progress>,
    answered: Condvar,
}

#[derive(Debug, Default)]
struct Progress {
    /// An Execute was sent and is not answered.
    is_waiting: bool,
    /// The server reads on until Sync and answers nothing.
    has_failed: bool,
    /// Errors, ever.
    failures: usize,
    is_over: bool,
}

impl Link {
    pub fn process(&self) -> Option<i32> {
        Some(self.process.load(Ordering::SeqCst)).filter(|&process| process != 0)
    }

    /// Ends both sides.
    pub fn shut(&self) {
        self.client.shut();
        self.server.shut();
        self.change(|progress| progress.is_over = true);
    }

    fn change(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.progress.lock().unwrap_or_else(PoisonError::into_inner));
        self.answered.notify_all();
    }

    fn failures(&self) -> usize {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).failures
    }

    fn is_over(&self) -> bool {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).is_over
    }

    /// Waits until the Execute is answered.
    fn await_answer(&self) {
        let progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = |progress: &mut Progress| progress.is_waiting && !progress.has_failed && !progress.is_over;
        drop(self.answered.wait_while(progress, waits).unwrap_or_else(PoisonError::into_inner));
    }
}

/// Serves a client until one side ends.
pub fn serve(shared: &Arc<Shared>, mut client: Stream, number: usize) -> io::Result<()> {
    let start = loop {
        let packet = stream::packet(&mut client)?;
        let code = packet.first_chunk().map_or(0, |code| u32::from_be_bytes(*code));
        match code {
            SSL | GSS => client.write_all(b"N")?,
            CANCEL => return stream::write_packet(&mut Stream::connect(&shared.upstream)?, &packet),
            _ => break packet,
        }
    };
    let mut server = Stream::connect(&shared.upstream)?;
    stream::write_packet(&mut server, &start)?;
    let link = Arc::new(Link {
        number,
        client: client.try_clone()?,
        server: server.try_clone()?,
        process: AtomicI32::new(0),
        is_cut: AtomicBool::new(false),
        progress: Mutex::default(),
        answered: Condvar::new(),
    });
    if !shared.add(&link) {
        link.shut();
        return Ok(());
    }
    let back = Back { shared, link: &link, from: server.try_clone()?, to: client.try_clone()? };
    let forth = Forth { shared, link: &link, from: client, to: server, prepared: HashMap::new(), portals: HashMap::new() };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // The end of a connection is no error of ours: the other side is told by ending it too.
            let _ = back.run();
            link.shut();
        });
        let _ = forth.run();
        link.shut();
    });
    shared.remove(&link);
    Ok(())
}

/// From the client to the server.
struct Forth<'a> {
    shared: &'a Arc<Shared>,
    link: &'a Arc<Link>,
    from: Stream,
    to: Stream,
    /// Texts of prepared statements and of portals, by name.
    prepared: HashMap<String, String>,
    portals: HashMap<String, String>,
}

impl Forth<'_> {
    fn run(mut self) -> io::Result<()> {
        loop {
            let frame = Frame::read(&mut self.from)?;
            match frame.kind {
                b'Q' => {
                    let [text] = frame.strings();
                    if !self.sends(&text) || !self.query(&text, &frame)? {
                        return Ok(());
                    }
                }
                b'P' => {
                    let [name, text] = frame.strings();
                    self.prepared.insert(name, text);
                    frame.write(&mut self.to)?;
                }
                b'B' => {
                    let [portal, statement] = frame.strings();
                    let text = self.prepared.get(&statement).cloned().unwrap_or_default();
                    self.portals.insert(portal, text);
                    frame.write(&mut self.to)?;
                }
                b'E' => {
                    let [portal] = frame.strings();
                    let text = self.portals.get(&portal).cloned().unwrap_or_default();
                    if !self.sends(&text) {
                        return Ok(());
                    }
                    self.link.change(|progress| progress.is_waiting = true);
                    frame.write(&mut self.to)?;
                    Frame { kind: b'H', body: Vec::new() }.write(&mut self.to)?;
                    self.link.await_answer();
                }
                _ => frame.write(&mut self.to)?,
            }
        }
    }

    /// False where the connection ends here.
    fn sends(&self, text: &str) -> bool {
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(WORDS).collect();
        let writes_ledger = self.shared.watch.writes_ledger(text);
        self.shared.at(self.link, EventKind::Sends { words, writes_ledger })
    }

    /// A simple query, cut between two of its statements where that is wanted. False where it was.
    fn query(&mut self, text: &str, frame: &Frame) -> io::Result<bool> {
        let statements: Vec<_> = split::statements(text).collect();
        let done = self.shared.boundaries();
        let inner = statements.iter().take(statements.len().saturating_sub(1)).enumerate();
        let cut = inner.map(|(at, range)| (at + 1, range.next)).find_map(|(at, end)| {
            let kind = EventKind::Completed { tag: String::new() };
            let event = Event { connection: self.link.number, process: self.link.process(), boundary: done + at, kind };
            let action = self.shared.watch.action(&event);
            matches!(action, Action::Cut | Action::CutAll).then_some((action, end))
        });
        let Some((action, end)) = cut else {
            frame.write(&mut self.to)?;
            return Ok(true);
        };
        let failures = self.link.failures();
        let mut body = text.get(..end).unwrap_or_default().as_bytes().to_vec();
        body.extend_from_slice(b"\n; SELECT pg_catalog.pg_sleep(86400)\0");
        Frame { kind: b'Q', body }.write(&mut self.to)?;
        // A statement before the place may fail: the client is told, and nothing is cut.
        let gives_up = || self.link.failures() > failures || self.link.is_over();
        if self.shared.sleeps(self.link, gives_up) {
            self.shared.cut(self.link, action);
            return Ok(false);
        }
        Ok(true)
    }
}

/// From the server to the client.
struct Back<'a> {
    shared: &'a Arc<Shared>,
    link: &'a Arc<Link>,
    from: Stream,
    to: Stream,
}

impl Back<'_> {
    fn run(mut self) -> io::Result<()> {
        loop {
            let frame = Frame::read(&mut self.from)?;
            if self.link.is_cut.load(Ordering::SeqCst) {
                continue;
            }
            let goes_on = match frame.kind {
                b'K' => {
                    let process = frame.body.first_chunk().map_or(0, |process| i32::from_be_bytes(*process));
                    self.link.process.store(process, Ordering::SeqCst);
                    true
                }
                b'C' => {
                    let [tag] = frame.strings();
                    self.shared.at(self.link, EventKind::Completed { tag })
                }
                b'E' => {
                    let sqlstate = frame.sqlstate();
                    self.shared.at(self.link, EventKind::Failed { sqlstate })
                }
                b'Z' => {
                    let status = frame.body.first().copied().map_or('?', char::from);
                    self.shared.at(self.link, EventKind::Ready { status })
                }
                _ => true,
            };
            if !goes_on {
                return Ok(());
            }
            frame.write(&mut self.to)?;
            match frame.kind {
                b'E' => self.link.change(|progress| {
                    progress.has_failed = true;
                    progress.failures += 1;
                }),
                // Complete, empty, suspended, or a COPY that wants or gives data.
                b'C' | b'I' | b's' | b'G' | b'H' | b'W' => self.link.change(|progress| progress.is_waiting = false),
                b'Z' => self.link.change(|progress| progress.has_failed = false),
                _ => {}
            }
        }
    }
}

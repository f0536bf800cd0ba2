//! A client that sends several statements of the extended protocol with one Sync behind them, which is one implicit transaction.

use phasegate::prove::server::Login;
use postgres_protocol::authentication::sasl::{ChannelBinding, ScramSha256};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

pub struct Speaker {
    socket: UnixStream,
}

impl Speaker {
    pub fn log_in(socket: UnixStream, database: &str, login: &Login) -> Speaker {
        let mut speaker = Speaker { socket };
        let mut start = 196_608_u32.to_be_bytes().to_vec();
        for word in ["user", &login.user, "database", database, ""] {
            start.extend_from_slice(word.as_bytes());
            start.push(0);
        }
        speaker.packet(&start);
        let password = login.password.reveal().as_bytes();
        let mut scram = ScramSha256::new(password, ChannelBinding::unsupported());
        loop {
            let (kind, body) = speaker.read().unwrap();
            match (kind, body.first_chunk().map(|code| u32::from_be_bytes(*code))) {
                (b'R', Some(10)) => {
                    let mut first = b"SCRAM-SHA-256\0".to_vec();
                    first.extend(u32::try_from(scram.message().len()).unwrap().to_be_bytes());
                    first.extend_from_slice(scram.message());
                    speaker.send(b'p', &first);
                }
                (b'R', Some(11)) => {
                    scram.update(&body[4..]).unwrap();
                    let answer = scram.message().to_vec();
                    speaker.send(b'p', &answer);
                }
                (b'R', Some(12)) => scram.finish(&body[4..]).unwrap(),
                (b'Z', _) => return speaker,
                (b'E', _) => panic!("{}", String::from_utf8_lossy(&body)),
                _ => {}
            }
        }
    }

    /// Sends a statement and reads nothing.
    pub fn execute(&mut self, sql: &str) {
        self.send(b'P', format!("\0{sql}\0\0\0").as_bytes());
        self.send(b'B', &[0; 8]);
        self.send(b'E', &[0; 5]);
    }

    /// False where the server is not heard of any more.
    pub fn sync(&mut self) -> bool {
        self.send(b'S', &[]);
        loop {
            match self.read() {
                Some((b'Z', _)) => return true,
                Some(_) => {}
                None => return false,
            }
        }
    }

    fn send(&mut self, kind: u8, body: &[u8]) {
        // A connection that was cut is noticed where it is read.
        let _ = self.socket.write_all(&[kind]);
        self.packet(body);
    }

    fn packet(&mut self, body: &[u8]) {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        let _ = self.socket.write_all(&[&length[..], body].concat());
    }

    fn read(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut head = [0; 5];
        self.socket.read_exact(&mut head).ok()?;
        let length = u32::from_be_bytes(*head.last_chunk().unwrap()) as usize - 4;
        let mut body = vec![0; length];
        self.socket.read_exact(&mut body).ok()?;
        Some((head[0], body))
    }
}

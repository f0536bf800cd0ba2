//! Byte streams and the frames of PostgreSQL's protocol, version 3 (its documentation, *Message Formats*).

use crate::prove::server::Endpoint;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;

/// No frame that a server takes is longer.
const LONGEST: usize = 0x3fff_ffff;

/// Either kind of connection. A clone is the same connection.
#[derive(Debug)]
pub enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    pub fn connect(endpoint: &Endpoint) -> io::Result<Stream> {
        match endpoint {
            Endpoint::Unix { directory, port } => {
                Ok(Stream::Unix(UnixStream::connect(directory.join(format!(".s.PGSQL.{port}")))?))
            }
            Endpoint::Tcp { host, port, tls } if !demands_encryption(tls) => {
                let stream = TcpStream::connect((host.as_str(), *port))?;
                stream.set_nodelay(true)?;
                Ok(Stream::Tcp(stream))
            }
            Endpoint::Tcp { .. } => {
                let why = "the server is to be reached encrypted only, which the proxy does not do";
                Err(io::Error::new(io::ErrorKind::Unsupported, why))
            }
        }
    }

    pub fn try_clone(&self) -> io::Result<Stream> {
        Ok(match self {
            Stream::Tcp(stream) => Stream::Tcp(stream.try_clone()?),
            Stream::Unix(stream) => Stream::Unix(stream.try_clone()?),
        })
    }

    /// Ends both directions, for every clone.
    pub fn shut(&self) {
        // One that the other side closed is what this wants.
        let _ = match self {
            Stream::Tcp(stream) => stream.shutdown(Shutdown::Both),
            Stream::Unix(stream) => stream.shutdown(Shutdown::Both),
        };
    }
}

fn demands_encryption(tls: &[(&'static str, String)]) -> bool {
    let mode = tls.iter().find(|(name, _)| *name == "PGSSLMODE").map(|(_, mode)| mode.as_str());
    matches!(mode, Some("require" | "verify-ca" | "verify-full"))
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.read(buffer),
            Stream::Unix(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.write(bytes),
            Stream::Unix(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.flush(),
            Stream::Unix(stream) => stream.flush(),
        }
    }
}

/// A message: its kind, and what stands behind its length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub kind: u8,
    pub body: Vec<u8>,
}

impl Frame {
    pub fn read(from: &mut impl Read) -> io::Result<Frame> {
        let mut kind = [0; 1];
        from.read_exact(&mut kind)?;
        Ok(Frame { kind: kind[0], body: sized(from)? })
    }

    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let mut bytes = vec![self.kind];
        bytes.extend(length(self.body.len())?);
        bytes.extend_from_slice(&self.body);
        to.write_all(&bytes)
    }

    /// The strings that it begins with, each ended by a zero byte.
    pub fn strings<const N: usize>(&self) -> [String; N] {
        let mut parts = self.body.split(|&byte| byte == 0);
        std::array::from_fn(|_| String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned())
    }

    /// The SQLSTATE of an error.
    pub fn sqlstate(&self) -> String {
        let field = self.body.split(|&byte| byte == 0).find(|field| field.first() == Some(&b'C'));
        field.map(|field| String::from_utf8_lossy(&field[1..]).into_owned()).unwrap_or_default()
    }
}

/// A packet without a kind: what a client begins with.
pub fn packet(from: &mut impl Read) -> io::Result<Vec<u8>> {
    sized(from)
}

pub fn write_packet(to: &mut impl Write, body: &[u8]) -> io::Result<()> {
    let mut bytes = length(body.len())?.to_vec();
    bytes.extend_from_slice(body);
    to.write_all(&bytes)
}

fn length(body: usize) -> io::Result<[u8; 4]> {
    u32::try_from(body + 4).map(u32::to_be_bytes).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))
}

fn sized(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length) as usize;
    if !(4..=LONGEST).contains(&length) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "no frame of PostgreSQL's protocol"));
    }
    let mut body = Vec::new();
    from.take((length - 4) as u64).read_to_end(&mut body)?;
    if body.len() == length - 4 { Ok(body) } else { Err(io::Error::from(io::ErrorKind::UnexpectedEof)) }
}

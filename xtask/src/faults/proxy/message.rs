//! Postgres's messages, as far as one must look at them: a letter, a length that counts itself, a body.

use std::io::{self, Read, Write};

/// One message.
pub(super) struct Message {
    /// What begins it on the wire: the letter, which a connection's first messages lack, and the length.
    head: Vec<u8>,
    pub(super) body: Vec<u8>,
}

/// No message of a page's size comes near it; whatever claims to be longer is not this protocol.
const LONGEST: usize = 1 << 30;

impl Message {
    /// One of a connection's first, without a letter.
    pub(super) fn read_first(from: &mut impl Read) -> io::Result<Self> {
        Self::read_after(from, Vec::new())
    }

    /// Any other.
    pub(super) fn read(from: &mut impl Read) -> io::Result<Self> {
        let mut letter = [0];
        from.read_exact(&mut letter)?;
        Self::read_after(from, letter.to_vec())
    }

    fn read_after(from: &mut impl Read, mut head: Vec<u8>) -> io::Result<Self> {
        let mut length = [0; 4];
        from.read_exact(&mut length)?;
        head.extend(length);
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(LONGEST);
        if !(4..LONGEST).contains(&length) {
            return Err(io::Error::other("this is not Postgres's protocol"));
        }
        let mut body = vec![0; length - 4];
        from.read_exact(&mut body)?;
        Ok(Self { head, body })
    }

    pub(super) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let mut bytes = self.head.clone();
        bytes.extend(&self.body);
        to.write_all(&bytes)
    }

    /// Its letter.
    pub(super) fn letter(&self) -> u8 {
        self.head[0]
    }

    /// The texts that its body begins with, each ended by a NUL.
    pub(super) fn texts(&self) -> impl Iterator<Item = String> {
        self.body
            .split(|byte| *byte == 0)
            .map(|text| String::from_utf8_lossy(text).into_owned())
    }

    /// The request that may come before a connection's start, and is answered by one letter: whether the
    /// rest may be encrypted.
    pub(super) fn asks_for_encryption(&self) -> bool {
        const TLS: u32 = 80_877_103;
        const GSS: u32 = 80_877_104;
        let code = self.body.first_chunk().copied().map(u32::from_be_bytes);
        matches!(code, Some(TLS | GSS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_passed_on_byte_by_byte_as_it_came() {
        let came = b"Q\0\0\0\x0bCOMMIT\0";

        let message = Message::read(&mut came.as_slice()).unwrap();
        let mut passed_on = Vec::new();
        message.write(&mut passed_on).unwrap();

        assert_eq!(passed_on, came);
        assert_eq!(message.letter(), b'Q');
        assert_eq!(message.texts().next().unwrap(), "COMMIT");
    }

    #[test]
    fn what_has_no_possible_length_is_refused() {
        assert!(Message::read(&mut b"Q\0\0\0\x03".as_slice()).is_err());
        assert!(Message::read(&mut b"Q\xff\xff\xff\xff".as_slice()).is_err());
    }
}

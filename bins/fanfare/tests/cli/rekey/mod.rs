//! `fanfare rekey`: the master key is replaced while programs run.

mod killed;
mod shops;
mod statement_proxy;
mod steps;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A master key of 32 equal bytes, in base64.
fn master_key(byte: u8) -> String {
    STANDARD.encode([byte; 32])
}

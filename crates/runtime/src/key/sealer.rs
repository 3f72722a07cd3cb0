//! Sealing of stored Klaviyo keys with XChaCha20-Poly1305.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use fanfare_domain::connection::SealedKey;
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::ports::{KeySealer, SealError};
use secrecy::{ExposeSecret, SecretString};

use super::MasterKey;

/// The one version of the master key there is.
const VERSION: u32 = 1;

const NONCE_BYTES: usize = 24;

/// Seals with the master key: 24 random bytes of nonce, then the ciphertext with its tag. The
/// organization's id is authenticated with it, so that a sealed key opens for its organization alone.
pub struct XChaChaSealer {
    cipher: XChaCha20Poly1305,
}

impl XChaChaSealer {
    /// A sealer with this key.
    pub fn new(key: &MasterKey) -> Self {
        Self {
            cipher: XChaCha20Poly1305::new(key.0.expose_secret().into()),
        }
    }
}

impl std::fmt::Debug for XChaChaSealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("XChaChaSealer(…)")
    }
}

impl KeySealer for XChaChaSealer {
    fn seal(&self, organization: &OrganizationId, key: &SecretString) -> SealedKey {
        let nonce = rand::random::<[u8; NONCE_BYTES]>();
        let payload = Payload {
            msg: key.expose_secret().as_bytes(),
            aad: organization.as_str().as_bytes(),
        };
        let mut bytes = nonce.to_vec();
        // Sealing fails only for texts of 256 GiB. An empty result cannot be opened again.
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload);
        bytes.extend(sealed.unwrap_or_default());
        SealedKey {
            master_key_version: VERSION,
            bytes,
        }
    }

    fn open(
        &self,
        organization: &OrganizationId,
        sealed: &SealedKey,
    ) -> Result<SecretString, SealError> {
        if sealed.master_key_version != VERSION {
            return Err(SealError::UnknownVersion(sealed.master_key_version));
        }
        let (nonce, ciphertext) = sealed
            .bytes
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(SealError::DoesNotOpen)?;
        let payload = Payload {
            msg: ciphertext,
            aad: organization.as_str().as_bytes(),
        };
        let opened = self.cipher.decrypt(&XNonce::from(*nonce), payload);
        let opened = opened.map_err(|_| SealError::DoesNotOpen)?;
        String::from_utf8(opened)
            .map(SecretString::from)
            .map_err(|_| SealError::DoesNotOpen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::MasterKeySource;
    use base64::Engine as _;

    fn sealer(byte: u8) -> XChaChaSealer {
        let text = base64::engine::general_purpose::STANDARD.encode([byte; 32]);
        let source = MasterKeySource::Given(SecretString::from(text));
        XChaChaSealer::new(&MasterKey::load(&source, false).unwrap())
    }

    fn organization(text: &str) -> OrganizationId {
        OrganizationId::parse(text).unwrap()
    }

    #[test]
    fn a_sealed_key_opens_for_its_organization_and_master_key_alone() {
        let own = organization("org_a");
        let sealed = sealer(1).seal(&own, &SecretString::from("pk_canary"));

        let opened = sealer(1).open(&own, &sealed).unwrap();
        assert_eq!(opened.expose_secret(), "pk_canary");
        let refused = [
            sealer(1).open(&organization("org_b"), &sealed),
            sealer(2).open(&own, &sealed),
        ];
        for result in refused {
            assert_eq!(result.unwrap_err(), SealError::DoesNotOpen);
        }
        assert!(!sealed.bytes.windows(6).any(|bytes| bytes == b"canary"));
    }

    #[test]
    fn damage_to_any_byte_is_noticed() {
        let own = organization("org_a");
        let sealed = sealer(1).seal(&own, &SecretString::from("pk_canary"));
        for at in 0..sealed.bytes.len() {
            let mut damaged = sealed.clone();
            damaged.bytes[at] ^= 1;
            assert!(sealer(1).open(&own, &damaged).is_err(), "byte {at}");
        }
        for length in 0..sealed.bytes.len() {
            let mut cut = sealed.clone();
            cut.bytes.truncate(length);
            assert!(sealer(1).open(&own, &cut).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn two_seals_of_one_key_differ_and_an_unknown_version_is_named() {
        let own = organization("org_a");
        let key = SecretString::from("pk_canary");
        let sealed = sealer(1).seal(&own, &key);
        assert_ne!(sealed, sealer(1).seal(&own, &key));

        let newer = SealedKey {
            master_key_version: 9,
            ..sealed
        };
        assert_eq!(
            sealer(1).open(&own, &newer).unwrap_err(),
            SealError::UnknownVersion(9)
        );
    }
}

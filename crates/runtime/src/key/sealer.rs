//! Sealing of stored Klaviyo keys with XChaCha20-Poly1305.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use fanfare_domain::connection::{MasterKeyRank, OpenedKey, SealedKey};
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::ports::{KeySealer, SealError};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use super::{MasterKey, MasterKeys};

/// The one form there is: 24 random bytes of nonce, then the ciphertext with its tag.
const FORM: u32 = 1;

const NONCE_BYTES: usize = 24;

/// Seals with the present master key, and opens with any. The organization's id is authenticated with the
/// ciphertext, so that a sealed key opens for its organization alone.
///
/// The tag tells whether a master key is the right one, so a sealed key says nothing of it: the keys are tried,
/// the present one first.
pub struct XChaChaSealer {
    present: XChaCha20Poly1305,
    previous: Vec<XChaCha20Poly1305>,
}

impl XChaChaSealer {
    /// A sealer with these keys.
    pub fn new(keys: &MasterKeys) -> Self {
        let cipher = |key: &MasterKey| XChaCha20Poly1305::new(key.0.expose_secret().into());
        Self {
            present: cipher(&keys.present),
            previous: keys.previous.iter().map(cipher).collect(),
        }
    }

    fn ranked(&self) -> impl Iterator<Item = (MasterKeyRank, &XChaCha20Poly1305)> {
        let previous = (1..).map(MasterKeyRank::Previous).zip(&self.previous);
        [(MasterKeyRank::Present, &self.present)]
            .into_iter()
            .chain(previous)
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
        let sealed = self.present.encrypt(&XNonce::from(nonce), payload);
        bytes.extend(sealed.unwrap_or_default());
        SealedKey { form: FORM, bytes }
    }

    fn open(
        &self,
        organization: &OrganizationId,
        sealed: &SealedKey,
    ) -> Result<OpenedKey, SealError> {
        if sealed.form != FORM {
            return Err(SealError::UnknownForm(sealed.form));
        }
        let (nonce, ciphertext) = sealed
            .bytes
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(SealError::DoesNotOpen)?;
        let opened = self.ranked().find_map(|(rank, cipher)| {
            let payload = Payload {
                msg: ciphertext,
                aad: organization.as_str().as_bytes(),
            };
            let opened = cipher.decrypt(&XNonce::from(*nonce), payload).ok()?;
            Some((rank, Zeroizing::new(opened)))
        });
        let (sealed_by, opened) = opened.ok_or(SealError::DoesNotOpen)?;
        let secret = str::from_utf8(&opened).map_err(|_| SealError::DoesNotOpen)?;
        Ok(OpenedKey {
            secret: SecretString::from(secret),
            sealed_by,
        })
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::*;
    use crate::config::{MasterKeySource, PreviousKeysSource};

    /// A sealer whose present master key is made of the first byte, and those of before of the others.
    fn sealer(bytes: &[u8]) -> XChaChaSealer {
        let encode = |byte: &u8| base64::engine::general_purpose::STANDARD.encode([*byte; 32]);
        let (present, previous) = bytes.split_first().unwrap();
        let present = MasterKeySource::Given(SecretString::from(encode(present)));
        let previous: Vec<String> = previous.iter().map(encode).collect();
        let previous = if previous.is_empty() {
            PreviousKeysSource::Unset
        } else {
            PreviousKeysSource::Given(SecretString::from(previous.join(",")))
        };
        XChaChaSealer::new(&MasterKeys::load(&present, &previous, false).unwrap())
    }

    fn organization(text: &str) -> OrganizationId {
        OrganizationId::parse(text).unwrap()
    }

    #[test]
    fn a_sealed_key_opens_for_its_organization_and_master_key_alone() {
        let own = organization("org_a");
        let sealed = sealer(&[1]).seal(&own, &SecretString::from("pk_canary"));

        let opened = sealer(&[1]).open(&own, &sealed).unwrap();
        assert_eq!(opened.secret.expose_secret(), "pk_canary");
        let refused = [
            sealer(&[1]).open(&organization("org_b"), &sealed),
            sealer(&[2]).open(&own, &sealed),
            sealer(&[2, 3, 4]).open(&own, &sealed),
        ];
        for result in refused {
            assert_eq!(result.unwrap_err(), SealError::DoesNotOpen);
        }
        assert!(!sealed.bytes.windows(6).any(|bytes| bytes == b"canary"));
    }

    #[test]
    fn master_keys_of_before_open_and_never_seal() {
        let own = organization("org_a");
        let key = SecretString::from("pk_canary");
        for (by, rank) in [
            (3, MasterKeyRank::Present),
            (2, MasterKeyRank::Previous(1)),
            (1, MasterKeyRank::Previous(2)),
        ] {
            let sealed = sealer(&[by]).seal(&own, &key);
            let opened = sealer(&[3, 2, 1]).open(&own, &sealed).unwrap();
            assert_eq!(opened.sealed_by, rank);
            assert_eq!(opened.secret.expose_secret(), "pk_canary");
        }

        let anew = sealer(&[3, 2, 1]).seal(&own, &key);
        assert!(sealer(&[3]).open(&own, &anew).is_ok());
        assert!(sealer(&[4, 2, 1]).open(&own, &anew).is_err());
    }

    #[test]
    fn damage_to_any_byte_is_noticed() {
        let own = organization("org_a");
        let with_two = sealer(&[1, 2]);
        let sealed = with_two.seal(&own, &SecretString::from("pk_canary"));
        for at in 0..sealed.bytes.len() {
            let mut damaged = sealed.clone();
            damaged.bytes[at] ^= 1;
            assert!(with_two.open(&own, &damaged).is_err(), "byte {at}");
        }
        for length in 0..sealed.bytes.len() {
            let mut cut = sealed.clone();
            cut.bytes.truncate(length);
            assert!(with_two.open(&own, &cut).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn two_seals_of_one_key_differ_and_an_unknown_form_is_named() {
        let own = organization("org_a");
        let key = SecretString::from("pk_canary");
        let sealed = sealer(&[1]).seal(&own, &key);
        assert_ne!(sealed, sealer(&[1]).seal(&own, &key));

        let newer = SealedKey { form: 9, ..sealed };
        assert_eq!(
            sealer(&[1]).open(&own, &newer).unwrap_err(),
            SealError::UnknownForm(9)
        );
    }
}

//! The master key is replaced.

use std::sync::Arc;

use fanfare_domain::connection::{MasterKeyRank, OpenedKey, SealedKey};
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::ports::{KeySealer, SealError, Store};
use fanfare_domain::run::SyncStatus;
use fanfare_sync::engine::SliceEnd;
use fanfare_sync::{Error, Rekeyed};
use fanfare_testkit::build::list;
use fanfare_testkit::clock::PlainSealer;
use secrecy::SecretString;

use crate::test_organization::{TestOrganization, emails, klaviyo_with, poll_until};

/// A sealer with several master keys, each a byte: the first seals, all open. The byte stands in the ciphertext.
pub(crate) struct ByteSealer(pub(crate) &'static [u8]);

impl KeySealer for ByteSealer {
    fn seal(&self, organization: &OrganizationId, key: &SecretString) -> SealedKey {
        let mut sealed = PlainSealer.seal(organization, key);
        sealed.bytes.push(self.0[0]);
        sealed
    }

    fn open(
        &self,
        organization: &OrganizationId,
        sealed: &SealedKey,
    ) -> Result<OpenedKey, SealError> {
        let (by, bytes) = sealed.bytes.split_last().ok_or(SealError::DoesNotOpen)?;
        let place = self.0.iter().position(|byte| byte == by);
        let sealed_by = match place.ok_or(SealError::DoesNotOpen)? {
            0 => MasterKeyRank::Present,
            place => MasterKeyRank::Previous(u32::try_from(place).unwrap()),
        };
        let plain = SealedKey {
            bytes: bytes.to_vec(),
            ..*sealed
        };
        let opened = PlainSealer.open(organization, &plain)?;
        Ok(OpenedKey {
            sealed_by,
            ..opened
        })
    }
}

/// The organization, with programs that have other master keys.
fn restarted(org: TestOrganization, keys: &'static [u8]) -> TestOrganization {
    org.with_sealer(Arc::new(ByteSealer(keys)))
}

async fn connected(keys: &'static [u8]) -> TestOrganization {
    let klaviyo = klaviyo_with(&list("L1"), 8);
    let org = TestOrganization::wired(Arc::new(klaviyo), Arc::new(ByteSealer(keys))).await;
    org.connect("pk_key1").await.unwrap();
    org
}

async fn rekey(org: &TestOrganization) -> Rekeyed {
    org.integration.rekey(&org.organization).await.unwrap()
}

async fn sealed_by(org: &TestOrganization) -> Option<Result<MasterKeyRank, SealError>> {
    org.integration.sealed_by(&org.organization).await.unwrap()
}

async fn generation(org: &TestOrganization) -> u64 {
    let mut unit = org.store.read(&org.organization).await.unwrap();
    unit.connection().await.unwrap().unwrap().generation
}

#[tokio::test(start_paused = true)]
async fn a_key_is_sealed_with_the_present_master_key_once() {
    let org = restarted(connected(b"a").await, b"ba");
    assert_eq!(sealed_by(&org).await, Some(Ok(MasterKeyRank::Previous(1))));

    assert_eq!(rekey(&org).await, Rekeyed::SealedAnew);
    assert_eq!(rekey(&org).await, Rekeyed::Unchanged);

    assert_eq!(generation(&org).await, 1);
    let org = restarted(org, b"b");
    assert_eq!(sealed_by(&org).await, Some(Ok(MasterKeyRank::Present)));
    let run = org.imported(&list("L1")).await;
    let end = org.work(&run).await;
    assert_eq!(end, SliceEnd::Finished(SyncStatus::Success));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_no_master_key_opens_is_left_as_it_is() {
    let org = restarted(connected(b"a").await, b"cb");

    assert_eq!(rekey(&org).await, Rekeyed::NotOpened);

    assert_eq!(sealed_by(&org).await, Some(Err(SealError::DoesNotOpen)));
    let org = restarted(org, b"a");
    assert_eq!(sealed_by(&org).await, Some(Ok(MasterKeyRank::Present)));
}

#[tokio::test(start_paused = true)]
async fn an_organization_without_a_connection_has_nothing_to_seal() {
    let org = connected(b"a").await;
    org.integration.disconnect(&org.organization).await.unwrap();

    assert_eq!(rekey(&org).await, Rekeyed::NotConnected);
    assert_eq!(sealed_by(&org).await, None);
}

/// Programs are restarted one by one, and the key is sealed anew in the middle of a slice of one of them.
#[tokio::test(start_paused = true)]
async fn a_run_goes_on_while_its_key_is_sealed_anew() {
    let klaviyo = klaviyo_with(&list("L1"), 8);
    let sealer = Arc::new(ByteSealer(b"ab"));
    let org = TestOrganization::wired(Arc::new(klaviyo.clone()), sealer).await;
    org.connect("pk_key1").await.unwrap();
    let run = org.imported(&list("L1")).await;
    let mut worker = org.worker(&run);
    poll_until(&mut worker, || klaviyo.member_calls().len() == 2);

    let restarted = org.beside(Arc::new(ByteSealer(b"ba")));
    let done = restarted.rekey(&org.organization).await.unwrap();
    assert_eq!(done, Rekeyed::SealedAnew);

    let end = worker.await.unwrap();
    assert_eq!(end, SliceEnd::Finished(SyncStatus::Success));
    assert_eq!(org.members(&run).await, emails(0..8));
    assert_eq!(sealed_by(&org).await, Some(Ok(MasterKeyRank::Previous(1))));
}

/// The merchant's new key comes between what `rekey` has read and what it writes, sealed by a program with the
/// master key of before.
#[tokio::test(start_paused = true)]
async fn a_key_that_is_replaced_meanwhile_is_not_overwritten() {
    let org = connected(b"a").await;
    let restarted = org.beside(Arc::new(ByteSealer(b"ba")));
    // The rekeying waits for this unit after it has read the first key.
    let mut unit = org.store.begin(&org.organization).await.unwrap();
    let mut connection = unit.connection().await.unwrap().unwrap();
    let organization = org.organization.clone();
    let rekeying = tokio::spawn(async move { restarted.rekey(&organization).await });
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let new = SecretString::from("pk_key2");
    connection.key = ByteSealer(b"a").seal(&org.organization, &new);
    unit.put_connection(&connection).await.unwrap();
    unit.commit().await.unwrap();

    let done: Result<Rekeyed, Error> = rekeying.await.unwrap();

    assert_eq!(done.unwrap(), Rekeyed::SealedAnew);
    let mut unit = org.store.read(&org.organization).await.unwrap();
    let stored = unit.connection().await.unwrap().unwrap();
    let opened = ByteSealer(b"b").open(&org.organization, &stored.key);
    let secret = secrecy::ExposeSecret::expose_secret(&opened.unwrap().secret).to_owned();
    assert_eq!((&*secret, stored.generation), ("pk_key2", 2));
}

//! Ends of consent, each in a call of its own. From a list only a member is unsubscribed, which is proved anew at every try: Klaviyo
//! unsubscribes somebody who is not in it from everything.

use fanfare_domain::collection::CollectionRef;
use fanfare_domain::connection::OpenConnection;
use fanfare_domain::delivery::{ConsentEnd, DeliveryCode, DueDelivery, Payload, Settled};
use fanfare_domain::ids::CollectionId;
use fanfare_domain::source::CollectionKind;
use fanfare_domain::writing::{MembershipProof, Unsubscribe};
use futures_util::future::join_all;

use super::Slice;
use super::contact_look::failed_look;
use super::outcome::{Outcome, WriteFailure};
use crate::unsubscribing::lookup_of;

impl Slice<'_> {
    /// Ends the consents of a batch, all beside each other.
    pub(super) async fn end_consents(
        &self,
        connection: &OpenConnection,
        deliveries: &[DueDelivery],
    ) -> Outcome {
        let calls = deliveries
            .iter()
            .map(|delivery| self.end_consent(connection, delivery));
        let mut outcome = Outcome::default();
        for (delivery, ended) in deliveries.iter().zip(join_all(calls).await) {
            match ended {
                Ok(settled) => outcome.settle(delivery, settled),
                Err(failure) => outcome.take(&[delivery], failure, self.integration.now()),
            }
        }
        outcome
    }

    async fn end_consent(
        &self,
        connection: &OpenConnection,
        delivery: &DueDelivery,
    ) -> Result<Settled, WriteFailure> {
        let Payload::Consent(end) = &delivery.payload else {
            return Ok(Settled::Failed(DeliveryCode::Internal, None));
        };
        let unsubscribe = match &end.list {
            None => Unsubscribe::from_all(vec![end.person.clone()]),
            Some(list) => match self.proved(connection, list, end).await? {
                Some(unsubscribe) => unsubscribe,
                // A try whose answer was lost may have done it: who is not in the list gets nothing of it either way.
                None if delivery.attempts > 0 => return Ok(Settled::Sent(None)),
                None => return Ok(Settled::Dropped(DeliveryCode::NotInList)),
            },
        };
        self.integration
            .klaviyo
            .unsubscribe(connection, &unsubscribe)
            .await?;
        Ok(Settled::Sent(None))
    }

    /// The unsubscription from a list, if the person is in it now.
    async fn proved(
        &self,
        connection: &OpenConnection,
        list: &CollectionId,
        end: &ConsentEnd,
    ) -> Result<Option<Unsubscribe>, WriteFailure> {
        let of = CollectionRef {
            kind: CollectionKind::List,
            id: list.clone(),
        };
        let asked_at = self.integration.now();
        let klaviyo = &self.integration.klaviyo;
        let members = klaviyo
            .find_members(connection, &of, &lookup_of(&end.person))
            .await
            .map_err(failed_look)?;
        let proof = MembershipProof::of(list, &members, &end.person, asked_at);
        let proofs: Vec<MembershipProof> = proof.into_iter().collect();
        Ok(Unsubscribe::from_list(proofs, self.integration.now()))
    }
}

//! Ending consent: from everything, or from a list that somebody is proved to be in.

use fanfare_domain::delivery::DeliveryStatus::{Dropped, Sent};
use fanfare_domain::ids::CollectionId;
use fanfare_domain::writing::{Channel, UnsubscribeScope};
use fanfare_sync::{Error, UnsubscribeRequest};
use fanfare_testkit::build::list;
use fanfare_testkit::fake_writes::{ProfileCall, WriteFault};

use super::contacts::Firm;

impl Firm {
    async fn unsubscribe(
        &self,
        person: usize,
        channels: &[Channel],
        list: Option<&str>,
    ) -> Result<(), Error> {
        let org = &self.shop.org;
        let request = UnsubscribeRequest {
            channels: channels.to_vec(),
            list: list.map(|list| CollectionId::parse(list).unwrap()),
        };
        let id = &self.shop.people[person];
        let ended = org.integration.unsubscribe(&org.organization, id, request);
        ended.await.map(drop)
    }

    async fn sms_opt_out(&self, person: usize) -> bool {
        let org = &self.shop.org;
        let id = &self.shop.people[person];
        let record = org
            .integration
            .consumer(&org.organization, id)
            .await
            .unwrap();
        let consents = record.consumer.consents.get();
        consents.is_some_and(|consents| consents.sms_opt_out())
    }

    fn scopes(&self) -> Vec<UnsubscribeScope> {
        let calls = self.shop.writes.profile_calls().into_iter();
        let scopes = calls.filter_map(|call| match call {
            ProfileCall::Unsubscribe(scope) => Some(scope),
            _ => None,
        });
        scopes.collect()
    }

    /// Somebody leaves the list in Klaviyo.
    fn leave(&self, person: usize) {
        let id = super::contacts::profile_of(person);
        self.klaviyo.change(|contents| {
            let (_, members) = contents.collections.get_mut(&list("L1")).unwrap();
            members.retain(|one| one.id != id);
        });
    }
}

#[tokio::test(start_paused = true)]
async fn who_unsubscribes_from_everything_is_so_here_at_once_and_in_klaviyo_soon() {
    let firm = Firm::new(2).await;
    firm.call(0, Some("+12025550101")).await;
    firm.shop.work_to_end().await;
    let both = [Channel::Email, Channel::Sms];
    firm.unsubscribe(0, &both, None).await.unwrap();
    assert!(firm.sms_opt_out(0).await && !firm.sms_opt_out(1).await);
    firm.shop.work_to_end().await;
    let [UnsubscribeScope::All(people)] = &firm.scopes()[..] else {
        panic!("one request");
    };
    assert!(people[0].email.is_some() && people[0].phone.is_some());
    assert_eq!(firm.shop.ends().await, [(Sent, None); 2]);
    // A channel that does not reach somebody cannot be ended.
    let refused = firm.unsubscribe(1, &[Channel::Sms], None).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn from_a_list_only_a_member_is_unsubscribed_and_every_try_proves_it() {
    let firm = Firm::new(3).await;
    let from_list = |person| firm.unsubscribe(person, &[Channel::Email], Some("L1"));
    firm.leave(2);
    let refused = from_list(2).await;
    assert!(matches!(refused, Err(Error::NotInList)), "{refused:?}");
    assert_eq!(firm.shop.deliveries().await, []);

    from_list(0).await.unwrap();
    from_list(1).await.unwrap();
    // Between the click and the call one of them leaves.
    firm.leave(1);
    firm.shop.work_to_end().await;
    let [UnsubscribeScope::List(proofs)] = &firm.scopes()[..] else {
        panic!("one request");
    };
    assert_eq!(proofs[0].profile().as_str(), "P000");
    let ends = firm.shop.ends().await;
    assert_eq!(ends, [(Sent, None), (Dropped, Some("not_in_list"))]);
}

#[tokio::test(start_paused = true)]
async fn a_try_whose_answer_was_lost_is_proved_anew() {
    let firm = Firm::new(1).await;
    firm.shop.writes.fail_next([WriteFault::AnswerLost]);
    let from_list = firm.unsubscribe(0, &[Channel::Email], Some("L1"));
    from_list.await.unwrap();
    firm.shop.work().await;
    // It was done, and the person is out of the list: a second call would unsubscribe them from everything.
    firm.leave(0);
    firm.shop.work_to_end().await;
    assert_eq!(firm.scopes().len(), 1);
    assert_eq!(firm.shop.ends().await, [(Sent, None)]);
}
